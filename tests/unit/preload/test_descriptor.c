/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/counter.h"
#include "preload/descriptor.h"

static const void *handle(uint64_t i)
{
	return (const void *)(uintptr_t)(0x7f0000000000 + 16 * i);
}

static uint64_t nr_dropped(void)
{
	return atomic_load(&shared_counters.value[TTI_COUNTER_DESCRIPTORS_DROPPED]);
}

static void one_is_found_until_it_is_destroyed(void **state)
{
	struct descriptor *d = descriptor_add(handle(1));

	(void)state;
	assert_non_null(d);
	assert_null(descriptor_find(handle(2)));
	assert_ptr_equal(descriptor_find(handle(1)), d);
	descriptor_remove(handle(1));
	assert_null(descriptor_find(handle(1)));
	descriptor_remove(handle(1));
}

static void a_handle_that_comes_back_is_a_new_one(void **state)
{
	struct descriptor *d = descriptor_add(handle(3));

	(void)state;
	d->call = 7;
	descriptor_remove(handle(3));
	assert_int_equal(descriptor_add(handle(3))->call, 0);
	/* Also when nobody saw that it was destroyed. */
	descriptor_find(handle(3))->call = 8;
	assert_int_equal(descriptor_add(handle(3))->call, 0);
	descriptor_remove(handle(3));
	assert_null(descriptor_find(handle(3)));
}

static void what_cannot_be_a_handle_is_refused(void **state)
{
	const uint64_t before = nr_dropped();

	(void)state;
	assert_null(descriptor_find(NULL));
	assert_null(descriptor_add((const void *)(uintptr_t)0x7f0000000001));
	assert_null(descriptor_add((const void *)(uintptr_t)(1ull << 60)));
	descriptor_remove(NULL);
	assert_int_equal(nr_dropped(), before + 2);
}

static void more_than_fit_are_counted_and_room_comes_back(void **state)
{
	const uint64_t before = nr_dropped();
	uint64_t kept = 0;

	(void)state;
	for (uint64_t i = 0; i < DESCRIPTORS_MAX + 100; i++)
		kept += descriptor_add(handle(i)) != NULL;
	assert_int_equal(kept, DESCRIPTORS_MAX);
	assert_int_equal(nr_dropped(), before + 100);
	for (uint64_t i = 0; i < DESCRIPTORS_MAX + 100; i++)
		descriptor_remove(handle(i));
	/* As often as a long run makes them, at ever new addresses. */
	for (uint64_t i = 0; i < 10 * DESCRIPTORS_MAX; i++) {
		assert_non_null(descriptor_add(handle(3 * i)));
		descriptor_remove(handle(3 * i));
	}
	assert_int_equal(nr_dropped(), before + 100);
}

#define NR_THREADS 8

/* Every thread's handles lie between those of the others. */
static void *make_and_destroy(void *arg)
{
	const uint64_t thread = (uint64_t)(uintptr_t)arg;
	bool is_right = true;

	for (uint64_t round = 0; round < 300; round++) {
		for (uint64_t i = 0; i < 30; i++) {
			struct descriptor *d = descriptor_add(handle(NR_THREADS * i + thread));

			is_right &= d && !d->call;
			if (d)
				d->call = (uint32_t)(1000 * thread + i);
		}
		for (uint64_t i = 0; i < 30; i++) {
			const struct descriptor *d =
				descriptor_find(handle(NR_THREADS * i + thread));

			is_right &= d && d->call == 1000 * thread + i;
			descriptor_remove(handle(NR_THREADS * i + thread));
		}
	}
	return is_right ? NULL : arg + 1;
}

static void threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[NR_THREADS];
	void *wrong;

	(void)state;
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, make_and_destroy, (void *)i);
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_found_until_it_is_destroyed),
		cmocka_unit_test(a_handle_that_comes_back_is_a_new_one),
		cmocka_unit_test(what_cannot_be_a_handle_is_refused),
		cmocka_unit_test(more_than_fit_are_counted_and_room_comes_back),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
