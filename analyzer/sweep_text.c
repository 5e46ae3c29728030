/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "plot.h"
#include "sweep.h"

enum { LABEL = 10, NAME = 18, SHOWN_MAX = 4 };

/* Rows that nowhere take as much of the whole are not shown. */
static const double share_min = 0.01;
/* Curves that meet further from the points than that do not meet. */
static const double far = 100;

#define TIME(ns) (figure_time((uint64_t)((ns) > 0 ? (ns) + 0.5 : 0)).text)

static void label(const struct terminal *t, const char *text, FILE *out)
{
	fprintf(out, "%s%-*s%s", terminal_bold(t), LABEL, text, terminal_plain(t));
}

static const char *sign(const struct terminal *t)
{
	return t->unicode ? "\u00b1" : "+-";
}

/* --- on top ----------------------------------------------------------------------------------- */

static void warn(const struct terminal *t, const char *text, FILE *out)
{
	label(t, "Warning", out);
	fputs(terminal_warn(t), out);
	terminal_text(t, text, SIZE_MAX, false, out);
	fprintf(out, "%s\n", terminal_plain(t));
}

static void print_warnings(const struct sweep *s, const struct terminal *t, FILE *out)
{
	bool has_gpus = false, has_clocks = false;
	char text[256];

	for (size_t i = 0; i < s->nr; i++) {
		const struct sweep_point *p = &s->points[i];

		if (!p->is_complete && !p->is_host_time) {
			snprintf(text, sizeof(text), "%.200s is not complete (ttitrace check)",
				 p->path);
			warn(t, text, out);
		}
		if (!has_gpus && strcmp(p->gpu, s->points[0].gpu) != 0) {
			has_gpus = true;
			snprintf(text, sizeof(text), "not the same GPU everywhere: %s and %s",
				 s->points[0].gpu, p->gpu);
			warn(t, text, out);
		}
		if (!has_clocks && p->is_host_time) {
			has_clocks = true;
			snprintf(text, sizeof(text),
				 "%.120s has no GPU times: its are the host's in the launching "
				 "calls",
				 p->path);
			warn(t, text, out);
		}
	}
}

static void print_x(const struct sweep *s, const struct terminal *t, FILE *out)
{
	label(t, "x", out);
	terminal_text(t, s->x_name, 40, false, out);
	if (s->x_what)
		fprintf(out, ", found in the traces: %s\n",
			strchr(s->x_what, ':') ? strchr(s->x_what, ':') + 2 : s->x_what);
	else
		fputs(", as given\n", out);
	if (s->is_scaled) {
		label(t, "Scaled", out);
		fputs("phases that ran more or less often than in the first trace count as often "
		      "as "
		      "there (--as-is: once)\n",
		      out);
	}
}

/* --- the table -------------------------------------------------------------------------------- */

/* Which points have columns of their own: all, or the outer ones. */
static size_t shown_points(const struct sweep_series *s, size_t ret[SHOWN_MAX])
{
	const size_t nr = s->nr < SHOWN_MAX ? s->nr : SHOWN_MAX;

	for (size_t i = 0; i < nr; i++)
		ret[i] = nr == s->nr ? i : i * (s->nr - 1) / (nr - 1);
	return nr;
}

static bool is_shown(const struct sweep_series *s, size_t row)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->points[i]->time_ns[row] > 0 &&
		    s->points[i]->time_ns[row] >= share_min * s->points[i]->time_ns[SWEEP_all])
			return true;
	return false;
}

static void print_number(double value, const char *format, int width, FILE *out)
{
	char text[32] = "-";

	if (isfinite(value))
		snprintf(text, sizeof(text), format, value);
	fprintf(out, " %*s", width, text);
}

static void print_exponent(const struct fit *f, const struct terminal *t, FILE *out)
{
	char width[16] = "";

	if (!f->nr) {
		fprintf(out, " %6s %6s", "-", "");
		return;
	}
	if (isfinite(f->half_width))
		snprintf(width, sizeof(width), "%s%.2f", sign(t), f->half_width);
	fprintf(out, " %6.2f ", f->exponent);
	terminal_text(t, width, 6, true, out);
}

static double prediction_error(const struct prediction *p)
{
	return p->x > 0 ? p->predicted / p->measured - 1 : NAN;
}

static void print_row(const struct sweep_series *s, size_t row, const size_t *shown, size_t nr,
		      const struct terminal *t, FILE *out)
{
	const struct fit *time = &s->time[row], *flops = &s->flops[row];
	char name[48];

	sweep_row_name(row, name);
	if (row >= SWEEP_roles)
		fprintf(out, "  %-*s", NAME - 2, strchr(name, '/') + 1);
	else
		fprintf(out, "%-*s", NAME, name);
	for (size_t i = 0; i < nr; i++)
		fprintf(out, " %10s", TIME(s->points[shown[i]]->time_ns[row]));
	print_exponent(time, t, out);
	print_number(time->nr ? time->last_two : NAN, "%.2f", 6, out);
	print_number(time->nr > 2 ? 100 * time->worst : NAN, "%.1f%%", 6, out);
	print_number(100 * prediction_error(&s->last[row]), "%+.1f%%", 8, out);
	print_number(flops->nr ? flops->exponent : NAN, "%.2f", 6, out);
	fputc('\n', out);
}

static void print_heading(const struct sweep *s, const struct sweep_series *series,
			  const size_t *shown, size_t nr, const struct terminal *t, FILE *out)
{
	fprintf(out, "\n%s", terminal_bold(t));
	terminal_text(t, series->name ? series->name : s->x_name, NAME, true, out);
	for (size_t i = 0; i < nr; i++) {
		char x[24];

		snprintf(x, sizeof(x), "%.6g", series->points[shown[i]]->x);
		fprintf(out, " %10s", x);
	}
	fprintf(out, " %6s %-6s %6s %6s %8s %6s%s\n", "time^", "95%", "last 2", "worst", "left out",
		"FLOP^", terminal_plain(t));
}

static void print_series(const struct sweep *s, const struct sweep_series *series,
			 const struct terminal *t, FILE *out)
{
	size_t shown[SHOWN_MAX];
	const size_t nr = shown_points(series, shown);

	print_heading(s, series, shown, nr, t, out);
	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		if (!is_shown(series, SWEEP_operators + op))
			continue;
		print_row(series, SWEEP_operators + op, shown, nr, t, out);
		for (enum role r = 0; op == OPERATOR_attention && r < NR_ROLES; r++)
			if (is_shown(series, SWEEP_roles + r))
				print_row(series, SWEEP_roles + r, shown, nr, t, out);
	}
	print_row(series, SWEEP_all, shown, nr, t, out);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void print_name(size_t row, bool is_first, FILE *out)
{
	char name[48];

	sweep_row_name(row, name);
	if (row == SWEEP_roles + ROLE_self)
		snprintf(name, sizeof(name), "spatial attention");
	else if (row >= SWEEP_roles) {
		char role[48];

		snprintf(role, sizeof(role), "%.30s attention", strchr(name, '/') + 1);
		memcpy(name, role, sizeof(name));
	}
	if (is_first)
		name[0] = (char)toupper(name[0]);
	fputs(name, out);
}

static void print_crossing(const struct sweep *s, const struct sweep_series *series,
			   const struct sweep_pair *p, FILE *out)
{
	const struct sweep_point *first = series->points[0], *last = series->points[series->nr - 1];
	const double x = p->crossing;

	if (isnan(x) || x < first->x / far || x > last->x * far) {
		fputs("; the curves do not meet anywhere near\n", out);
		return;
	}
	fprintf(out, "; the curves meet at ");
	fprintf(out, "%s %.4g%s\n", s->x_name, x,
		p->is_within ? "" : " (outside of what was measured)");
}

static void print_pair(const struct sweep *s, const struct sweep_series *series,
		       const struct sweep_pair *p, const struct terminal *t, FILE *out)
{
	if (series->name) {
		terminal_text(t, series->name, 40, false, out);
		fputs(": ", out);
	}
	print_name(p->a, !series->name, out);
	fprintf(out, "'s %s as %s^%.2f, ", p->is_flops ? "FLOPs grow" : "time grows", s->x_name,
		p->fit_a->exponent);
	print_name(p->b, false, out);
	fprintf(out, "'s as ^%.2f%s", p->fit_b->exponent,
		p->is_told                        ? ""
		: !isfinite(p->fit_a->half_width) ? " (two points)"
						  : " (within the intervals)");
	print_crossing(s, series, p, out);
}

static void print_pairs(const struct sweep *s, const struct terminal *t, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < s->nr_series; i++) {
		struct sweep_pair pairs[SWEEP_PAIRS_MAX];
		const size_t nr = sweep_pairs(&s->series[i], pairs);

		for (size_t k = 0; k < nr; k++) {
			if (!any)
				fputc('\n', out);
			any = true;
			print_pair(s, &s->series[i], &pairs[k], t, out);
		}
	}
}

/* --- the plot --------------------------------------------------------------------------------- */

static const struct {
	size_t row;
	char mark;
	bool has_curve;
} drawn[] = {
	{ SWEEP_all, '*', false },
	{ SWEEP_operators + OPERATOR_convolution, 'C', true },
	{ SWEEP_operators + OPERATOR_attention, 'A', true },
	{ SWEEP_roles + ROLE_temporal, 'T', false },
};
enum { NR_DRAWN = sizeof(drawn) / sizeof(*drawn) };

/* One range for all series, so that they can be compared by eye. */
static void draw(const struct sweep *s, const struct sweep_series *series, struct plot *plot)
{
	plot_init(plot);
	for (size_t k = 0; k < NR_DRAWN; k++)
		for (size_t i = 0; i < s->nr; i++)
			plot_see(plot, s->points[i].x, s->points[i].time_ns[drawn[k].row]);
	for (size_t k = 0; k < NR_DRAWN; k++) {
		const struct fit *f = &series->time[drawn[k].row];

		if (drawn[k].has_curve && f->nr)
			plot_curve(plot, f->constant, f->exponent);
	}
	for (size_t k = 0; k < NR_DRAWN; k++)
		for (size_t i = 0; i < series->nr; i++)
			plot_point(plot, series->points[i]->x,
				   series->points[i]->time_ns[drawn[k].row], drawn[k].mark);
}

static void print_plot(const struct sweep *s, const struct sweep_series *series,
		       const struct terminal *t, FILE *out)
{
	struct plot plot;

	draw(s, series, &plot);
	fprintf(out, "\n%s", terminal_bold(t));
	if (series->name) {
		terminal_text(t, series->name, 40, false, out);
		fputs(": ", out);
	}
	fprintf(out, "time, both axes logarithmic: * all");
	for (size_t k = 1; k < NR_DRAWN; k++) {
		if (!series->time[drawn[k].row].nr)
			continue;
		fprintf(out, ", %c ", drawn[k].mark);
		print_name(drawn[k].row, false, out);
	}
	fprintf(out, "%s\n", terminal_plain(t));
	plot_print(&plot, s->x_name, t, out);
}

void sweep_text(const struct sweep *s, const struct terminal *t, FILE *out)
{
	print_x(s, t, out);
	print_warnings(s, t, out);
	for (size_t i = 0; i < s->nr_series; i++)
		print_series(s, &s->series[i], t, out);
	print_pairs(s, t, out);
	for (size_t i = 0; i < s->nr_series; i++)
		print_plot(s, &s->series[i], t, out);
	fputs("\ntime^, FLOP^: k of y = c x^k, by least squares in the logarithms, with its 95% "
	      "interval;\nlast 2: k between the two largest; worst: the point furthest from the "
	      "curve;\nleft out: how far the curve through the others misses the largest x\n",
	      out);
}
