/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/mark_ranges.h"
#include "ttitrace/format.h"

static struct names *names;
static struct mark_ranges *ranges;

static int set_up(void **state)
{
	(void)state;
	names = names_new();
	ranges = mark_ranges_new(names);
	return names && ranges ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mark_ranges_free(ranges);
	names_free(names);
	return 0;
}

static void say_as(uint64_t tid, uint64_t time_ns, uint64_t kind, const char *text, uint64_t range,
		   const char *domain)
{
	const struct tti_mark mark = {
		.time_ns = time_ns,
		.tid = tid,
		.kind = kind,
		.text = { text, strlen(text) },
		.domain = { domain, strlen(domain) },
		.range = range,
	};

	assert_int_equal(mark_ranges_take(ranges, &mark), 0);
}

static void say(uint64_t time_ns, uint64_t kind, const char *text)
{
	say_as(1, time_ns, kind, text, 0, "");
}

/* What the phases are, as "time text, time text, ...". */
static void assert_phases(const char *expected)
{
	char text[512] = "";
	struct phase_mark *marks;
	size_t nr;

	assert_int_equal(mark_ranges_phases(ranges, &marks, &nr), 0);
	for (size_t i = 0; i < nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%llu %s",
			 i ? ", " : "", (unsigned long long)marks[i].time_ns, marks[i].text->text);
	free(marks);
	assert_string_equal(text, expected);
}

static void who_says_nothing_has_no_phases(void **state)
{
	(void)state;
	assert_phases("");
}

static void a_range_is_a_phase(void **state)
{
	(void)state;
	say(10, TTI_MARK_PUSH, "encode");
	say(20, TTI_MARK_POP, "");
	say(30, TTI_MARK_PUSH, "decode");
	say(40, TTI_MARK_POP, "");
	assert_phases("10 encode, 20 , 30 decode, 40 ");
}

static void a_range_around_all_others_is_none(void **state)
{
	(void)state;
	say(1, TTI_MARK_PUSH, "program");
	say(2, TTI_MARK_PUSH, "pipeline");
	say(10, TTI_MARK_PUSH, "step 0");
	say(12, TTI_MARK_PUSH, "inside");
	say(13, TTI_MARK_POP, "");
	say(20, TTI_MARK_POP, "");
	say(20, TTI_MARK_PUSH, "step 1");
	say(30, TTI_MARK_POP, "");
	say(40, TTI_MARK_POP, "");
	say(50, TTI_MARK_POP, "");
	assert_phases("10 step, 20 step, 30 ");
}

static void ranges_of_libraries_do_not_count(void **state)
{
	(void)state;
	say(10, TTI_MARK_PUSH, "mine");
	say_as(1, 12, TTI_MARK_PUSH, "theirs", 0, "NCCL");
	say_as(1, 14, TTI_MARK_POP, "", 0, "NCCL");
	say(20, TTI_MARK_POP, "");
	assert_phases("10 mine, 20 ");
}

static void a_range_may_end_in_another_thread(void **state)
{
	(void)state;
	say_as(1, 10, TTI_MARK_START, "first", 7, "");
	say_as(1, 20, TTI_MARK_START, "second", 8, "");
	say_as(2, 20, TTI_MARK_END, "", 7, "");
	say_as(2, 30, TTI_MARK_END, "", 8, "");
	assert_phases("10 first, 20 second, 30 ");
}

static void the_thread_of_the_longest_ranges_speaks(void **state)
{
	(void)state;
	say_as(2, 5, TTI_MARK_PUSH, "loader", 0, "");
	say_as(2, 6, TTI_MARK_POP, "", 0, "");
	say(10, TTI_MARK_PUSH, "model");
	say(90, TTI_MARK_POP, "");
	assert_phases("10 model, 90 ");
}

static void a_range_without_end_lasts(void **state)
{
	(void)state;
	say(10, TTI_MARK_PUSH, "killed here");
	assert_phases("10 killed here");
}

static void ends_without_a_beginning_say_nothing(void **state)
{
	(void)state;
	say(5, TTI_MARK_POP, "");
	say_as(1, 6, TTI_MARK_END, "", 9, "");
	say(10, TTI_MARK_PUSH, "a");
	say(20, TTI_MARK_POP, "");
	say(21, TTI_MARK_POP, "");
	say(22, 99, "of the future");
	assert_phases("10 a, 20 ");
}

static void without_ranges_each_mark_begins_a_phase(void **state)
{
	(void)state;
	say(5, TTI_MARK_INSTANT, "cuProfilerStart");
	say(10, TTI_MARK_INSTANT, "one");
	say(20, TTI_MARK_INSTANT, "two");
	assert_phases("10 one, 20 two");
}

static void a_number_at_the_end_is_not_part_of_the_name(void **state)
{
	(void)state;
	say(1, TTI_MARK_INSTANT, "step[3/50]");
	say(2, TTI_MARK_INSTANT, "step_4");
	say(3, TTI_MARK_INSTANT, "conv2d");
	say(4, TTI_MARK_INSTANT, "42");
	say(5, TTI_MARK_INSTANT, "f()");
	assert_phases("1 step, 2 step, 3 conv2d, 4 42, 5 f()");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_says_nothing_has_no_phases),
		TEST(a_range_is_a_phase),
		TEST(a_range_around_all_others_is_none),
		TEST(ranges_of_libraries_do_not_count),
		TEST(a_range_may_end_in_another_thread),
		TEST(the_thread_of_the_longest_ranges_speaks),
		TEST(a_range_without_end_lasts),
		TEST(ends_without_a_beginning_say_nothing),
		TEST(without_ranges_each_mark_begins_a_phase),
		TEST(a_number_at_the_end_is_not_part_of_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
