/* SPDX-License-Identifier: Apache-2.0 */
#include "plot.h"

#include <math.h>
#include <string.h>

#include "figures.h"

void plot_init(struct plot *p)
{
	*p = (struct plot){ .x = { INFINITY, 0 }, .y = { INFINITY, 0 } };
	memset(p->cells, ' ', sizeof(p->cells));
}

static void widen(double range[2], double value)
{
	range[0] = value < range[0] ? value : range[0];
	range[1] = value > range[1] ? value : range[1];
}

void plot_see(struct plot *p, double x, double y)
{
	if (!(x > 0) || !(y > 0))
		return;
	widen(p->x, x);
	widen(p->y, y);
}

/* Which of `cells`, from the least on; negative: outside. */
static int cell_of(const double range[2], double value, int cells)
{
	const double share =
		range[1] > range[0] ? log(value / range[0]) / log(range[1] / range[0]) : 0;

	if (!(share >= -1e-9) || share > 1 + 1e-9)
		return -1;
	return (int)(share * (cells - 1) + 0.5);
}

void plot_point(struct plot *p, double x, double y, char mark)
{
	const int column = cell_of(p->x, x, PLOT_COLUMNS), row = cell_of(p->y, y, PLOT_ROWS);

	if (x > 0 && y > 0 && column >= 0 && row >= 0)
		p->cells[row][column] = mark;
}

void plot_curve(struct plot *p, double constant, double exponent)
{
	for (int column = 0; column < PLOT_COLUMNS; column++) {
		const double share = (double)column / (PLOT_COLUMNS - 1);
		const double x = p->x[0] * pow(p->x[1] / p->x[0], share);
		const int row = cell_of(p->y, exp(constant + exponent * log(x)), PLOT_ROWS);

		if (row >= 0)
			p->has_curve[row][column] = true;
	}
}

void plot_print(const struct plot *p, const char *x_name, const struct terminal *t, FILE *out)
{
	char left[32], right[32];

	if (!(p->x[1] > 0))
		return;
	for (int row = PLOT_ROWS - 1; row >= 0; row--) {
		const double share = (double)row / (PLOT_ROWS - 1);
		const double y = p->y[0] * pow(p->y[1] / p->y[0], share);

		if (row % 5 == 0)
			fprintf(out, "%10s %s", figure_time((uint64_t)y).text,
				t->unicode ? "\u2524" : "+");
		else
			fprintf(out, "%10s %s", "", t->unicode ? "\u2502" : "|");
		for (int column = 0; column < PLOT_COLUMNS; column++) {
			if (p->cells[row][column] != ' ')
				fputc(p->cells[row][column], out);
			else
				fputs(!p->has_curve[row][column] ? " "
				      : t->unicode               ? "\u00b7"
								 : ".",
				      out);
		}
		fputc('\n', out);
	}
	snprintf(left, sizeof(left), "%.6g", p->x[0]);
	snprintf(right, sizeof(right), "%.6g", p->x[1]);
	fprintf(out, "%12s%-*s%s  ", "", PLOT_COLUMNS - (int)strlen(right), left, right);
	terminal_text(t, x_name, 32, false, out);
	fputc('\n', out);
}
