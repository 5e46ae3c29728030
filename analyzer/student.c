/* SPDX-License-Identifier: Apache-2.0 */
#include "student.h"

#include <math.h>

enum { TERMS_MAX = 300, HALVINGS = 200 };

/* Lentz's way through a continued fraction divides by what may come to nothing. */
static double away_from_zero(double x)
{
	return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* The continued fraction of the incomplete beta function; converges fast below (a+1)/(a+b+2). */
static double beta_fraction(double x, double a, double b)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), value = d;

	for (int m = 1; m < TERMS_MAX; m++) {
		const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		value *= d * c;
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		step = d * c;
		value *= step;
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return value;
}

/* The regularised incomplete beta function. */
static double beta(double x, double a, double b)
{
	const double front =
		exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double student_within(double t, double freedom)
{
	/* The side of x and 1 - x that keeps its digits. */
	const double x = t * t / (freedom + t * t);

	return x <= 0 ? 0 : x >= 1 ? 1 : beta(x, 0.5, freedom / 2);
}

double student_quantile(double confidence, double freedom)
{
	double low = 0, high = 1;

	if (!(freedom > 0))
		return INFINITY;
	while (student_within(high, freedom) < confidence && high < 1e12)
		high *= 2;
	for (int i = 0; i < HALVINGS && high - low > 1e-13 * high; i++) {
		const double middle = (low + high) / 2;

		if (student_within(middle, freedom) < confidence)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}
