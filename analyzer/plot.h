/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h - points and curves on a grid of characters, both axes logarithmic. */
#ifndef ANALYZER_PLOT_H
#define ANALYZER_PLOT_H

#include "terminal.h"

enum { PLOT_COLUMNS = 64, PLOT_ROWS = 16 };

struct plot {
	double x[2], y[2]; /* least and most; above 0 */
	char cells[PLOT_ROWS][PLOT_COLUMNS];
	bool has_curve[PLOT_ROWS][PLOT_COLUMNS];
};

/* 0 of them are left out: empty as long as nothing is seen. */
void plot_init(struct plot *p);
void plot_see(struct plot *p, double x, double y); /* widens the axes, before anything is drawn */

void plot_point(struct plot *p, double x, double y, char mark);

/* y = exp(constant) x^exponent */
void plot_curve(struct plot *p, double constant, double exponent);

/* With the axes; y in ns. */
void plot_print(const struct plot *p, const char *x_name, const struct terminal *t, FILE *out);

#endif
