/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttitrace roofline - what was to be done, what that takes at best, what it took.
 *
 * Only launches whose problem is known count: library calls, decoded attention.  The time is that
 * of everything in the row, helpers included, so efficiency is what the model got.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis.h"
#include "command.h"
#include "figures.h"
#include "json_text.h"
#include "report.h"

enum { OPTION_TOP = 256, OPTION_BY };

struct roofline_options {
	struct analysis analysis;
	enum axis by;
	size_t top;
};

static const struct argp_option option_table[] = {
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = "AXIS",
	  .doc = "By operator (default), kind, kernel, shape, library-call, attention ..." },
	{ .name = "top", .key = OPTION_TOP, .arg = "N", .doc = "Rows of long tables (20)" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct roofline_options *o = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_BY:
		o->by = axis_by_name(arg);
		o->analysis.by = o->by;
		if (o->by == NR_AXES)
			argp_error(state, "there is no axis '%s'", arg);
		return 0;
	case OPTION_TOP:
		o->top = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_argp }, { 0 } },
	.args_doc = "[TRACE...]",
	.doc = "Say how far from the roofline a run is: FLOPs, bytes, intensity, what was reached "
	       "and what the GPU could do.\vFLOPs are counted as torch.utils.flop_counter does: no "
	       "bias, causal attention in full.  Bytes are the fewest that a problem can move: "
	       "every operand once.  Traffic intensity is FLOPs by those bytes; capacity intensity "
	       "is FLOPs of the run by the bytes of the distinct weights.  What stays in the level "
	       "2 cache can be faster than the memory's bound.",
};

/* What a row comes to. */
struct figures_of_row {
	double intensity; /* FLOPs a byte; 0: not known */
	double reached;   /* FLOP/s */
	double bandwidth; /* bytes/s */
	double efficiency;
	const char *bound;
};

static struct figures_of_row figures_of(const struct profile_row *row)
{
	const struct profile_cost *c = &row->cost;
	const double seconds = 1e-9 * (double)row->time_ns;

	return (struct figures_of_row){
		.intensity = c->bytes > 0 ? c->flops / c->bytes : 0,
		.reached = seconds > 0 ? c->flops / seconds : 0,
		.bandwidth = seconds > 0 ? c->bytes / seconds : 0,
		.efficiency = seconds > 0 ? c->seconds_min / seconds : 0,
		.bound = c->seconds_min <= 0                    ? "-"
			 : c->seconds_flops >= c->seconds_bytes ? "compute"
								: "memory",
	};
}

/* --- the weights ------------------------------------------------------------------------------ */

/*
 * A weight is told by its module and the line that uses it, where Python paths are: a prompt and a
 * token are different problems with the same weights.  Else by the problem it is a part of.
 */
struct weight {
	uint64_t module, place;
	double bytes;
};

static int compare_u64(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static int by_weight(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;

	if (x->module != y->module)
		return compare_u64(x->module, y->module);
	if (x->place != y->place)
		return compare_u64(x->place, y->place);
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static struct weight weight_of(const struct profile_item *item)
{
	const struct model *m = &item->trace->model;
	const uint32_t template = item->trace->pairs.sites[item->site].template;
	const struct python_frame *frame =
		&m->python_frames.rows[m->templates.rows[template].path];

	return (struct weight){
		.module = frame->self,
		.place = frame->self ? frame->line : (uintptr_t)item->assignment.call,
		.bytes = item->assignment.cost.parameter_bytes,
	};
}

/* Without Python paths layers of one shape are one weight: then it is a lower bound. */
static double distinct_weights(const struct profile *p)
{
	struct weight *weights = calloc(p->nr_items + 1, sizeof(*weights));
	double bytes = 0;
	size_t nr = 0;

	if (!weights)
		return 0;
	for (size_t i = 0; i < p->nr_items; i++) {
		const struct profile_item *item = &p->items[i];

		if (item->assignment.has_cost && item->assignment.call)
			weights[nr++] = weight_of(item);
	}
	qsort(weights, nr, sizeof(*weights), by_weight);
	for (size_t i = 0; i < nr; i++)
		if (!i || by_weight(&weights[i - 1], &weights[i]) != 0)
			bytes += weights[i].bytes;
	free(weights);
	return bytes;
}

static struct profile_cost total_cost(const struct profile *p)
{
	const struct profile_table *t = &p->axes[AXIS_operator];
	struct profile_cost sum = { 0 };

	for (size_t i = 0; i < t->nr; i++) {
		sum.flops += t->rows[i].cost.flops;
		sum.bytes += t->rows[i].cost.bytes;
		sum.seconds_min += t->rows[i].cost.seconds_min;
		sum.calls += t->rows[i].cost.calls;
	}
	return sum;
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_number(double value, const char *format, int width, FILE *out)
{
	char text[32] = "-";

	if (value > 0)
		snprintf(text, sizeof(text), format, value);
	fprintf(out, " %*s", width, text);
}

static void print_gpus(const struct analysis *a, FILE *out)
{
	for (size_t i = 0; i < a->run.nr; i++) {
		const struct model *m = &a->run.traces[i]->model;

		for (size_t k = 0; k < m->devices.nr; k++) {
			const char *name =
				m->device_names.rows[k] ? m->device_names.rows[k]->text : "GPU";
			struct peaks peaks;

			peaks_of_device(name, &peaks);
			peaks_override(&peaks, &a->peaks);
			fprintf(out, "GPU       %s: ", name);
			if (peaks.flops[UNIT_fp16] <= 0 || peaks.bytes <= 0) {
				fputs("peaks not known; --peak and --bandwidth give them\n", out);
				return;
			}
			fprintf(out, "%.0f TFLOP/s fp16, %.0f tf32, %.0f fp32; %.2f TB/s (%s)\n",
				1e-12 * peaks.flops[UNIT_fp16], 1e-12 * peaks.flops[UNIT_tf32],
				1e-12 * peaks.flops[UNIT_fp32], 1e-12 * peaks.bytes,
				peaks.is_measured[UNIT_fp16] || peaks.is_measured_bytes
					? "partly given"
					: "datasheet");
			return; /* further ones are of the same make */
		}
	}
}

static void print_row(const struct terminal *t, const struct profile_row *row, size_t width,
		      FILE *out)
{
	const struct figures_of_row f = figures_of(row);

	terminal_text(t, row->key->text, width, true, out);
	fprintf(out, " %10s %8s", figure_time(row->time_ns).text,
		row->cost.calls ? figure_count(row->cost.calls).text : "-");
	print_number(1e-9 * row->cost.flops, "%.1f", 10, out);
	print_number(1e-6 * row->cost.bytes, "%.1f", 10, out);
	print_number(f.intensity, "%.1f", 8, out);
	print_number(1e-12 * f.reached, "%.1f", 8, out);
	print_number(1e-9 * f.bandwidth, "%.0f", 7, out);
	print_number(100 * f.efficiency, "%.1f%%", 7, out);
	fprintf(out, " %s\n", f.bound);
}

static void print_total(const struct profile *p, FILE *out)
{
	const struct profile_cost sum = total_cost(p);
	const double weights = distinct_weights(p);

	fputc('\n', out);
	fprintf(out, "Known     %.1f GFLOP, at least %.1f MB, at best %.3f ms of %s\n",
		1e-9 * sum.flops, 1e-6 * sum.bytes, 1e3 * sum.seconds_min,
		figure_time(p->time_ns).text);
	fputs("Intensity ", out);
	if (sum.bytes > 0)
		fprintf(out, "%.1f FLOP a byte of traffic", sum.flops / sum.bytes);
	else
		fputs("of traffic not known", out);
	if (weights > 0)
		fprintf(out, "; capacity: %.1f FLOP a byte of %.1f MB of weights%s",
			sum.flops / weights, 1e-6 * weights,
			p->knowledge.paths ? "" : " (layers of one shape count once)");
	fputc('\n', out);
}

static void print_text(const struct roofline_options *o, FILE *out)
{
	const struct profile *p = &o->analysis.profile;
	const struct profile_table *table = &p->axes[o->by];
	const size_t top = o->by == AXIS_operator ? table->nr : o->top;
	struct terminal t;
	size_t width;

	terminal_detect(&t, o->analysis.ascii);
	width = o->by == AXIS_operator || o->by == AXIS_kind ? 22
		: t.columns > 110                            ? t.columns - 82
							     : 48;
	print_gpus(&o->analysis, out);
	if (!p->knowledge.calls)
		fputs("Note      no library calls in these traces: the problems of convolutions "
		      "and "
		      "matrix products are not known\n",
		      out);
	fprintf(out, "\n%s%-*s %10s %8s %10s %10s %8s %8s %7s %7s %s%s\n", terminal_bold(&t),
		(int)width, axis_name(o->by), "time", "calls", "GFLOP", "min MB", "FLOP/B",
		"TFLOP/s", "GB/s", "of best", "bound", terminal_plain(&t));
	for (size_t i = 0; i < table->nr && i < top; i++)
		print_row(&t, &table->rows[i], width, out);
	if (top < table->nr)
		fprintf(out, "and %s more (--top)\n", figure_count(table->nr - top).text);
	print_total(p, out);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *real_or_null(double value)
{
	return value > 0 ? json_real(value) : json_null();
}

/* A count, exact as long as it can be. */
static json_t *count_json(double value)
{
	return value < 9e15 ? json_integer((json_int_t)(value + 0.5)) : json_real(value);
}

static json_t *row_json(const struct profile_row *row)
{
	const struct figures_of_row f = figures_of(row);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name",
			 json_bytes(row->key->text, row->key->size), "time_ns",
			 json_u64(row->time_ns), "launches", json_u64(row->launches), "calls",
			 json_u64(row->cost.calls), "flops", count_json(row->cost.flops),
			 "bytes_min", count_json(row->cost.bytes), "traffic_intensity",
			 real_or_null(f.intensity), "flops_per_s", real_or_null(f.reached),
			 "bytes_per_s", real_or_null(f.bandwidth), "seconds_min",
			 real_or_null(row->cost.seconds_min), "efficiency",
			 real_or_null(f.efficiency), "bound", f.bound);
}

static void print_json(const struct roofline_options *o, FILE *out)
{
	const struct profile *p = &o->analysis.profile;
	const struct profile_table *table = &p->axes[o->by];
	const struct profile_cost sum = total_cost(p);
	const double weights = distinct_weights(p);
	json_t *rows = json_array();

	for (size_t i = 0; i < table->nr; i++)
		json_array_append_new(rows, row_json(&table->rows[i]));
	json_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "axis",
			     axis_name(o->by), "time_ns", json_u64(p->time_ns), "flops",
			     count_json(sum.flops), "bytes_min", count_json(sum.bytes),
			     "seconds_min", real_or_null(sum.seconds_min), "traffic_intensity",
			     real_or_null(sum.bytes > 0 ? sum.flops / sum.bytes : 0),
			     "capacity_intensity",
			     real_or_null(weights > 0 ? sum.flops / weights : 0), "rows", rows,
			     "has_library_calls", p->knowledge.calls),
		   1, out);
}

int cmd_roofline(int argc, char **argv, struct diag *diag)
{
	struct roofline_options o = { .by = AXIS_operator, .top = 20 };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	r = analysis_load(&o.analysis, "roofline");
	if (r == 0) {
		if (o.analysis.json)
			print_json(&o, stdout);
		else
			print_text(&o, stdout);
		r = analysis_exit_code(&o.analysis);
	}
	analysis_clear(&o.analysis);
	return r;
}
