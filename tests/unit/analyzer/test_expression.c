/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of architecture descriptions. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/expression.h"

static const double px = 512, list[] = { 10, 20, 30 };

static int look_up(void *scope, const char *name, size_t size, struct operand *ret)
{
	(void)scope;
	if (size == 2 && !memcmp(name, "px", 2))
		*ret = (struct operand){ &px, 1, 0 };
	else if (size == 4 && !memcmp(name, "list", 4))
		*ret = (struct operand){ list, 3, 1 };
	else
		return -ENOENT;
	return 0;
}

static void assert_value(const char *text, double expected)
{
	struct diag diag = { .message = "" };
	double value = NAN;

	if (expression_value(text, look_up, NULL, &value, &diag) < 0)
		fail_msg("%s: %s", text, diag.message);
	if (value != expected)
		fail_msg("%s is %.17g, not %.17g", text, value, expected);
}

static void assert_refused(const char *text, const char *why)
{
	struct diag diag = { .message = "" };
	double value = 17;

	if (expression_value(text, look_up, NULL, &value, &diag) != -EINVAL)
		fail_msg("%s has the value %g", text, value);
	if (!strstr(diag.message, why))
		fail_msg("%s is refused with: %s", text, diag.message);
	assert_true(value == 17);
}

static void operators_bind_as_they_do_in_c(void **state)
{
	(void)state;
	assert_value("1 + 2 * 3 - 4 / 2", 5);
	assert_value("(1 + 2) * 3", 9);
	assert_value("10 - 3 - 2", 5);
	assert_value("-2 * -3", 6);
	assert_value("1 + 1 == 2 && 3 > 2 || 0", 1);
	assert_value("0 ? 1 : 1 ? 2 : 3", 2);
	assert_value("!0 + 1", 2);
	assert_value(" 7 ", 7);
	assert_value("1.5e3", 1500);
}

static void division_rounds_as_python_s_does(void **state)
{
	(void)state;
	assert_value("7 // 2", 3);
	assert_value("-7 // 2", -4);
	assert_value("7 % 3", 1);
	assert_value("-7 % 3", 2);
	assert_value("7 / 2", 3.5);
}

static void names_lists_and_functions(void **state)
{
	(void)state;
	assert_value("px / 8", 64);
	assert_value("list[0] + list[len(list) - 1]", 40);
	assert_value("min(3, 1, 2) + max(px, 600)", 601);
	assert_value("ceil(1.2) + floor(-1.2) + sqrt(16)", 4);
}

static void the_side_that_is_not_taken_need_have_no_value(void **state)
{
	(void)state;
	assert_value("1 ? 5 : unheard", 5);
	assert_value("0 && 1 / 0", 0);
	assert_value("1 || list[99]", 1);
	assert_value("0 ? sqrt(unheard) : 3", 3);
	assert_refused("1 ? 5 : )", "missing");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_refused("", "a number or a name is missing");
	assert_refused("1 +", "a number or a name is missing");
	assert_refused("(1", "')' is missing");
	assert_refused("list[1", "']' is missing");
	assert_refused("1 ? 2", "':' is missing");
	assert_refused("1 2", "not understood");
	assert_refused("1 < 2 == 1", "not understood");
	assert_refused("unheard", "not known");
	assert_refused("unheard(1)", "no such function");
	assert_refused("list", "a list where a number");
	assert_refused("px[0]", "has no elements");
	assert_refused("list[3]", "no such element");
	assert_refused("list[-1]", "no such element");
	assert_refused("list[0.5]", "no such element");
	assert_refused("1 / 0", "division by zero");
	assert_refused("1 // (2 - 2)", "division by zero");
	assert_refused("sqrt(-1)", "negative");
	assert_refused("1e308 * 10", "too large");
	assert_refused("ceil(1, 2)", "one argument");
	assert_refused("px $ 2", "character 4");
}

static void depth_and_length_have_an_end(void **state)
{
	char text[4096];

	(void)state;
	memset(text, '(', 900);
	text[900] = '\0';
	assert_refused(text, "nested too deep");
	memset(text, '-', 900);
	assert_refused(text, "nested too deep");
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_they_do_in_c),
		cmocka_unit_test(division_rounds_as_python_s_does),
		cmocka_unit_test(names_lists_and_functions),
		cmocka_unit_test(the_side_that_is_not_taken_need_have_no_value),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(depth_and_length_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
