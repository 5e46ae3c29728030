/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "figures.h"
#include "report.h"
#include "short_name.h"

#define TIME(ns)   (figure_time((uint64_t)((ns) > 0 ? (ns) + 0.5 : 0)).text)
#define COUNT(n)   (figure_count((uint64_t)((n) > 0 ? (n) + 0.5 : 0)).text)
#define SHARE(s)   (figure_share(s).text)
#define SPEED(row) (speed_text(row).text)

enum { LABEL = 10, NAME = 22, NAMED_MAX = 4 };

/* What changes by less than that is called unchanged, noise or not. */
static const double unchanged = 0.01;
/* In words, only what is of some weight in A: changes, and things that stay. */
static const double worth_telling = 0.02, worth_knowing = 0.1;

static void label(const struct terminal *t, const char *text, FILE *out)
{
	fprintf(out, "%s%-*s%s", terminal_bold(t), LABEL, text, terminal_plain(t));
}

/* --- figures ---------------------------------------------------------------------------------- */

static struct figure change_text(const struct comparison_row *row)
{
	const double change = comparison_change_ns(row);
	struct figure f;

	f = figure_time((uint64_t)(fabs(change) + 0.5));
	if (fabs(change) >= 0.5) {
		memmove(f.text + 1, f.text, sizeof(f.text) - 1);
		f.text[0] = change < 0 ? '-' : '+';
		f.text[sizeof(f.text) - 1] = '\0';
	}
	return f;
}

static bool is_unchanged(const struct comparison_row *row)
{
	return comparison_is_noise(row) || fabs(comparison_gain(row) - 1) < unchanged;
}

/* "1.83x", "gone", "new" */
static struct figure speed_text(const struct comparison_row *row)
{
	const double gain = comparison_gain(row);
	struct figure f = { "-" };

	if (isfinite(gain))
		snprintf(f.text, sizeof(f.text), gain < 999.5 ? "%.2fx" : "%.0fx", gain);
	else if (row->sides[0].sums.launches > 0 && row->sides[1].sums.launches <= 0)
		snprintf(f.text, sizeof(f.text), "gone");
	else if (row->sides[1].sums.launches > 0 && row->sides[0].sums.launches <= 0)
		snprintf(f.text, sizeof(f.text), "new");
	return f;
}

static bool is_empty(const struct comparison_row *row)
{
	return row->sides[0].sums.launches <= 0 && row->sides[1].sums.launches <= 0;
}

/* --- the two runs ----------------------------------------------------------------------------- */

static void print_run(const struct diff *d, int side, const struct terminal *t, FILE *out)
{
	const struct run *run = &d->sides[side]->run;
	const struct model *m = &run->traces[0]->model;
	const struct run_gpu *gpu = &d->gpu[side];
	char *command = report_command(run->traces[0]);

	label(t, side ? "B" : "A", out);
	terminal_text(t, command && *command ? command : "(command not recorded)",
		      t->columns - LABEL, false, out);
	free(command);
	fprintf(out, "\n%*s", LABEL, "");
	terminal_text(t, m->host && m->host->size ? m->host->text : "host not recorded", 60, false,
		      out);
	if (run->nr > 1)
		fprintf(out, ", %zu processes", run->nr);
	else
		fprintf(out, ", pid %" PRIu64, m->process.pid);
	if (m->devices.nr && m->device_names.rows[0]) {
		fputs(", ", out);
		terminal_text(t, m->device_names.rows[0]->text, 60, false, out);
	}
	fprintf(out, ", %s", TIME((double)run_wall_ns(run)));
	if (d->coverage[side].has_device_rows)
		fprintf(out, "; GPU busy %s of %s (%s)", TIME((double)gpu->busy_ns),
			TIME((double)gpu->span_ns),
			SHARE(gpu->span_ns ? (double)gpu->busy_ns / (double)gpu->span_ns : 0));
	fputc('\n', out);
}

static void print_scaling(const struct diff *d, const struct terminal *t, FILE *out)
{
	const char *what = "Scaled";

	for (size_t i = 0; i < d->nr_phases; i++) {
		const struct comparison_group *g = d->phases[i].group;

		if (g->weight == 1)
			continue;
		label(t, what, out);
		fprintf(out, "%" PRIu64 " x ", g->counts[0]);
		terminal_text(t, g->name->text, 40, false, out);
		fprintf(out,
			" in A, %" PRIu64 " in B: each of B's counts %.4g times (--as-is: once)\n",
			g->counts[1], g->weight);
		what = "";
	}
}

static void print_warnings(const struct diff *d, const struct terminal *t, FILE *out)
{
	struct diff_warnings w;

	diff_warn(d, &w);
	for (size_t i = 0; i < w.nr; i++) {
		label(t, i ? "" : "Warning", out);
		fputs(terminal_warn(t), out);
		terminal_text(t, w.lines[i], SIZE_MAX, false, out);
		fprintf(out, "%s\n", terminal_plain(t));
	}
}

/* --- in words --------------------------------------------------------------------------------- */

/* Busy as the GPU was, where all of both runs is compared; else sums. */
static void whole(const struct diff *d, const char **ret_what, double ret_ns[2])
{
	const struct comparison_row *all = &d->tables[DIFF_operators].rows[0];
	const bool is_busy = !d->tables[DIFF_operators].is_scaled && !d->is_cut &&
			     !d->sides[0]->profile.is_host_time;

	*ret_what = is_busy                              ? "GPU busy"
		    : !d->sides[0]->profile.is_host_time ? "GPU time"
							 : "host time in launches";
	for (int side = 0; side < 2; side++)
		ret_ns[side] =
			is_busy ? (double)d->gpu[side].busy_ns : all->sides[side].sums.time_ns;
}

static void print_changed(const struct diff *d, FILE *out)
{
	const struct comparison *c = &d->tables[DIFF_operators];
	const struct comparison_row *attention = diff_operator(d, OPERATOR_attention);
	const double all_ns = c->rows[0].sides[0].sums.time_ns;
	size_t nr = 0;

	for (uint32_t i = c->rows[0].first_child; i && nr < NAMED_MAX; i = c->rows[i].next) {
		const struct comparison_row *row = &c->rows[i];
		const double gain = comparison_gain(row);

		if (is_unchanged(row) ||
		    (row != attention && fabs(comparison_change_ns(row)) < worth_telling * all_ns))
			continue;
		fprintf(out, "%s%s ", nr++ ? ", " : "; ", row->shown->text);
		if (!isfinite(gain))
			fputs(SPEED(row), out);
		else if (gain >= 1)
			fprintf(out, "%.2fx faster", gain);
		else
			fprintf(out, "%.2fx slower", 1 / gain);
	}
	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next)
		if (is_unchanged(&c->rows[i]) &&
		    c->rows[i].sides[0].sums.time_ns >= worth_knowing * all_ns)
			fprintf(out, "%s%s unchanged", nr++ ? ", " : "; ", c->rows[i].shown->text);
	fputc('\n', out);
}

static void print_headline(const struct diff *d, const struct terminal *t, FILE *out)
{
	const struct comparison_row *all = &d->tables[DIFF_operators].rows[0];
	const char *what;
	double ns[2];

	whole(d, &what, ns);
	fprintf(out, "\n%s", terminal_bold(t));
	if (!(ns[0] > 0) || !(ns[1] > 0))
		fprintf(out, "Nothing to compare%s: ", terminal_plain(t));
	else if (fabs(ns[0] / ns[1] - 1) < unchanged)
		fprintf(out, "B is as fast as A%s: ", terminal_plain(t));
	else
		fprintf(out, "B is %.2fx %s%s%s: ", ns[0] >= ns[1] ? ns[0] / ns[1] : ns[1] / ns[0],
			ns[0] >= ns[1] ? "faster" : "slower",
			comparison_is_noise(all) ? ", which is within the noise" : "",
			terminal_plain(t));
	fprintf(out, "%s %s -> ", what, TIME(ns[0]));
	fputs(TIME(ns[1]), out);
	print_changed(d, out);
}

static void print_amdahl(const struct diff *d, FILE *out)
{
	const double rest = d->gain / d->attention_expected;

	if (!isfinite(rest))
		return;
	fprintf(out,
		"Attention was %s of A and is %.2fx as fast: alone that makes %.2fx, measured "
		"%.2fx",
		SHARE(d->attention_share), d->attention_gain, d->attention_expected, d->gain);
	if (fabs(rest - 1) < unchanged)
		fputs("; it explains the whole\n", out);
	else
		fprintf(out, "; the rest made it %.2fx %s\n", rest >= 1 ? rest : 1 / rest,
			rest >= 1 ? "faster" : "slower");
}

static bool is_launch_bound(const struct diff_wall *w)
{
	return w->is_known && w->busy_ns < 0.5 * w->span_ns;
}

static void print_bound(const struct diff *d, FILE *out)
{
	for (size_t i = 0; i < d->nr_phases; i++) {
		const struct diff_phase *p = &d->phases[i];

		if (!phase_kind_is_step(p->group->kind) || !is_launch_bound(&p->walls[0]) ||
		    !is_launch_bound(&p->walls[1]))
			continue;
		fprintf(out, "In a %s the GPU idles %s of the time in A, %s", p->group->name->text,
			SHARE(1 - p->walls[0].busy_ns / p->walls[0].span_ns),
			SHARE(1 - p->walls[1].busy_ns / p->walls[1].span_ns));
		fputs(" in B: bound by launches, a gain on the GPU is hardly seen by the clock\n",
		      out);
		return;
	}
}

/* --- bars ------------------------------------------------------------------------------------- */

/* Cells by operator, in the order of the paper's figures; rounding never adds up. */
static void print_bar(const struct diff *d, int side, double longest_ns, size_t cells, FILE *out)
{
	double sum_ns = 0;
	size_t at = 0;

	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		const struct comparison_row *row = diff_operator(d, op);

		if (!row)
			continue;
		sum_ns += row->sides[side].sums.time_ns;
		for (; (double)at + 0.5 <= sum_ns / longest_ns * (double)cells && at < cells; at++)
			fputc(toupper(operator_letter(op)), out);
	}
	for (; at < cells; at++)
		fputc(' ', out);
}

static void print_bars(const struct diff *d, const struct terminal *t, FILE *out)
{
	const struct comparison_row *all = &d->tables[DIFF_operators].rows[0];
	const double a = all->sides[0].sums.time_ns, b = all->sides[1].sums.time_ns;
	const size_t cells = t->columns > 120 ? 100 : t->columns - 20;

	if (!(a > 0))
		return;
	fprintf(out, "\n%s%% of A, by operator (a letter each, below)%s\n", terminal_bold(t),
		terminal_plain(t));
	for (int side = 0; side < 2; side++) {
		fprintf(out, "%c %6.1f%% |", 'A' + side, 100 * (side ? b : a) / a);
		print_bar(d, side, a > b ? a : b, cells, out);
		fputs("|\n", out);
	}
}

/* --- tables ----------------------------------------------------------------------------------- */

static void print_heading(const struct terminal *t, const char *first, size_t width, FILE *out)
{
	fprintf(out, "\n%s%-*s %10s %10s %11s %8s  %9s %9s %9s %9s%s\n", terminal_bold(t),
		(int)width, first, "A", "B", "change", "speed-up", "launches", "B", "GFLOP", "B",
		terminal_plain(t));
}

static void print_gflop(double flops, FILE *out)
{
	if (flops > 0)
		fprintf(out, " %9.1f", 1e-9 * flops);
	else
		fprintf(out, " %9s", "-");
}

static void print_sums(const struct comparison_row *row, FILE *out)
{
	fprintf(out, " %10s", TIME(row->sides[0].sums.time_ns));
	fprintf(out, " %10s", TIME(row->sides[1].sums.time_ns));
	fprintf(out, " %11s %8s%s", change_text(row).text, SPEED(row),
		comparison_is_noise(row) ? "~ " : "  ");
}

static void print_figures(const struct comparison_row *row, FILE *out)
{
	print_sums(row, out);
	fprintf(out, "%9s", COUNT(row->sides[0].sums.launches));
	fprintf(out, " %9s", COUNT(row->sides[1].sums.launches));
	print_gflop(row->sides[0].sums.flops, out);
	print_gflop(row->sides[1].sums.flops, out);
	fputc('\n', out);
}

static void print_rest(size_t nr, const char *option, FILE *out)
{
	if (nr)
		fprintf(out, "and %s more (%s)\n", COUNT((double)nr), option);
}

static void print_operators(const struct diff *d, const struct terminal *t, FILE *out)
{
	const struct comparison *c = &d->tables[DIFF_operators];

	print_heading(t, "operator", NAME, out);
	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		const enum operator op = operator_by_name(c->rows[i].shown->text);

		fprintf(out, "%c ", toupper(operator_letter(op)));
		terminal_text(t, c->rows[i].shown->text, NAME - 2, true, out);
		print_figures(&c->rows[i], out);
	}
	terminal_text(t, "  all", NAME, true, out);
	print_figures(&c->rows[0], out);
}

static void print_table(const struct comparison *c, const char *heading, size_t top,
			const struct terminal *t, FILE *out)
{
	const size_t width = t->columns > 120 ? t->columns - 82 : NAME + 16;
	size_t shown = 0, left = 0;

	print_heading(t, heading, width, out);
	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		if (is_empty(&c->rows[i]))
			continue;
		if (shown++ >= top) {
			left++;
			continue;
		}
		terminal_text(t, c->rows[i].shown->text, width, true, out);
		print_figures(&c->rows[i], out);
	}
	print_rest(left, "--top", out);
}

/* --- phases ----------------------------------------------------------------------------------- */

static void print_wall(const struct diff_phase *p, bool is_busy, FILE *out)
{
	for (int side = 0; side < 2; side++) {
		const struct diff_wall *w = &p->walls[side];

		fprintf(out, " %10s", w->is_known ? TIME(is_busy ? w->busy_ns : w->span_ns) : "-");
	}
}

static void print_phases(const struct diff *d, const struct terminal *t, FILE *out)
{
	enum { PHASES_MAX = 20 };

	if (!d->nr_phases)
		return;
	fprintf(out, "\n%s%-*s %7s %7s %10s %10s %10s %10s %7s %7s%s\n", terminal_bold(t), NAME + 2,
		"phase (medians of each)", "count", "B", "by clock", "B", "GPU busy", "B", "idle",
		"B", terminal_plain(t));
	for (size_t i = 0; i < d->nr_phases && i < PHASES_MAX; i++) {
		const struct diff_phase *p = &d->phases[i];

		terminal_text(t, p->group->name->text, NAME + 2, true, out);
		fprintf(out, " %7" PRIu64 " %7" PRIu64, p->group->counts[0], p->group->counts[1]);
		print_wall(p, false, out);
		print_wall(p, true, out);
		for (int side = 0; side < 2; side++) {
			const struct diff_wall *w = &p->walls[side];

			fprintf(out, " %7s",
				w->is_known && w->span_ns > 0 ? SHARE(1 - w->busy_ns / w->span_ns)
							      : "-");
		}
		fputc('\n', out);
	}
	print_rest(d->nr_phases > PHASES_MAX ? d->nr_phases - PHASES_MAX : 0, "--by phase", out);
}

/* --- attention -------------------------------------------------------------------------------- */

static const char *backend_of(const struct comparison_side *side)
{
	return side->most && side->most->assignment.has_attention
		       ? backend_name(side->most->assignment.attention.backend)
		       : "-";
}

static void print_attention(const struct diff *d, size_t top, const struct terminal *t, FILE *out)
{
	const struct comparison *c = &d->tables[DIFF_attention];
	size_t shown = 0, left = 0;

	if (!c->rows[0].first_child)
		return;
	fprintf(out, "\n%s%-38s %10s %10s %11s %8s  %7s %7s  %s%s\n", terminal_bold(t),
		"attention: queries x size, k keys", "A", "B", "change", "speed-up", "calls", "B",
		"backend", terminal_plain(t));
	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		const struct comparison_row *row = &c->rows[i];

		if (shown++ >= top) {
			left++;
			continue;
		}
		terminal_text(t, row->shown->text, 38, true, out);
		print_sums(row, out);
		fprintf(out, "%7s", COUNT(row->sides[0].sums.attentions));
		fprintf(out, " %7s  %s -> %s\n", COUNT(row->sides[1].sums.attentions),
			backend_of(&row->sides[0]), backend_of(&row->sides[1]));
	}
	print_rest(left, "--by attention", out);
}

/* --- kernels ---------------------------------------------------------------------------------- */

static void print_kernel_name(const struct diff_view *view, const struct comparison_row *row,
			      const struct terminal *t, FILE *out)
{
	const char *readable = diff_label(row, true);
	const size_t width = t->columns > 80 ? t->columns - 56 : 24;
	char *name = view->full_names ? NULL : short_name(readable);
	char *fitting = name ? short_name_fit(name, width, t->unicode ? "\u2026" : "~") : NULL;

	terminal_text(t, fitting ? fitting : readable, fitting ? width : SIZE_MAX, false, out);
	fputc('\n', out);
	free(fitting);
	free(name);
}

enum { KERNEL_gone, KERNEL_new, KERNEL_both };

static int sort_of(const struct comparison_row *row)
{
	if (row->sides[1].sums.launches <= 0)
		return KERNEL_gone;
	return row->sides[0].sums.launches <= 0 ? KERNEL_new : KERNEL_both;
}

static void print_kernels_of(const struct diff *d, int sort, const struct diff_view *view,
			     const struct terminal *t, FILE *out)
{
	static const char *const headings[] = { "kernels of A only", "kernels of B only",
						"kernels of both" };
	const struct comparison *c = &d->tables[DIFF_kernels];
	double times[2] = { 0 };
	size_t nr = 0, shown = 0;

	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		if (sort_of(&c->rows[i]) != sort)
			continue;
		nr++;
		times[0] += c->rows[i].sides[0].sums.time_ns;
		times[1] += c->rows[i].sides[1].sums.time_ns;
	}
	if (!nr)
		return;
	fprintf(out, "\n%s%s: %s, ", terminal_bold(t), headings[sort], COUNT((double)nr));
	if (sort == KERNEL_both)
		fprintf(out, "%s -> ", TIME(times[0]));
	fprintf(out, "%s%s\n", TIME(times[sort == KERNEL_gone ? 0 : 1]), terminal_plain(t));
	for (uint32_t i = c->rows[0].first_child; i && shown < view->top; i = c->rows[i].next) {
		if (sort_of(&c->rows[i]) != sort)
			continue;
		shown++;
		print_sums(&c->rows[i], out);
		fputc(' ', out);
		print_kernel_name(view, &c->rows[i], t, out);
	}
	print_rest(nr - shown, "--by kernel", out);
}

static void print_kernels(const struct diff *d, const struct diff_view *view,
			  const struct terminal *t, FILE *out)
{
	for (int sort = KERNEL_gone; sort <= KERNEL_both; sort++)
		print_kernels_of(d, sort, view, t, out);
}

/* --- modules ---------------------------------------------------------------------------------- */

struct tree_printer {
	const struct comparison *comparison;
	const struct diff_view *view;
	const struct terminal *terminal;
	double least_ns;
	FILE *out;
};

enum { LEVELS_MAX = 128 };

static bool is_worth_a_line(const struct tree_printer *p, const struct comparison_row *row)
{
	return fabs(comparison_change_ns(row)) >= p->least_ns;
}

static void print_children(const struct tree_printer *p, uint32_t parent, size_t level)
{
	const struct comparison *c = p->comparison;
	const struct terminal *t = p->terminal;
	size_t left = 0;

	if ((p->view->depth && level >= p->view->depth) || level >= LEVELS_MAX)
		return;
	for (uint32_t i = c->rows[parent].first_child; i; i = c->rows[i].next) {
		const struct comparison_row *row = &c->rows[i];
		const size_t used = 56 + 2 * level;

		if (is_empty(row))
			continue;
		if (!is_worth_a_line(p, row)) {
			left++;
			continue;
		}
		print_sums(row, p->out);
		fprintf(p->out, " %*s", (int)(2 * level), "");
		terminal_text(t, row->shown->text, t->columns > used + 32 ? t->columns - used : 32,
			      false, p->out);
		fputc('\n', p->out);
		print_children(p, i, level + 1);
	}
	if (left)
		fprintf(p->out, "%46s %*s(%s that changed less)\n", "", (int)(2 * level), "",
			COUNT((double)left));
}

static void print_modules(const struct diff *d, const struct diff_view *view,
			  const struct terminal *t, FILE *out)
{
	static const char *const notes[] = {
		[FROM_object] = "from the first object on",
		[FROM_module] = "from the first module on",
	};
	const struct comparison_row *all = &d->by_table.rows[0];
	const double a = all->sides[0].sums.time_ns, b = all->sides[1].sums.time_ns;
	const struct tree_printer p = {
		.comparison = &d->by_table,
		.view = view,
		.terminal = t,
		.least_ns = 0.002 * (a > b ? a : b),
		.out = out,
	};

	if (d->by.from != FROM_program)
		fprintf(out,
			"\nThe programs call their models from different functions: the trees "
			"are compared %s.\n",
			notes[d->by.from]);
	fprintf(out, "\n%s %10s %10s %11s %8s   %s%s\n", terminal_bold(t), "A", "B", "change",
		"speed-up", "module, by change", terminal_plain(t));
	print_children(&p, 0, 0);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void print_by(const struct diff *d, const struct diff_view *view, const struct terminal *t,
		     FILE *out)
{
	if (d->by.cut == CUT_module)
		print_modules(d, view, t, out);
	else if (d->by.cut == CUT_attention)
		print_attention(d, view->top, t, out);
	else if (d->by.cut == CUT_axis && d->by.axis == AXIS_kernel)
		print_kernels(d, view, t, out);
	else if (d->by.cut == CUT_axis && d->by.axis == AXIS_operator)
		print_operators(d, t, out);
	else
		print_table(&d->by_table, diff_by_name(&d->by), view->top, t, out);
	if (d->by.cut == CUT_phase)
		print_phases(d, t, out);
}

static void print_noise(const struct diff *d, FILE *out)
{
	const struct comparison *c = &d->tables[DIFF_operators];

	if (!isnan(c->rows[0].noise_ns))
		fprintf(out,
			"\n~ is within what steps differ among themselves (95%%; of all: %s); "
			"runs may differ by more\n",
			TIME(c->rows[0].noise_ns));
	else if (!d->as_is)
		fputs("\nNothing ran more than once in one of the runs: what is noise is not "
		      "known\n",
		      out);
}

void diff_text(const struct diff *d, const struct diff_view *view, const struct terminal *t,
	       FILE *out)
{
	struct diff_view few = *view;

	few.top = view->top < 5 ? view->top : 5;
	print_run(d, 0, t, out);
	print_run(d, 1, t, out);
	print_scaling(d, t, out);
	print_warnings(d, t, out);
	print_headline(d, t, out);
	print_amdahl(d, out);
	print_bound(d, out);
	if (d->has_by) {
		print_by(d, view, t, out);
	} else {
		print_bars(d, t, out);
		print_operators(d, t, out);
		print_phases(d, t, out);
		print_attention(d, view->top < 12 ? view->top : 12, t, out);
		print_kernels(d, &few, t, out);
	}
	print_noise(d, out);
}
