/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/clock.h"

static const struct clock_pair from = { .ticks = 1000000, .ns = 5000000000 };
static const struct clock_pair to = { .ticks = 1000000 + 2600000000, .ns = 6000000000 };

static void ticks_become_nanoseconds_between_two_readings(void **state)
{
	(void)state;
	assert_int_equal(clock_ns(from.ticks, &from, &to), from.ns);
	assert_int_equal(clock_ns(to.ticks, &from, &to), to.ns);
	assert_int_equal(clock_ns(from.ticks + 2600, &from, &to), from.ns + 1000);
	assert_int_equal(clock_rate(&from, &to), 2600000000);
}

static void ticks_outside_of_the_readings_go_on_at_the_same_rate(void **state)
{
	(void)state;
	assert_int_equal(clock_ns(to.ticks + 2600, &from, &to), to.ns + 1000);
	assert_int_equal(clock_ns(from.ticks - 2600, &from, &to), from.ns - 1000);
}

static void a_month_of_ticks_does_not_overflow(void **state)
{
	const uint64_t month_s = 31 * 24 * 3600;
	const struct clock_pair late = { .ticks = from.ticks + month_s * 2600000000,
					 .ns = from.ns + month_s * 1000000000 };

	(void)state;
	assert_int_equal(clock_ns(late.ticks, &from, &late), late.ns);
	assert_int_equal(clock_ns(late.ticks - 26, &from, &late), late.ns - 10);
}

static void readings_at_one_instant_do_not_divide_by_zero(void **state)
{
	(void)state;
	assert_int_equal(clock_ns(77, &from, &from), from.ns);
	assert_int_equal(clock_rate(&from, &from), 0);
}

static void readings_follow_the_monotonic_clock(void **state)
{
	(void)state;
	clock_init();
	for (int i = 0; i < 100; i++) {
		const uint64_t before = clock_read_ns(CLOCK_MONOTONIC);
		const struct clock_pair pair = clock_pair_read();
		const uint64_t after = clock_read_ns(CLOCK_MONOTONIC);

		assert_in_range(pair.ns, before, after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_become_nanoseconds_between_two_readings),
		cmocka_unit_test(ticks_outside_of_the_readings_go_on_at_the_same_rate),
		cmocka_unit_test(a_month_of_ticks_does_not_overflow),
		cmocka_unit_test(readings_at_one_instant_do_not_divide_by_zero),
		cmocka_unit_test(readings_follow_the_monotonic_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
