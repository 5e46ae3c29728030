/* SPDX-License-Identifier: Apache-2.0 */
/* A window that threads open and close while others launch: what is said of each call holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "preload/options.h"
#include "preload/thread.h"
#include "preload/window.h"

enum { NR_LAUNCHING = 4, NR_TURNING = 4, CALLS = 20000, TURNS = 100 };

static _Atomic uint32_t last_id;
static bool is_recorded[NR_LAUNCHING * CALLS + 1];

/* As a wrapper and CUPTI's callback inside of it do. */
static void *launch_many(void *unused)
{
	const struct template_content c = { .op = TTI_OP_LAUNCH };

	for (int i = 0; i < CALLS; i++) {
		const bool is_passed = !window_is_open();
		const uint32_t id = atomic_fetch_add(&last_id, 1) + 1;

		if (atomic_load(&window_is_limited))
			window_see(id, is_passed);
		tls.correlation = id;
		is_recorded[id] = !is_passed && window_admits(&c);
	}
	return unused;
}

static void *turn_often(void *unused)
{
	for (int i = 0; i < TURNS; i++) {
		window_close(WINDOW_PERSON);
		window_open(WINDOW_PERSON);
	}
	return unused;
}

static void turn_and_launch(void)
{
	pthread_t threads[NR_LAUNCHING + NR_TURNING];

	for (int i = 0; i < NR_LAUNCHING + NR_TURNING; i++)
		pthread_create(&threads[i], NULL, i < NR_LAUNCHING ? launch_many : turn_often,
			       NULL);
	for (int i = 0; i < NR_LAUNCHING + NR_TURNING; i++)
		pthread_join(threads[i], NULL);
}

static uint32_t nr_recorded(uint32_t nr_calls)
{
	uint32_t n = 0;

	for (uint32_t id = 1; id <= nr_calls; id++)
		n += is_recorded[id];
	return n;
}

static void device_records_are_kept_of_what_was_recorded_and_of_nothing_else(void **state)
{
	(void)state;
	turn_and_launch();
	assert_true(window_is_open());
	for (uint32_t id = 1; id <= NR_LAUNCHING * CALLS; id++)
		assert_int_equal(window_keeps(id), is_recorded[id]);
}

struct mark {
	uint64_t when;
	uint32_t kind;
};

static int by_time(const void *a, const void *b)
{
	const uint64_t x = ((const struct mark *)a)->when, y = ((const struct mark *)b)->when;

	return (x > y) - (x < y);
}

static void it_is_opened_and_closed_in_turn(void **state)
{
	static struct mark marks[2 * NR_TURNING * TURNS];
	size_t nr = 0;

	(void)state;
	for (struct thread *t = thread_first(); t; t = t->next)
		for (uint32_t i = 0; i < ring_available(&t->ring); i++)
			marks[nr++] = (struct mark){ ring_row(&t->ring, i)->begin,
						     ring_row(&t->ring, i)->correlation };
	qsort(marks, nr, sizeof(marks[0]), by_time);
	assert_true(nr >= 2 && nr % 2 == 0);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(marks[i].kind, i % 2 ? TTI_MARK_OPEN : TTI_MARK_CLOSE);
}

static void exactly_as_many_are_taken_as_were_wanted(void **state)
{
	const uint32_t before = atomic_load(&last_id);

	(void)state;
	memset(is_recorded, 0, sizeof(is_recorded));
	atomic_store(&last_id, 0);
	options.skip = 1000;
	options.take = 5000;
	turn_and_launch();
	assert_int_equal(before, NR_LAUNCHING * CALLS);
	assert_int_equal(nr_recorded(NR_LAUNCHING * CALLS), 5000);
	assert_false(window_is_open());
	for (uint32_t id = 1; id <= NR_LAUNCHING * CALLS; id++)
		assert_int_equal(window_keeps(id), is_recorded[id]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_records_are_kept_of_what_was_recorded_and_of_nothing_else),
		cmocka_unit_test(it_is_opened_and_closed_in_turn),
		cmocka_unit_test(exactly_as_many_are_taken_as_were_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
