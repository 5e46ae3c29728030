/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/ring.h"
#include "preload/sys.h"

static struct ring *new_ring(size_t rows)
{
	const size_t bytes = ring_bytes(rows * sizeof(struct row));
	struct ring *r = sys_reserve(bytes);

	assert_non_null(r);
	ring_init(r, bytes);
	return r;
}

static bool put(struct ring *r, uint64_t value)
{
	struct row *row = ring_reserve(r);

	if (!row)
		return false;
	row->begin = value;
	ring_commit(r);
	return true;
}

static void rows_come_out_in_the_order_they_went_in(void **state)
{
	struct ring *r = new_ring(256);

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_true(put(r, i));
	assert_int_equal(ring_available(r), 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(ring_row(r, i)->begin, i);
}

static void a_full_ring_refuses_and_keeps_what_it_has(void **state)
{
	struct ring *r = new_ring(256);
	uint64_t n = 0;

	(void)state;
	while (put(r, n))
		n++;
	assert_int_equal(n, r->mask + 1);
	assert_false(put(r, n));
	assert_int_equal(ring_row(r, 0)->begin, 0);
	ring_consume(r, 1);
	assert_true(put(r, n));
	assert_false(put(r, n + 1));
	assert_int_equal(ring_row(r, r->mask)->begin, n);
}

static void counters_that_wrap_round_do_no_harm(void **state)
{
	struct ring *r = new_ring(256);

	(void)state;
	atomic_store(&r->head, UINT32_MAX - 10);
	atomic_store(&r->tail, UINT32_MAX - 10);
	r->tail_seen = UINT32_MAX - 10;
	for (uint64_t i = 0; i < 1000; i++) {
		assert_true(put(r, i));
		assert_int_equal(ring_available(r), 1);
		assert_int_equal(ring_row(r, 0)->begin, i);
		ring_consume(r, 1);
	}
}

enum { NR_VALUES = 200000 };

static void *produce(void *ring)
{
	for (uint64_t i = 0; i < NR_VALUES; i++)
		while (!put(ring, i))
			sched_yield();
	return NULL;
}

static void a_consumer_beside_a_producer_sees_every_row_once(void **state)
{
	struct ring *r = new_ring(256);
	pthread_t producer;
	uint64_t next = 0;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
	while (next < NR_VALUES) {
		const uint32_t n = ring_available(r);

		if (!n)
			sched_yield();
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(ring_row(r, i)->begin, next++);
		ring_consume(r, n);
	}
	pthread_join(producer, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_in_the_order_they_went_in),
		cmocka_unit_test(a_full_ring_refuses_and_keeps_what_it_has),
		cmocka_unit_test(counters_that_wrap_round_do_no_harm),
		cmocka_unit_test(a_consumer_beside_a_producer_sees_every_row_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
