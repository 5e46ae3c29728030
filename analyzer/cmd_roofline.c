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
#include <string.h>

#include "analysis.h"
#include "command.h"
#include "figures.h"
#include "json_text.h"
#include "pager.h"
#include "report.h"
#include "words.h"

#define BY "AXIS|module|phase"

enum { OPTION_TOP = 256, OPTION_BY, OPTION_DEPTH };

struct roofline_options {
	struct analysis analysis;
	enum axis by; /* NR_AXES: modules or phases, as the analysis wants */
	size_t top;
	size_t depth; /* of the tree of modules, 0: all of it */
};

static const struct argp_option option_table[] = {
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = BY,
	  .doc = "By operator (default), kind, kernel, shape, library-call, attention ..., by "
		 "module "
		 "or phase" },
	{ .name = "depth",
	  .key = OPTION_DEPTH,
	  .arg = "N",
	  .doc = "Levels of the tree of --by module (all)" },
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
		o->analysis.wants_modules = !strcmp(arg, "module");
		o->analysis.wants_phases = !strcmp(arg, "phase");
		if (o->by == NR_AXES && !o->analysis.wants_modules && !o->analysis.wants_phases)
			words_refuse(state, BY, arg);
		return 0;
	case OPTION_TOP:
		o->top = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	case OPTION_DEPTH:
		o->depth = strtoul(arg, &end, 10);
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

static struct figures_of_row figures_of(const struct profile_cost *c, uint64_t time_ns)
{
	const double seconds = 1e-9 * (double)time_ns;

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

/* Of a module's own, below its forward. */
enum { FUNCTIONS_MAX = 2 };

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

/* The innermost object: functions of a library may stand below the module's own. */
static const struct python_frame *frame_of_object(const struct model *m, uint32_t path)
{
	for (int i = 0; i < FUNCTIONS_MAX && path && !m->python_frames.rows[path].self; i++)
		path = m->python_frames.rows[path].parent;
	return &m->python_frames.rows[path];
}

static struct weight weight_of(const struct profile_item *item)
{
	const struct model *m = &item->trace->model;
	const uint32_t template = item->trace->pairs.sites[item->site].template;
	const struct python_frame *frame = frame_of_object(m, m->templates.rows[template].path);

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

/* What a narrow terminal has no room for: the others say it too. */
static bool has_bytes(const struct terminal *t)
{
	return !t->is_terminal || t->columns >= 22 + 84;
}

static bool has_calls(const struct terminal *t)
{
	return !t->is_terminal || t->columns >= 22 + 65;
}

static void print_figures(const struct profile_cost *c, uint64_t time_ns, const struct terminal *t,
			  FILE *out)
{
	const struct figures_of_row f = figures_of(c, time_ns);

	fprintf(out, " %10s", figure_time(time_ns).text);
	if (has_calls(t))
		fprintf(out, " %8s", c->calls ? figure_count(c->calls).text : "-");
	print_number(1e-9 * c->flops, "%.1f", 10, out);
	if (has_bytes(t))
		print_number(1e-6 * c->bytes, "%.1f", 10, out);
	print_number(f.intensity, "%.1f", 8, out);
	print_number(1e-12 * f.reached, "%.1f", 8, out);
	if (has_bytes(t))
		print_number(1e-9 * f.bandwidth, "%.0f", 7, out);
	print_number(100 * f.efficiency, "%.1f%%", 7, out);
	fprintf(out, " %s", f.bound);
}

static void print_heading(const struct terminal *t, const char *name, size_t width, FILE *out)
{
	fprintf(out, "\n%s%-*s %10s%s %10s%s %8s %8s%s %7s %s%s\n", terminal_bold(t), (int)width,
		name, "time", has_calls(t) ? "    calls" : "", "GFLOP",
		has_bytes(t) ? "     min MB" : "", "FLOP/B", "TFLOP/s",
		has_bytes(t) ? "    GB/s" : "", "of best", "bound", terminal_plain(t));
}

/* What the figures leave. */
static size_t name_width(const struct terminal *t)
{
	return t->columns > 84 + 30 ? t->columns - 84 : 30;
}

static void print_table(const struct roofline_options *o, const struct terminal *t, FILE *out)
{
	const struct profile_table *table = &o->analysis.profile.axes[o->by];
	const size_t top = o->by == AXIS_operator ? table->nr : o->top;
	const size_t width = o->by == AXIS_operator || o->by == AXIS_kind ? 22 : name_width(t);

	print_heading(t, axis_name(o->by), width, out);
	for (size_t i = 0; i < table->nr && i < top; i++) {
		terminal_text(t, table->rows[i].key->text, width, true, out);
		print_figures(&table->rows[i].cost, table->rows[i].time_ns, t, out);
		fputc('\n', out);
	}
	if (top < table->nr)
		fprintf(out, "and %s more (--top)\n", figure_count(table->nr - top).text);
}

static void print_phases(const struct roofline_options *o, const struct terminal *t, FILE *out)
{
	const struct phases *p = &o->analysis.phases;

	print_heading(t, "phase", 26, out);
	for (size_t i = 0; i < p->nr && i < o->top; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s %" PRIu32, p->rows[i].name->text,
			 p->rows[i].index);
		terminal_text(t, name, 26, true, out);
		print_figures(&p->rows[i].cost, p->rows[i].sums.all.time_ns, t, out);
		fputc('\n', out);
	}
	if (o->top < p->nr)
		fprintf(out, "and %s more (--top)\n", figure_count(p->nr - o->top).text);
	terminal_text(t, "(residual)", 26, true, out);
	print_figures(&p->residual.cost, p->residual.sums.all.time_ns, t, out);
	fputc('\n', out);
}

/* What takes less of the time has no line of its own. */
static const double share_min = 0.002;

static void print_modules(const struct roofline_options *o, uint32_t parent, size_t level,
			  const struct terminal *t, FILE *out)
{
	enum { LEVELS_MAX = 128 };
	const struct modules *m = o->analysis.modules;
	const size_t width = name_width(t);
	const double run_ns = (double)modules_node(m, 0)->total.all.time_ns;

	if ((o->depth && level >= o->depth) || level >= LEVELS_MAX)
		return;
	for (uint32_t i = modules_node(m, parent)->first_child; i; i = modules_node(m, i)->next) {
		const struct module_node *n = modules_node(m, i);
		char label[512];

		if (!n->total.all.launches || (double)n->total.all.time_ns < share_min * run_ns)
			continue;
		modules_label(m, i, label, sizeof(label));
		fprintf(out, "%*s", (int)(2 * level), "");
		terminal_text(t, label, width > 2 * level + 12 ? width - 2 * level : 12, true, out);
		print_figures(&n->cost, n->total.all.time_ns, t, out);
		fputc('\n', out);
		print_modules(o, i, level + 1, t, out);
	}
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

static void print_text(const struct roofline_options *o)
{
	const struct profile *p = &o->analysis.profile;
	struct terminal t;
	FILE *out;

	terminal_detect(&t, o->analysis.ascii);
	out = terminal_open(&t);
	print_gpus(&o->analysis, out);
	if (!p->knowledge.calls)
		fputs("Note      no library calls in these traces: the problems of convolutions "
		      "and "
		      "matrix products are not known\n",
		      out);
	if (o->analysis.wants_modules) {
		print_heading(&t, "module", name_width(&t), out);
		print_modules(o, 0, 0, &t, out);
	} else if (o->analysis.wants_phases) {
		print_phases(o, &t, out);
	} else {
		print_table(o, &t, out);
	}
	print_total(p, out);
	terminal_close(out);
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

static json_t *figures_json(json_t *name, const struct profile_cost *c, uint64_t time_ns,
			    uint64_t launches)
{
	const struct figures_of_row f = figures_of(c, time_ns);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name",
			 name, "time_ns", json_u64(time_ns), "launches", json_u64(launches),
			 "calls", json_u64(c->calls), "flops", count_json(c->flops), "bytes_min",
			 count_json(c->bytes), "traffic_intensity", real_or_null(f.intensity),
			 "flops_per_s", real_or_null(f.reached), "bytes_per_s",
			 real_or_null(f.bandwidth), "seconds_min", real_or_null(c->seconds_min),
			 "efficiency", real_or_null(f.efficiency), "bound", f.bound);
}

static json_t *table_json(const struct profile_table *table)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < table->nr; i++) {
		const struct profile_row *row = &table->rows[i];

		json_array_append_new(rows, figures_json(json_bytes(row->key->text, row->key->size),
							 &row->cost, row->time_ns, row->launches));
	}
	return rows;
}

static json_t *phase_json(const struct phase *phase)
{
	json_t *object =
		figures_json(json_bytes(phase->name->text, phase->name->size), &phase->cost,
			     phase->sums.all.time_ns, phase->sums.all.launches);

	json_object_set_new(object, "index", json_u64(phase->index));
	return object;
}

static json_t *phases_json(const struct phases *p)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < p->nr; i++)
		json_array_append_new(rows, phase_json(&p->rows[i]));
	json_array_append_new(rows, phase_json(&p->residual));
	return rows;
}

static json_t *modules_json(const struct roofline_options *o, uint32_t parent, size_t level)
{
	enum { LEVELS_MAX = 128 };
	const struct modules *m = o->analysis.modules;
	json_t *rows = json_array();

	if ((o->depth && level >= o->depth) || level >= LEVELS_MAX)
		return rows;
	for (uint32_t i = modules_node(m, parent)->first_child; i; i = modules_node(m, i)->next) {
		const struct module_node *n = modules_node(m, i);
		char label[512];
		json_t *object;

		if (!n->total.all.launches)
			continue;
		modules_label(m, i, label, sizeof(label));
		object = figures_json(json_text(label), &n->cost, n->total.all.time_ns,
				      n->total.all.launches);
		json_object_set_new(object, "children", modules_json(o, i, level + 1));
		json_array_append_new(rows, object);
	}
	return rows;
}

static void print_json(const struct roofline_options *o, FILE *out)
{
	const struct profile *p = &o->analysis.profile;
	const struct profile_cost sum = total_cost(p);
	const double weights = distinct_weights(p);
	json_t *rows = o->analysis.wants_modules  ? modules_json(o, 0, 0)
		       : o->analysis.wants_phases ? phases_json(&o->analysis.phases)
						  : table_json(&p->axes[o->by]);

	json_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "axis",
			     o->analysis.wants_modules  ? "module"
			     : o->analysis.wants_phases ? "phase"
							: axis_name(o->by),
			     "time_ns", json_u64(p->time_ns), "flops", count_json(sum.flops),
			     "bytes_min", count_json(sum.bytes), "seconds_min",
			     real_or_null(sum.seconds_min), "traffic_intensity",
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
	command_parse(&argp, argc, argv, 0, &o);
	r = analysis_load(&o.analysis, "roofline");
	if (r == 0) {
		pager_begin();
		if (o.analysis.json)
			print_json(&o, stdout);
		else
			print_text(&o);
		r = analysis_exit_code(&o.analysis);
	}
	analysis_clear(&o.analysis);
	return r;
}
