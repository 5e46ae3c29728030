/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/options.h"

static void without_variables_the_defaults_stand(void **state)
{
	(void)state;
	options_read();
	assert_string_equal(options.output, "ttitrace-%h-%p.ttt");
	assert_int_equal(options.timing, TIMING_CUPTI);
	assert_int_equal(options.flush_ms, 200);
}

static void variables_are_read(void **state)
{
	(void)state;
	setenv("TTITRACE_OUTPUT", "/tmp/%p.ttt", 1);
	setenv("TTITRACE_TIMING", "none", 1);
	setenv("TTITRACE_FLUSH_MS", "50", 1);
	options_read();
	assert_string_equal(options.output, "/tmp/%p.ttt");
	assert_int_equal(options.timing, TIMING_NONE);
	assert_int_equal(options.flush_ms, 50);
}

static void what_is_not_understood_leaves_the_value(void **state)
{
	static const char *const wrong[] = { "fast", "-1", "12x", " 1", "99999999999999999999" };

	(void)state;
	options.level = 3;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("TTITRACE_LEVEL", wrong[i], 1);
		options_read();
		assert_int_equal(options.level, 3);
	}
	setenv("TTITRACE_TIMING", "cup", 1);
	options.timing = TIMING_NONE;
	options_read();
	assert_int_equal(options.timing, TIMING_NONE);
}

static void an_empty_variable_is_as_none(void **state)
{
	(void)state;
	options.run = "kept";
	setenv("TTITRACE_RUN", "", 1);
	options_read();
	assert_string_equal(options.run, "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_variables_the_defaults_stand),
		cmocka_unit_test(variables_are_read),
		cmocka_unit_test(what_is_not_understood_leaves_the_value),
		cmocka_unit_test(an_empty_variable_is_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
