/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit.h - y = c x^k through measured points: least squares in the logarithms, where the same share
 * too much weighs the same everywhere.
 */
#ifndef ANALYZER_FIT_H
#define ANALYZER_FIT_H

#include <stdbool.h>
#include <stddef.h>

struct fit {
	size_t nr;         /* points, of those above 0; 0: no fit, they have not two values of x */
	double exponent;   /* k */
	double constant;   /* log c */
	double half_width; /* of the 95% interval of k; infinite with two points */
	double worst;      /* largest residual as a share: 0.1 is a tenth off the curve */
	double last_two;   /* the exponent between the two largest x; NAN: y is not known there */
};

/* Points in any order. */
void fit_power(const double *x, const double *y, size_t nr, struct fit *ret);

double fit_at(const struct fit *f, double x); /* NAN: no fit */

/* Where both curves have one value; NAN: they never do, or there is no fit. */
double fit_crossing(const struct fit *a, const struct fit *b);

/* How well the points below the largest x say what is there. */
struct prediction {
	double x, measured, predicted; /* x 0: there are too few points */
};

void fit_predict_last(const double *x, const double *y, size_t nr, struct prediction *ret);

#endif
