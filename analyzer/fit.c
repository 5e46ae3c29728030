/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

#include <math.h>

#include "student.h"

static const double confidence = 0.95;

/* Points of which some may be left out. */
struct points {
	const double *x, *y;
	size_t nr;
	double below; /* only those with less x */
};

static bool counts(const struct points *p, size_t i)
{
	return p->x[i] > 0 && p->y[i] > 0 && isfinite(p->y[i]) && p->x[i] < p->below;
}

static double largest_x(const struct points *p)
{
	double largest = 0;

	for (size_t i = 0; i < p->nr; i++)
		if (counts(p, i) && p->x[i] > largest)
			largest = p->x[i];
	return largest;
}

/* The mean of the logarithms of y at one x; NAN: there is no point. */
static double mean_log_at(const struct points *p, double x)
{
	double sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < p->nr; i++)
		if (counts(p, i) && p->x[i] == x) {
			sum += log(p->y[i]);
			nr++;
		}
	return nr ? sum / (double)nr : NAN;
}

static double slope_of_last_two(const struct points *p)
{
	const double last = largest_x(p);
	const struct points rest = { p->x, p->y, p->nr, last };
	const double before = largest_x(&rest);

	return (mean_log_at(p, last) - mean_log_at(p, before)) / log(last / before);
}

static void find_residuals(const struct points *p, double sum_xx, struct fit *f)
{
	double squares = 0;

	for (size_t i = 0; i < p->nr; i++) {
		double residual;

		if (!counts(p, i))
			continue;
		residual = log(p->y[i]) - f->constant - f->exponent * log(p->x[i]);
		squares += residual * residual;
		if (fabs(expm1(residual)) > f->worst)
			f->worst = fabs(expm1(residual));
	}
	f->half_width = f->nr > 2 ? student_quantile(confidence, (double)f->nr - 2) *
					    sqrt(squares / ((double)f->nr - 2) / sum_xx)
				  : INFINITY;
}

static void fit_points(const struct points *p, struct fit *ret)
{
	double mean_x = 0, mean_y = 0, sum_xx = 0, sum_xy = 0;
	size_t nr = 0;

	*ret = (struct fit){ .last_two = NAN };
	for (size_t i = 0; i < p->nr; i++)
		if (counts(p, i)) {
			mean_x += log(p->x[i]);
			mean_y += log(p->y[i]);
			nr++;
		}
	mean_x /= nr ? (double)nr : 1;
	mean_y /= nr ? (double)nr : 1;
	for (size_t i = 0; i < p->nr; i++)
		if (counts(p, i)) {
			sum_xx += (log(p->x[i]) - mean_x) * (log(p->x[i]) - mean_x);
			sum_xy += (log(p->x[i]) - mean_x) * (log(p->y[i]) - mean_y);
		}
	/* One value of x, up to rounding. */
	if (nr < 2 || sum_xx < 1e-18)
		return;
	ret->nr = nr;
	ret->exponent = sum_xy / sum_xx;
	ret->constant = mean_y - ret->exponent * mean_x;
	ret->last_two = slope_of_last_two(p);
	find_residuals(p, sum_xx, ret);
}

void fit_power(const double *x, const double *y, size_t nr, struct fit *ret)
{
	fit_points(&(struct points){ x, y, nr, INFINITY }, ret);
}

double fit_at(const struct fit *f, double x)
{
	return f->nr && x > 0 ? exp(f->constant + f->exponent * log(x)) : NAN;
}

double fit_crossing(const struct fit *a, const struct fit *b)
{
	const double x = exp((b->constant - a->constant) / (a->exponent - b->exponent));

	return a->nr && b->nr && isfinite(x) && x > 0 ? x : NAN;
}

void fit_predict_last(const double *x, const double *y, size_t nr, struct prediction *ret)
{
	const struct points all = { x, y, nr, INFINITY };
	const double last = largest_x(&all);
	struct fit fit;

	fit_points(&(struct points){ x, y, nr, last }, &fit);
	*ret = (struct prediction){ .x = 0 };
	if (fit.nr)
		*ret = (struct prediction){ .x = last,
					    .measured = exp(mean_log_at(&all, last)),
					    .predicted = fit_at(&fit, last) };
}
