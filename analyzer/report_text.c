/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "report_modules.h"
#include "report_phases.h"
#include "report_stacks.h"
#include "short_name.h"

#define FIGURE(f) ((f).text)
#define TIME(ns)  FIGURE(figure_time(ns))
#define COUNT(n)  FIGURE(figure_count(n))
#define SHARE(s)  FIGURE(figure_share(s))

enum { LABEL = 10, NAME = 24, BAR = 24 };

/* --- the facts on top ------------------------------------------------------------------------- */

static void label(const struct terminal *t, const char *text, FILE *out)
{
	fprintf(out, "%s%-*s%s", terminal_bold(t), LABEL, text, terminal_plain(t));
}

static bool is_first_of_its_name(const struct model *m, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (m->device_names.rows[k] == m->device_names.rows[i])
			return false;
	return true;
}

static void print_devices(const struct trace *trace, const struct terminal *t, FILE *out)
{
	const struct model *m = &trace->model;

	for (size_t i = 0; i < m->devices.nr; i++) {
		const struct name *name = m->device_names.rows[i];
		size_t nr = 0;

		if (!is_first_of_its_name(m, i))
			continue;
		for (size_t k = i; k < m->devices.nr; k++)
			nr += m->device_names.rows[k] == name;
		fputs(", ", out);
		if (nr > 1)
			fprintf(out, "%zu x ", nr);
		terminal_text(t, name ? name->text : "GPU", 60, false, out);
	}
}

/* The driver says 13000 for 13.0. */
static void print_cuda_version(const struct trace *trace, FILE *out)
{
	const char *value = model_info(&trace->model, "driver.cuda_version");
	const unsigned long version = value ? strtoul(value, NULL, 10) : 0;

	if (version)
		fprintf(out, ", CUDA %lu.%lu", version / 1000, version % 1000 / 10);
}

static void print_info(const struct trace *trace, const char *key, const char *as,
		       const struct terminal *t, FILE *out)
{
	const char *value = model_info(&trace->model, key);

	if (!value)
		return;
	fprintf(out, ", %s ", as);
	terminal_text(t, value, 40, false, out);
}

static void print_process(const struct trace *trace, const struct terminal *t, FILE *out)
{
	const struct model *m = &trace->model;
	char *command = report_command(trace);

	label(t, "Run", out);
	terminal_text(t, command && *command ? command : "(command not recorded)",
		      t->columns - LABEL, false, out);
	free(command);
	fprintf(out, "\n%*s", LABEL, "");
	terminal_text(t, m->host && m->host->size ? m->host->text : "host not recorded", 60, false,
		      out);
	fprintf(out, ", pid %" PRIu64, m->process.pid);
	if (m->rank && m->rank->size) {
		fputs(", rank ", out);
		terminal_text(t, m->rank->text, 20, false, out);
	}
	print_devices(trace, t, out);
	print_info(trace, "driver.version", "driver", t, out);
	print_cuda_version(trace, out);
	fprintf(out, ", %s\n", TIME(trace_wall_ns(trace)));
}

/* A trace made from another program's has less: what, is not to be guessed from empty tables. */
static void print_source(const struct trace *trace, const struct terminal *t, FILE *out)
{
	const struct model *m = &trace->model;
	const char *source = model_info(m, "import.source");
	const char *version = model_info(m, "source.version");
	const char *file = model_info(m, "import.file"), *lacks = model_info(m, "import.lacks");

	if (!source)
		return;
	label(t, "Source", out);
	fputs("imported from ", out);
	terminal_text(t, source, 40, false, out);
	if (version) {
		fputc(' ', out);
		terminal_text(t, version, 40, false, out);
	}
	fputs(", ", out);
	terminal_text(t, file ? file : "?", t->columns - LABEL, false, out);
	fprintf(out, "\n%*sit has no ", LABEL, "");
	terminal_text(t, lacks ? lacks : "?", t->columns - LABEL, false, out);
	fputc('\n', out);
}

static void print_run(const struct report *r, const struct terminal *t, FILE *out)
{
	const size_t shown = r->run->nr < 4 ? r->run->nr : 3;

	for (size_t i = 0; i < shown; i++) {
		print_process(r->run->traces[i], t, out);
		print_source(r->run->traces[i], t, out);
	}
	if (shown < r->run->nr)
		fprintf(out, "%*sand %zu further processes (--by process)\n", LABEL, "",
			r->run->nr - shown);
}

/* --- coverage --------------------------------------------------------------------------------- */

static void print_unmatched(const struct run_coverage *c, FILE *out)
{
	const struct {
		uint64_t n;
		const char *what;
	} rows[] = {
		{ c->correlation.launches_without_record, "launches have no GPU record" },
		{ c->correlation.graphs_without_record, "graph launches have no GPU record" },
		{ c->correlation.kernels_without_launch, "GPU records have no launch" },
		{ c->correlation.nodes_without_launch, "graph node records have no graph launch" },
		{ c->mismatched, "launches are joined to a record of another grid or block" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].n)
			fprintf(out, "%*s%s %s\n", LABEL, "", COUNT(rows[i].n), rows[i].what);
}

static void print_counters(const struct trace *trace, FILE *out)
{
	for (int k = 0; k < TTI_COUNTER_LIMIT; k++)
		if (trace_counter_differs(trace, k))
			fprintf(out,
				"%*spid %" PRIu64
				": the recorder counted %s %s, the trace has %s\n",
				LABEL, "", trace->model.process.pid,
				COUNT(trace->model.counters[k]), counter_name(k),
				COUNT(trace->counted[k]));
	if (!trace->model.has_finish)
		fprintf(out,
			"%*spid %" PRIu64 " ended without finish: killed, or it is still running\n",
			LABEL, "", trace->model.process.pid);
	else if (trace->model.finish.reason == TTI_ENDING_LIMIT)
		fprintf(out, "%*spid %" PRIu64 ": the trace reached its maximum size\n", LABEL, "",
			trace->model.process.pid);
}

static void print_losses(const struct run_coverage *c, const struct terminal *t, FILE *out)
{
	bool any = false;

	for (int k = 0; k < TTI_COUNTER_LIMIT; k++) {
		if (!c->lost[k])
			continue;
		label(t, any ? "" : "Losses", out);
		fprintf(out, "%s%s %s%s: %s\n", terminal_warn(t), COUNT(c->lost[k]),
			counter_name(k), terminal_plain(t), counter_meaning(k));
		any = true;
	}
	if (!any) {
		label(t, "Losses", out);
		fputs("none\n", out);
	}
}

static void print_verdict(const struct run_coverage *c, const struct terminal *t, FILE *out)
{
	if (!c->has_device_rows)
		fprintf(out,
			"%sno GPU times in this trace%s: times below are the host's in the "
			"launching "
			"calls\n",
			terminal_warn(t), terminal_plain(t));
	else if (c->is_complete)
		fputs("complete: every launch has its GPU time\n", out);
	else
		fprintf(out,
			"%sNOT complete%s: shares below are of what was recorded, not of all\n",
			terminal_warn(t), terminal_plain(t));
}

void report_text_coverage(const struct run *run, const struct run_coverage *c,
			  const struct terminal *t, FILE *out)
{
	const uint64_t *n = c->counted;

	label(t, "Coverage", out);
	print_verdict(c, t, out);
	fprintf(out, "%*s%s launches, %s matched, %s failed; %s graph launches, %s captured\n",
		LABEL, "", COUNT(n[TTI_COUNTER_LAUNCHES]), COUNT(c->correlation.matched),
		COUNT(n[TTI_COUNTER_FAILED]), COUNT(n[TTI_COUNTER_GRAPH_LAUNCHES]),
		COUNT(n[TTI_COUNTER_CAPTURED]));
	fprintf(out, "%*s%s kernel records, %s of them graph nodes; %s copies, %s copy records\n",
		LABEL, "", COUNT(n[TTI_COUNTER_KERNEL_RECORDS]), COUNT(n[TTI_COUNTER_NODE_RECORDS]),
		COUNT(n[TTI_COUNTER_COPIES]), COUNT(n[TTI_COUNTER_COPY_RECORDS]));
	if (c->correlation.nodes_of_bodies)
		fprintf(out,
			"%*s%s of them in loops and branches of graphs, told by graph, not by "
			"launch\n",
			LABEL, "", COUNT(c->correlation.nodes_of_bodies));
	if (c->has_device_rows)
		print_unmatched(c, out);
	if (c->renamed)
		fprintf(out,
			"%*s%s launches have a record with another kernel's name (stale: a module "
			"was "
			"unloaded); the launch's name counts\n",
			LABEL, "", COUNT(c->renamed));
	for (size_t i = 0; i < run->nr; i++)
		print_counters(run->traces[i], out);
	print_losses(c, t, out);
}

/* Which sources there were: what follows is as good as they are. */
static void print_knowledge(const struct report *r, const struct terminal *t, FILE *out)
{
	const struct knowledge *k = &r->profile->knowledge;
	const uint64_t *n = r->profile->attentions;

	label(t, "Evidence", out);
	if (k->calls)
		fprintf(out, "full: library calls%s%s%s\n", k->parameters ? ", parameters" : "",
			k->frames ? ", native stacks" : "", k->paths ? ", Python paths" : "");
	else if (k->parameters || k->frames || k->paths)
		fprintf(out, "no library calls, but names%s%s%s\n",
			k->parameters ? ", parameters" : "", k->frames ? ", native stacks" : "",
			k->paths ? ", Python paths" : "");
	else
		fputs("names only: a matrix product is taken for a linear layer's unless its "
		      "neighbours say more\n",
		      out);
	if (k->nr_frames)
		fprintf(out,
			"%*snative frames: %s of %s named; of their objects %s read, %s not here, "
			"%s of another build%s\n",
			LABEL, "", COUNT(k->nr_frames_named), COUNT(k->nr_frames),
			COUNT(r->objects.read), COUNT(r->objects.missing),
			COUNT(r->objects.refused + r->objects.unreadable),
			k->frames ? "" : " (ttitrace symbols)");
	if (n[EXACTNESS_exact] + n[EXACTNESS_upper_bound] + n[EXACTNESS_unknown])
		fprintf(out, "%*sattention shapes: %s exact, %s upper bounds, %s not known\n",
			LABEL, "", COUNT(n[EXACTNESS_exact]), COUNT(n[EXACTNESS_upper_bound]),
			COUNT(n[EXACTNESS_unknown]));
}

static void print_gpu(const struct report *r, const struct terminal *t, FILE *out)
{
	const struct run_gpu *g = &r->gpu;
	const uint64_t wall_ns = run_wall_ns(r->run);

	if (!r->coverage.has_device_rows)
		return;
	label(t, "GPU", out);
	fprintf(out, "busy %s of %s between first and last activity (%s), idle %s\n",
		TIME(g->busy_ns), TIME(g->span_ns),
		SHARE(g->span_ns ? (double)g->busy_ns / (double)g->span_ns : 0), TIME(g->idle_ns));
	if (g->nr_windows)
		fprintf(out, "%*srecorded in %s window%s; the %s between them are left out\n",
			LABEL, "", COUNT(g->nr_windows), g->nr_windows == 1 ? "" : "s",
			TIME(g->closed_ns));
	fprintf(out, "%*skernels %s, copies and fills %s; busy %s of the run's %s\n", LABEL, "",
		TIME(g->kernel_ns), TIME(g->copy_ns),
		SHARE(wall_ns ? (double)g->busy_ns / (double)wall_ns : 0), TIME(wall_ns));
	if (g->late_ns)
		fprintf(out,
			"%*s%s came too late to be compared: busy is too small by at most that\n",
			LABEL, "", TIME(g->late_ns));
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Narrow terminals have short bars: what stands behind them counts more. */
static size_t bar_cells(const struct terminal *t)
{
	const size_t rest = NAME + 33;

	return t->columns >= rest + BAR ? BAR : t->columns > rest ? t->columns - rest : 0;
}

static void print_heading(const struct terminal *t, const char *name, size_t width, bool bar,
			  FILE *out)
{
	fprintf(out, "\n%s%-*s %10s %7s  %-*s%12s%s\n", terminal_bold(t), (int)width, name, "time",
		"share", bar ? (int)bar_cells(t) : 0, "", "launches", terminal_plain(t));
}

static void print_row(const struct report *r, const struct terminal *t,
		      const struct profile_row *row, const char *name, size_t width, bool bar,
		      FILE *out)
{
	const double share = profile_share(r->profile, row);

	terminal_text(t, name, width, true, out);
	fprintf(out, " %10s %7s  ", TIME(row->time_ns), SHARE(share));
	if (bar)
		terminal_bar(t, share, bar_cells(t), out);
	fprintf(out, "%12s\n", COUNT(row->launches));
}

static void print_rest(const struct profile_table *table, size_t shown, FILE *out)
{
	if (shown < table->nr)
		fprintf(out, "and %s more (--top)\n", COUNT(table->nr - shown));
}

static void print_bars(const struct report *r, const struct terminal *t, enum axis axis, size_t top,
		       FILE *out)
{
	const struct profile_table *table = &r->profile->axes[axis];
	const size_t shown = table->nr < top ? table->nr : top;
	const size_t width = t->columns > NAME + BAR + 33 ? t->columns - BAR - 33 : NAME;
	const size_t name_width =
		axis <= AXIS_kind || axis == AXIS_evidence || width < NAME ? NAME : width;

	print_heading(t, axis_name(axis), name_width, true, out);
	for (size_t i = 0; i < shown; i++) {
		const char *text = table->rows[i].key->text;
		char *name = axis == AXIS_shape && !r->full_names ? short_name(text) : NULL;

		print_row(r, t, &table->rows[i], name ? name : text, name_width, true, out);
		free(name);
	}
	print_rest(table, shown, out);
}

static void print_attention(const struct report *r, const struct terminal *t, size_t top, FILE *out)
{
	const struct profile_table *table = &r->profile->axes[AXIS_attention];
	const size_t width = t->columns > 62 + NAME ? t->columns - 42 : 2 * NAME;
	size_t shown = 0, nr = 0;

	for (size_t i = 0; i < table->nr; i++)
		nr += table->rows[i].assignment->op == OPERATOR_attention;
	if (!nr)
		return;
	fprintf(out, "\n%s%10s %7s %9s  %s%s\n", terminal_bold(t), "time", "share", "calls",
		"attention: role, backend, batch x heads x queries x size, keys",
		terminal_plain(t));
	for (size_t i = 0; i < table->nr && shown < top; i++) {
		const struct profile_row *row = &table->rows[i];

		if (row->assignment->op != OPERATOR_attention)
			continue;
		fprintf(out, "%10s %7s %9s  ", TIME(row->time_ns),
			SHARE(profile_share(r->profile, row)),
			row->attentions ? COUNT(row->attentions) : "-");
		terminal_text(t, row->key->text, width, false, out);
		fputc('\n', out);
		shown++;
	}
	if (shown < nr)
		fprintf(out, "and %s more (--by attention)\n", COUNT(nr - shown));
}

static void print_name(const struct report *r, const struct terminal *t, const char *readable,
		       size_t width, FILE *out)
{
	char *name = short_name(readable);
	char *fitting = name ? short_name_fit(name, width, t->unicode ? "\u2026" : "~") : NULL;

	if (r->full_names || !fitting)
		terminal_text(t, readable, SIZE_MAX, false, out);
	else
		terminal_text(t, fitting, width, false, out);
	free(fitting);
	free(name);
}

static void print_kernel(const struct report *r, const struct terminal *t,
			 const struct profile_row *row, size_t width, FILE *out)
{
	char kind[32];

	snprintf(kind, sizeof(kind), "%s%s%s", row->work->kind, row->work->sub[0] ? "/" : "",
		 row->work->sub);
	fprintf(out, "%10s %7s %9s  %-24.24s ", TIME(row->time_ns),
		SHARE(profile_share(r->profile, row)), COUNT(row->launches), kind);
	print_name(r, t, row->work->name->text, width, out);
	fputc('\n', out);
}

static void print_kernels(const struct report *r, const struct terminal *t, FILE *out)
{
	const struct profile_table *table = &r->profile->axes[AXIS_kernel];
	const size_t shown = table->nr < r->top ? table->nr : r->top;
	const size_t width = t->columns > 56 + NAME ? t->columns - 55 : NAME;

	fprintf(out, "\n%s%10s %7s %9s  %-24s %s%s\n", terminal_bold(t), "time", "share",
		"launches", "kind", "kernel", terminal_plain(t));
	for (size_t i = 0; i < shown; i++)
		print_kernel(r, t, &table->rows[i], width, out);
	print_rest(table, shown, out);
}

void report_text(const struct report *r, const struct terminal *t, FILE *out)
{
	print_run(r, t, out);
	report_text_coverage(r->run, &r->coverage, t, out);
	print_gpu(r, t, out);
	print_knowledge(r, t, out);
	if (r->stacks) {
		stacks_text(r->stacks, t, r->top, out);
	} else if (r->modules) {
		report_modules_text(r->modules, r->depth, t, out);
	} else if (r->phases) {
		report_phases_text(r->phases, r->top, t, out);
	} else if (r->by == AXIS_kernel) {
		print_kernels(r, t, out);
	} else if (r->by < NR_AXES) {
		print_bars(r, t, r->by, r->top, out);
	} else {
		print_bars(r, t, AXIS_operator, SIZE_MAX, out);
		print_bars(r, t, AXIS_kind, SIZE_MAX, out);
		print_attention(r, t, r->top < 12 ? r->top : 12, out);
		print_kernels(r, t, out);
	}
}
