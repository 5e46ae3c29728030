/* SPDX-License-Identifier: Apache-2.0 */
/* Student's t against printed tables and against closed forms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/student.h"

static void assert_near(double a, double b, double share)
{
	if (!(fabs(a - b) <= share * fabs(b)))
		fail_msg("%.12g is not %.12g", a, b);
}

static void quantiles_are_those_of_the_tables(void **state)
{
	static const struct {
		double freedom, t95, t99;
	} rows[] = {
		{ 1, 12.7062, 63.6567 },    { 2, 4.302653, 9.924843 },   { 3, 3.182446, 5.840909 },
		{ 4, 2.776445, 4.604095 },  { 5, 2.570582, 4.032143 },   { 10, 2.228139, 3.169273 },
		{ 30, 2.042272, 2.749996 }, { 120, 1.979930, 2.617421 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_near(student_quantile(0.95, rows[i].freedom), rows[i].t95, 1e-6);
		assert_near(student_quantile(0.99, rows[i].freedom), rows[i].t99, 1e-6);
	}
}

static void one_and_two_degrees_have_closed_forms(void **state)
{
	(void)state;
	for (double t = 0.01; t < 1e4; t *= 3) {
		assert_near(student_within(t, 1), 2 / M_PI * atan(t), 1e-10);
		assert_near(student_within(t, 2), t / sqrt(2 + t * t), 1e-10);
	}
}

static void many_degrees_are_the_normal_distribution(void **state)
{
	(void)state;
	assert_near(student_quantile(0.95, 1e7), 1.959964, 1e-5);
	assert_near(student_within(1, 1e7), erf(1 / sqrt(2)), 1e-6);
}

static void degrees_need_not_be_whole(void **state)
{
	(void)state;
	assert_true(student_quantile(0.95, 2.5) < student_quantile(0.95, 2));
	assert_true(student_quantile(0.95, 2.5) > student_quantile(0.95, 3));
	for (double freedom = 0.3; freedom < 1e6; freedom *= 7)
		assert_near(student_within(student_quantile(0.95, freedom), freedom), 0.95, 1e-9);
}

static void without_a_degree_nothing_is_sure(void **state)
{
	(void)state;
	assert_true(isinf(student_quantile(0.95, 0)));
	assert_true(isinf(student_quantile(0.95, -1)));
	assert_true(isinf(student_quantile(0.95, NAN)));
	assert_near(student_within(0, 3) + 1, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_the_tables),
		cmocka_unit_test(one_and_two_degrees_have_closed_forms),
		cmocka_unit_test(many_degrees_are_the_normal_distribution),
		cmocka_unit_test(degrees_need_not_be_whole),
		cmocka_unit_test(without_a_degree_nothing_is_sure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
