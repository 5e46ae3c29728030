/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "figures.h"
#include "forward_output.h"

enum { NAME = 34 };

static void heading(const struct terminal *t, const char *name, FILE *out)
{
	fprintf(out, "\n%s%-*s %9s %9s %13s %13s %9s %10s %10s %7s%s\n", terminal_bold(t), NAME,
		name, "calls", "measured", "GFLOP", "measured", "differ", "at best", "measured",
		"of best", terminal_plain(t));
}

static void print_difference(const struct agreement_row *row, FILE *out)
{
	const double d = agreement_difference(row);
	char text[32];

	if (d == 0)
		fprintf(out, " %9s", "0");
	else if (isinf(d))
		fprintf(out, " %9s", "alone");
	else {
		snprintf(text, sizeof(text), fabs(d) < 1e-4 ? "%+.1e%%" : "%+.2f%%", 100 * d);
		fprintf(out, " %9s", text);
	}
}

static void print_row(const struct agreement *g, const struct agreement_row *row, const char *name,
		      const struct terminal *t, FILE *out)
{
	const struct agreement_side *p = &row->sides[AGREEMENT_predicted];
	const struct agreement_side *m = &row->sides[AGREEMENT_measured];
	const bool is_near = agreement_is_near(g, row);

	if (!is_near)
		fputs(terminal_warn(t), out);
	terminal_text(t, name, NAME, true, out);
	fprintf(out, " %9.0f %9.0f %13.3f %13.3f", p->calls, m->calls, 1e-9 * p->flops,
		1e-9 * m->flops);
	print_difference(row, out);
	if (row->best_s > 0)
		fprintf(out, " %10s", figure_time((uint64_t)(1e9 * row->best_s + 0.5)).text);
	else
		fprintf(out, " %10s", "-");
	fprintf(out, " %10s", figure_time((uint64_t)row->time_ns).text);
	if (row->best_s > 0 && row->time_ns > 0)
		fprintf(out, " %6.1f%%", 100 * 1e9 * row->best_s / row->time_ns);
	else
		fprintf(out, " %7s", "-");
	fprintf(out, "%s\n", is_near ? "" : terminal_plain(t));
}

static void print_operators(const struct agreement *g, const struct terminal *t, FILE *out)
{
	char name[96];

	heading(t, "phase and operator", out);
	for (size_t i = 0; i < g->nr_rows; i++) {
		snprintf(name, sizeof(name), "%.60s: %s", g->rows[i].phase,
			 operator_name(g->rows[i].op));
		print_row(g, &g->rows[i], name, t, out);
	}
	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		if (!g->totals[op].phase)
			continue;
		snprintf(name, sizeof(name), "all: %s", operator_name(op));
		print_row(g, &g->totals[op], name, t, out);
	}
}

static void print_levels(const struct agreement *g, const struct terminal *t, FILE *out)
{
	char name[96];

	if (!g->nr_levels)
		return;
	heading(t, "attention, by queries", out);
	for (size_t i = 0; i < g->nr_levels; i++) {
		const struct agreement_row *row = &g->levels[i];

		snprintf(name, sizeof(name), "%.40s: %" PRIu64 " %s", row->phase, row->s_q,
			 row->is_self ? "to as many" : "to others");
		print_row(g, row, name, t, out);
	}
}

static void print_order(const struct agreement *g, FILE *out)
{
	const struct agreement_order *o = &g->order;
	const struct forward_length *p = &o->lengths[AGREEMENT_predicted];
	const struct forward_length *m = &o->lengths[AGREEMENT_measured];

	fputc('\n', out);
	if (!o->is_compared) {
		fputs("Lengths   not compared one by one: there are too many\n", out);
	} else if (o->is_equal) {
		fprintf(out,
			"Lengths   all %" PRIu64 " attentions have the lengths predicted, in "
			"that order\n",
			o->nr[AGREEMENT_measured]);
	} else {
		fprintf(out,
			"Lengths   %" PRIu64 " attentions predicted, %" PRIu64
			" measured; number %" PRIu64 " is the first that differs: %" PRIu64
			" queries to %" PRIu64 " keys predicted, %" PRIu64 " to %" PRIu64
			" measured\n",
			o->nr[AGREEMENT_predicted], o->nr[AGREEMENT_measured], o->first + 1, p->s_q,
			p->s_k, m->s_q, m->s_k);
	}
}

static void print_verdict(const struct agreement *g, const struct terminal *t, FILE *out)
{
	size_t nr = 0;

	for (size_t i = 0; i < g->nr_rows; i++)
		nr += !agreement_is_near(g, &g->rows[i]);
	if (!nr)
		fprintf(out,
			"FLOPs     within %g%% of what was measured, for every operator in every "
			"phase\n",
			100 * g->tolerance);
	else
		fprintf(out, "FLOPs     %sdiffer by more than %g%% in %zu of %zu rows%s\n",
			terminal_warn(t), 100 * g->tolerance, nr, g->nr_rows, terminal_plain(t));
}

void agreement_text(const struct agreement *g, const char *trace, const struct terminal *t,
		    FILE *out)
{
	fprintf(out, "%sAgainst%s   ", terminal_bold(t), terminal_plain(t));
	terminal_text(t, trace, SIZE_MAX, false, out);
	fputc('\n', out);
	print_operators(g, t, out);
	print_levels(g, t, out);
	print_order(g, out);
	print_verdict(g, t, out);
}
