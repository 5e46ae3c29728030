/* SPDX-License-Identifier: Apache-2.0 */
#include "report_phases.h"

#include <inttypes.h>
#include <stdlib.h>

#include "figures.h"
#include "json_text.h"
#include "report_modules.h"

enum { NAME = 26, NUMBER = 6, NAMES_MAX = 40 };

static uint64_t idle_ns(const struct phase *phase)
{
	const uint64_t span_ns = phase->end_ns - phase->begin_ns;

	return phase->is_gpu_time && span_ns > phase->busy_ns ? span_ns - phase->busy_ns : 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *phase_json(const struct phase *phase)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 json_bytes(phase->name->text, phase->name->size), "index",
			 json_u64(phase->index), "pid", json_u64(phase->trace->model.process.pid),
			 "begin_ns", json_u64(phase->begin_ns), "end_ns", json_u64(phase->end_ns),
			 "busy_ns", json_u64(phase->busy_ns), "idle_ns", json_u64(idle_ns(phase)),
			 "kernel_ns", json_u64(phase->kernel_ns), "launches",
			 json_u64(phase->launches), "operators",
			 report_operators_json(&phase->sums));
}

json_t *report_phases_json(const struct phases *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->nr; i++)
		json_array_append_new(array, phase_json(&p->rows[i]));
	return array;
}

json_t *report_residual_json(const struct phases *p)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "busy_ns", json_u64(p->residual.busy_ns),
			 "kernel_ns", json_u64(p->residual.kernel_ns), "launches",
			 json_u64(p->residual.launches), "operators",
			 report_operators_json(&p->residual.sums));
}

/* --- text ------------------------------------------------------------------------------------- */

static const char *most_of(const struct module_sums *sums, char *ret, size_t size)
{
	size_t most = 0;

	for (size_t i = 1; i < NR_OPERATORS; i++)
		if (sums->operators[i].time_ns > sums->operators[most].time_ns)
			most = i;
	snprintf(ret, size, "%s %.0f%%", operator_name((enum operator)most),
		 sums->all.time_ns
			 ? 100 * (double)sums->operators[most].time_ns / (double)sums->all.time_ns
			 : 0.0);
	return ret;
}

static void print_figures(uint64_t span_ns, const struct phase *phase, uint64_t idle, bool has_span,
			  FILE *out)
{
	char most[40];

	fprintf(out, " %10s %10s %10s %7s %9s  %s\n", has_span ? figure_time(span_ns).text : "-",
		figure_time(phase->busy_ns).text, has_span ? figure_time(idle).text : "-",
		has_span && span_ns ? figure_share((double)idle / (double)span_ns).text : "-",
		figure_count(phase->launches).text,
		phase->sums.all.time_ns ? most_of(&phase->sums, most, sizeof(most)) : "-");
}

/* Phases of one name as one row. */
static void print_sums(const struct phases *p, const struct terminal *t, FILE *out)
{
	bool *is_done = calloc(p->nr + 1, sizeof(*is_done));
	size_t shown = 0;

	fprintf(out, "\n%s%-*s %*s %10s %10s %10s %7s %9s  %s%s\n", terminal_bold(t), NAME, "phase",
		NUMBER, "count", "time", "busy", "idle", "idle", "launches", "mostly",
		terminal_plain(t));
	for (size_t i = 0; is_done && i < p->nr && shown < NAMES_MAX; i++) {
		struct phase sum = { .is_gpu_time = true };
		uint64_t span_ns = 0, idle = 0, nr = 0;

		for (size_t k = i; k < p->nr && !is_done[i]; k++) {
			const struct phase *row = &p->rows[k];

			if (row->name != p->rows[i].name)
				continue;
			is_done[k] = k > i;
			nr++;
			span_ns += row->end_ns - row->begin_ns;
			idle += idle_ns(row);
			sum.busy_ns += row->busy_ns;
			sum.launches += row->launches;
			sum.sums.all.time_ns += row->sums.all.time_ns;
			for (size_t o = 0; o < NR_OPERATORS; o++)
				sum.sums.operators[o].time_ns += row->sums.operators[o].time_ns;
		}
		if (is_done[i])
			continue;
		shown++;
		terminal_text(t, p->rows[i].name->text, NAME, true, out);
		fprintf(out, " %*s", NUMBER, figure_count(nr).text);
		print_figures(span_ns, &sum, idle, true, out);
	}
	terminal_text(t, "(residual)", NAME, true, out);
	fprintf(out, " %*s", NUMBER, "-");
	print_figures(0, &p->residual, 0, false, out);
	free(is_done);
}

static void print_timeline(const struct phases *p, size_t top, const struct terminal *t, FILE *out)
{
	const uint64_t first_ns = p->nr ? p->rows[0].begin_ns : 0;

	fprintf(out, "\n%s%4s %-*s %12s %10s %10s %10s %7s %9s  %s%s\n", terminal_bold(t), "#",
		NAME, "phase", "begins", "time", "busy", "idle", "idle", "launches", "mostly",
		terminal_plain(t));
	for (size_t i = 0; i < p->nr && i < top; i++) {
		const struct phase *row = &p->rows[i];
		char name[128];

		snprintf(name, sizeof(name), "%s %" PRIu32, row->name->text, row->index);
		fprintf(out, "%4zu ", i + 1);
		terminal_text(t, name, NAME, true, out);
		fprintf(out, " %12s",
			row->begin_ns >= first_ns ? figure_time(row->begin_ns - first_ns).text
						  : "-");
		print_figures(row->end_ns - row->begin_ns, row, idle_ns(row), true, out);
	}
	if (top < p->nr)
		fprintf(out, "and %s more (--top)\n", figure_count(p->nr - top).text);
}

void report_phases_text(const struct phases *p, size_t top, const struct terminal *t, FILE *out)
{
	if (p->by_marks)
		fputs("\nPhases are those that the program marked.\n", out);
	else if (p->period_launches)
		fprintf(out,
			"\nNo module is known: steps are periods of the launches, %s launches long "
			"on average.\n",
			figure_count(p->period_launches).text);
	print_sums(p, t, out);
	if (p->nr)
		print_timeline(p, top, t, out);
}
