/* SPDX-License-Identifier: Apache-2.0 */
/* y = c x^k: what was put in comes out, and what is not there is not invented. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/fit.h"

static void assert_near(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance))
		fail_msg("%.12g is not %.12g", a, b);
}

static void a_power_is_found_exactly(void **state)
{
	static const double x[] = { 256, 512, 768, 1024, 2048 };
	double y[5];
	struct fit f;

	(void)state;
	for (double k = -2; k <= 4; k += 0.5) {
		for (int i = 0; i < 5; i++)
			y[i] = 3e-5 * pow(x[i], k);
		fit_power(x, y, 5, &f);
		assert_int_equal(f.nr, 5);
		assert_near(f.exponent, k, 1e-12);
		assert_near(exp(f.constant), 3e-5, 1e-15);
		assert_near(f.half_width, 0, 1e-6);
		assert_near(f.worst, 0, 1e-9);
		assert_near(f.last_two, k, 1e-12);
		assert_near(fit_at(&f, 4096), 3e-5 * pow(4096, k), 1e-9 * pow(4096, k));
	}
}

/* ln y = 0, 1, 0, 1 + 2 ln x at ln x = 0, 1, 2, 3: slope 2.2, residuals -.2 .6 -.6 .2 */
static void an_interval_follows_the_residuals(void **state)
{
	const double e = M_E, x[] = { 1, e, e * e, e * e * e };
	const double y[] = { 1, exp(3), exp(4), exp(7) };
	struct fit f;

	(void)state;
	fit_power(x, y, 4, &f);
	assert_near(f.exponent, 2.2, 1e-12);
	assert_near(f.constant, 0.2, 1e-12);
	assert_near(f.half_width, 4.302653 * sqrt(0.8 / 2 / 5), 1e-5);
	assert_near(f.worst, expm1(0.6), 1e-12);
	assert_near(f.last_two, 3, 1e-12);
}

static void zeros_and_nonsense_are_left_out(void **state)
{
	const double x[] = { 1, 2, 0, -4, 4, 8, 16 };
	const double y[] = { 5, 10, 7, 7, 20, 0, NAN };
	struct fit f;

	(void)state;
	fit_power(x, y, 7, &f);
	assert_int_equal(f.nr, 3);
	assert_near(f.exponent, 1, 1e-12);
	assert_near(f.last_two, 1, 1e-12);
}

static void too_few_points_are_no_curve(void **state)
{
	const double x[] = { 2, 2, 2 }, y[] = { 1, 2, 3 };
	struct prediction p;
	struct fit f;

	(void)state;
	for (size_t nr = 0; nr <= 3; nr++) {
		fit_power(x, y, nr, &f);
		assert_int_equal(f.nr, 0);
		assert_true(isnan(fit_at(&f, 2)));
		fit_predict_last(x, y, nr, &p);
		assert_true(p.x == 0);
	}
	fit_power((const double[]){ 1, 2 }, (const double[]){ 1, 2 }, 2, &f);
	assert_true(f.nr == 2 && isinf(f.half_width));
}

static void curves_meet_once_or_never(void **state)
{
	const double x[] = { 1, 10, 100 }, linear[] = { 100, 1000, 10000 },
		     square[] = { 2, 200, 20000 };
	struct fit a, b, none = { .nr = 0 };

	(void)state;
	fit_power(x, linear, 3, &a);
	fit_power(x, square, 3, &b);
	assert_near(fit_crossing(&a, &b), 50, 1e-9);
	assert_near(fit_crossing(&b, &a), 50, 1e-9);
	assert_true(isnan(fit_crossing(&a, &a)));
	assert_true(isnan(fit_crossing(&a, &none)));
}

/* The last one is off by a fifth; the others, in any order, say where it should be. */
static void the_largest_is_predicted_by_the_others(void **state)
{
	const double x[] = { 40, 10, 20, 40 }, y[] = { 1600 * 1.25, 100, 400, 1600 * 1.25 };
	struct prediction p;

	(void)state;
	fit_predict_last(x, y, 4, &p);
	assert_near(p.x, 40, 0);
	assert_near(p.measured, 2000, 1e-9);
	assert_near(p.predicted, 1600, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_is_found_exactly),
		cmocka_unit_test(an_interval_follows_the_residuals),
		cmocka_unit_test(zeros_and_nonsense_are_left_out),
		cmocka_unit_test(too_few_points_are_no_curve),
		cmocka_unit_test(curves_meet_once_or_never),
		cmocka_unit_test(the_largest_is_predicted_by_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
