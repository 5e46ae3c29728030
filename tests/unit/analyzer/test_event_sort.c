/* SPDX-License-Identifier: Apache-2.0 */
/* Records come out in order, whether they fit into memory or wait in a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/event_sort.h"

struct record {
	uint64_t key, number;
	char rest[24];
};

static int by_key(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static uint64_t scramble(uint64_t i)
{
	return i * 0x9e3779b97f4a7c15ull >> 48;
}

static void sort_many(size_t nr, size_t memory_bytes)
{
	struct event_sort *s = event_sort_new(sizeof(struct record), by_key, memory_bytes);
	const struct record *r;
	struct record last = { 0 };
	size_t got = 0;

	assert_non_null(s);
	for (uint64_t i = 0; i < nr; i++)
		assert_int_equal(event_sort_add(s, &(struct record){ .key = scramble(i),
								     .number = i }),
				 0);
	assert_int_equal(event_sort_begin(s), 0);
	for (; (r = event_sort_next(s)); got++) {
		assert_int_equal(r->key, scramble(r->number));
		assert_true(!got || by_key(&last, r) < 0);
		last = *r;
	}
	assert_int_equal(event_sort_error(s), 0);
	assert_int_equal(got, nr);
	event_sort_free(s);
}

static void records_that_fit_are_sorted(void **state)
{
	(void)state;
	sort_many(0, 4000);
	sort_many(1, 4000);
	sort_many(100, 4000);
}

static void records_beyond_memory_are_merged(void **state)
{
	(void)state;
	sort_many(101, 4000); /* one more than there is room for */
	sort_many(200, 4000); /* two whole runs */
	sort_many(4999, 4000);
}

static void where_no_file_can_be_made_it_is_an_error(void **state)
{
	struct event_sort *s =
		event_sort_new(sizeof(struct record), by_key, 2 * sizeof(struct record));
	struct record r = { 0 };
	int err = 0;

	(void)state;
	setenv("TMPDIR", "/nowhere", 1);
	for (r.number = 0; r.number < 3 && !err; r.number++)
		err = event_sort_add(s, &r);
	unsetenv("TMPDIR");
	assert_int_equal(err, -ENOENT);
	assert_int_equal(event_sort_begin(s), -ENOENT);
	assert_null(event_sort_next(s));
	event_sort_free(s);
}

static void more_runs_than_memory_can_merge_are_an_error(void **state)
{
	struct event_sort *s =
		event_sort_new(sizeof(struct record), by_key, 2 * sizeof(struct record));
	struct record r = { 0 };

	(void)state;
	for (r.number = 0; r.number < 7; r.number++)
		event_sort_add(s, &r);
	assert_true(event_sort_begin(s) < 0);
	assert_null(event_sort_next(s));
	assert_true(event_sort_error(s) < 0);
	event_sort_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_that_fit_are_sorted),
		cmocka_unit_test(records_beyond_memory_are_merged),
		cmocka_unit_test(where_no_file_can_be_made_it_is_an_error),
		cmocka_unit_test(more_runs_than_memory_can_merge_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
