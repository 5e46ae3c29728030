/* SPDX-License-Identifier: Apache-2.0 */
/* The length of a union of intervals, in any order, with bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/busy.h"

static struct busy *b;

static int set_up(void **state)
{
	(void)state;
	b = busy_new();
	return b ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(b);
	return 0;
}

static void overlaps_count_once(void **state)
{
	(void)state;
	busy_add(b, 100, 200);
	busy_add(b, 150, 250);
	busy_add(b, 160, 170);
	busy_add(b, 300, 400);
	busy_add(b, 400, 410);
	assert_int_equal(busy_total_ns(b), 260);
	assert_int_equal(b->first_ns, 100);
	assert_int_equal(b->last_ns, 410);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	busy_add(b, 300, 400);
	busy_add(b, 100, 200);
	assert_int_equal(busy_total_ns(b), 200);
	busy_add(b, 150, 350); /* behind the merge, over both */
	assert_int_equal(busy_total_ns(b), 300);
	busy_add(b, 0, 1000);
	assert_int_equal(busy_total_ns(b), 1000);
}

static void the_same_answer_as_a_bitmap(void **state)
{
	enum { SPAN = 100000 };
	static char busy[SPAN];
	uint64_t expected = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 30000; i++) {
		const int begin = rand() % (SPAN - 20), length = rand() % 20;

		busy_add(b, (uint64_t)begin, (uint64_t)(begin + length));
		for (int k = begin; k < begin + length; k++)
			busy[k] = 1;
	}
	for (int k = 0; k < SPAN; k++)
		expected += (uint64_t)busy[k];
	assert_int_equal(busy_total_ns(b), expected);
	assert_int_equal(b->late_ns, 0);
}

static void millions_of_gaps_need_no_more_memory(void **state)
{
	enum { N = 2000000 };

	(void)state;
	for (uint64_t i = 0; i < N; i++)
		busy_add(b, 10 * i, 10 * i + 4);
	assert_int_equal(busy_total_ns(b), 4ull * N);
	assert_int_equal(b->late_ns, 0);
}

static void what_comes_far_too_late_is_told(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 200000; i++)
		busy_add(b, 10 * i, 10 * i + 4);
	busy_add(b, 16, 18);
	assert_int_equal(busy_total_ns(b), 4 * 199999);
	assert_int_equal(b->late_ns, 2);
}

static void nothing_was_never_busy(void **state)
{
	(void)state;
	assert_int_equal(busy_total_ns(b), 0);
	busy_add(b, 50, 50);
	assert_int_equal(busy_total_ns(b), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(overlaps_count_once),
		TEST(order_does_not_matter),
		TEST(the_same_answer_as_a_bitmap),
		TEST(millions_of_gaps_need_no_more_memory),
		TEST(what_comes_far_too_late_is_told),
		TEST(nothing_was_never_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
