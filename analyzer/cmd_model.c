/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace model - the work and memory of an architecture, from its description. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "forward_output.h"
#include "json_text.h"
#include "pager.h"
#include "presets.h"
#include "words.h"

enum {
	OPTION_SET = 256,
	OPTION_BY,
	OPTION_PART,
	OPTION_GPU,
	OPTION_SWEEP,
	OPTION_AGAINST,
	OPTION_TOLERANCE,
	OPTION_ATTENTION,
	OPTION_LIST,
	OPTION_SHOW,
	OPTION_CSV,
};

enum { VALUES_MAX = 64 };

#define BY "part|operator|level|layer"

struct model_options {
	struct analysis analysis; /* the options only */
	struct architecture *architecture;
	const char *name, *gpu, *part;
	const char **assignments, **traces;
	size_t nr_assignments, nr_traces;
	char *sweep; /* "NAME=a,b,c" */
	double tolerance;
	enum cut_of_model by;
	bool is_baseline, lists, shows, csv;
};

static const struct argp_option option_table[] = {
	{ .name = "set",
	  .key = OPTION_SET,
	  .arg = "NAME=VALUE",
	  .doc = "A parameter of the description, such as px=768; may be repeated" },
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = BY,
	  .doc = "By part and operator (part, the default), operator, level (attentions by "
		 "sequence length), or layer" },
	{ .name = "part",
	  .key = OPTION_PART,
	  .arg = "NAME",
	  .doc = "Only parts with NAME in their name, such as 'denoising'" },
	{ .name = "gpu",
	  .key = OPTION_GPU,
	  .arg = "NAME",
	  .doc = "What it takes at best on this GPU, such as H200 or A100, and whether it fits; "
		 "with --against the trace says which" },
	{ .name = "attention",
	  .key = OPTION_ATTENTION,
	  .arg = "fused|baseline",
	  .doc = "Bytes and times of attention in one kernel (fused, the default), or of two "
		 "products and a softmax (baseline)" },
	{ .name = "sweep",
	  .key = OPTION_SWEEP,
	  .arg = "NAME=V1,V2,...",
	  .doc = "A line for each value of a parameter, such as px=256,512,1024" },
	{ .name = "against",
	  .key = OPTION_AGAINST,
	  .arg = "TRACE",
	  .doc = "Lay it beside a run: calls, FLOPs, sequence lengths and times, by phase, "
		 "operator and level; what follows MODEL are more of them" },
	{ .name = "tolerance",
	  .key = OPTION_TOLERANCE,
	  .arg = "PERCENT",
	  .doc = "By how much FLOPs of --against may differ (0.1); if they do, or if sequence "
		 "lengths do, the exit code is 1" },
	{ .name = "csv", .key = OPTION_CSV, .doc = "The table as comma-separated values" },
	{ .name = "list", .key = OPTION_LIST, .doc = "The presets, and end" },
	{ .name = "show",
	  .key = OPTION_SHOW,
	  .doc = "The description itself, as a start for one's own, and end" },
	{ 0 }
};

static const char *const cuts[NR_CUTS_OF_MODEL] = { [CUT_BY_part] = "part",
						    [CUT_BY_operator] = "operator",
						    [CUT_BY_level] = "level",
						    [CUT_BY_layer] = "layer" };

static void append(struct argp_state *state, const char ***list, size_t *nr, const char *text)
{
	const char **more = realloc(*list, (*nr + 1) * sizeof(*more));

	if (!more)
		argp_failure(state, EXIT_DAMAGED, 0, "no memory");
	*list = more;
	more[(*nr)++] = text;
}

static void set_by(struct model_options *o, struct argp_state *state, const char *arg)
{
	for (enum cut_of_model c = 0; c < NR_CUTS_OF_MODEL; c++)
		if (!strcmp(cuts[c], arg)) {
			o->by = c;
			return;
		}
	words_refuse(state, BY, arg);
}

static void set_gpu(struct model_options *o, struct argp_state *state, const char *arg)
{
	struct peaks peaks;

	peaks_of_device(arg, &peaks);
	if (!peaks.gpu)
		argp_error(state, "the peaks of '%s' are not known", arg);
	o->gpu = arg;
}

static void set_tolerance(struct model_options *o, struct argp_state *state, const char *arg)
{
	char *end;

	o->tolerance = strtod(arg, &end) / 100;
	if (end == arg || *end || !(o->tolerance >= 0))
		argp_error(state, "'%s' is no percentage", arg);
}

static void set_attention(struct model_options *o, struct argp_state *state, const char *arg)
{
	o->is_baseline = !strcmp(arg, "baseline");
	if (!o->is_baseline && strcmp(arg, "fused") != 0)
		words_refuse(state, "fused|baseline", arg);
}

static void end_options(const struct model_options *o, struct argp_state *state)
{
	if (!o->name && !o->lists)
		argp_error(state, "which model? --list has the presets");
	if (o->nr_traces && o->sweep)
		argp_error(state, "--sweep and --against exclude each other");
	if (o->nr_traces && o->part)
		argp_error(state, "--part and --against exclude each other");
	if (o->csv && o->analysis.json)
		argp_error(state, "--csv and --json exclude each other");
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct model_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_SET:
		append(state, &o->assignments, &o->nr_assignments, arg);
		return 0;
	case OPTION_BY:
		set_by(o, state, arg);
		return 0;
	case OPTION_PART:
		o->part = arg;
		return 0;
	case OPTION_GPU:
		set_gpu(o, state, arg);
		return 0;
	case OPTION_ATTENTION:
		set_attention(o, state, arg);
		return 0;
	case OPTION_SWEEP:
		o->sweep = arg;
		return 0;
	case OPTION_TOLERANCE:
		set_tolerance(o, state, arg);
		return 0;
	case OPTION_AGAINST:
		append(state, &o->traces, &o->nr_traces, arg);
		return 0;
	case OPTION_CSV:
		o->csv = true;
		return 0;
	case OPTION_LIST:
		o->lists = true;
		return 0;
	case OPTION_SHOW:
		o->shows = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!o->name)
			o->name = arg;
		else if (o->nr_traces)
			append(state, &o->traces, &o->nr_traces, arg);
		else
			argp_error(state, "one model; traces follow --against");
		return 0;
	case ARGP_KEY_END:
		end_options(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_argp }, { 0 } },
	.args_doc = "MODEL [--against TRACE...]",
	.doc = "Walk the forward pass of an architecture and say what it has to do and to keep: "
	       "FLOPs, bytes, weights, sequence lengths, similarity matrices, caches, and the time "
	       "that a GPU needs at best.\vMODEL is a preset (--list) or a file that describes one "
	       "in JSON; ttitrace-model(1) says how.  FLOPs are counted as "
	       "torch.utils.flop_counter "
	       "does: no bias, causal attention in full.",
};

/* --- presets ---------------------------------------------------------------------------------- */

static int list_presets(bool json, struct diag *diag)
{
	json_t *rows = json_array();
	struct preset p;
	int r = 0;

	for (size_t i = 0; r == 0 && preset_at(i, &p); i++) {
		struct architecture *a;

		r = architecture_load(p.name, &a, diag);
		if (r < 0)
			break;
		/* Some have but blocks, for others to include. */
		if (architecture_nr_parts(a) && json)
			json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "preset", p.name,
							      "name", architecture_name(a), "note",
							      architecture_note(a)));
		else if (architecture_nr_parts(a))
			printf("%-16s %s: %s\n", p.name, architecture_name(a),
			       architecture_note(a));
		architecture_free(a);
	}
	if (json && r == 0)
		json_print(rows, 1, stdout);
	else
		json_decref(rows);
	return r;
}

/* --- sweep ------------------------------------------------------------------------------------ */

static int by_x(const void *a, const void *b)
{
	const struct forward_point *x = a, *y = b;

	return (x->x > y->x) - (x->x < y->x);
}

static int add_point(struct model_options *o, const struct forward_setup *setup, const char *value,
		     struct forward_sweep *s, struct diag *diag)
{
	struct forward_point *point = &s->points[s->nr];
	char assignment[128], *end;
	int r;

	if (s->nr == VALUES_MAX)
		return diag_set(diag, -EINVAL, "more than %d values", VALUES_MAX);
	point->x = strtod(value, &end);
	if (end == value || *end || !isfinite(point->x))
		return diag_set(diag, -EINVAL, "'%s' is not a number", value);
	snprintf(assignment, sizeof(assignment), "%s=%s", s->name, value);
	r = architecture_set(o->architecture, assignment, diag);
	if (r == 0)
		r = forward_make(&point->forward, o->architecture, setup, diag);
	if (r == 0)
		s->nr++;
	return r;
}

static int make_sweep(struct model_options *o, const struct forward_setup *setup,
		      struct forward_sweep *s, struct diag *diag)
{
	char *values = strchr(o->sweep, '='), *rest = NULL;
	int r = 0;

	if (!values)
		return diag_set(diag, -EINVAL, "'%s' is not NAME=V1,V2,...", o->sweep);
	*values++ = '\0';
	s->name = o->sweep;
	s->points = calloc(VALUES_MAX + 1, sizeof(*s->points));
	if (!s->points)
		return diag_set(diag, -ENOMEM, "no memory");
	for (char *value = strtok_r(values, ",", &rest); value && r == 0;
	     value = strtok_r(NULL, ",", &rest))
		r = add_point(o, setup, value, s, diag);
	if (r == 0 && !s->nr)
		r = diag_set(diag, -EINVAL, "--sweep has no values");
	qsort(s->points, s->nr, sizeof(*s->points), by_x);
	return r;
}

static int run_sweep(struct model_options *o, struct forward_view *v,
		     const struct forward_setup *setup, const struct terminal *t, struct diag *diag)
{
	struct forward_sweep s = { 0 };
	FILE *out;
	int r = make_sweep(o, setup, &s, diag);

	if (r == 0 && o->analysis.json)
		json_print(forward_sweep_json(&s), 1, stdout);
	else if (r == 0 && o->csv)
		forward_sweep_csv(&s, stdout);
	else if (r == 0) {
		out = terminal_open(t);
		forward_sweep_text(v, &s, t, out);
		terminal_close(out);
	}
	for (size_t i = 0; i < s.nr; i++)
		forward_clear(&s.points[i].forward);
	free(s.points);
	return r;
}

/* --- against traces --------------------------------------------------------------------------- */

/* The first device's, as the user overrides it. */
static void peaks_of_run(const struct model_options *o, const struct analysis *run,
			 struct peaks *ret)
{
	const char *name = o->gpu;

	for (size_t i = 0; i < run->run.nr && !name; i++) {
		const struct model *m = &run->run.traces[i]->model;

		for (size_t k = 0; k < m->devices.nr && !name; k++)
			name = m->device_names.rows[k] ? m->device_names.rows[k]->text : NULL;
	}
	peaks_of_device(name, ret);
	peaks_override(ret, &o->analysis.peaks);
}

/* What one run taught is not for the next one. */
static int fresh_architecture(struct model_options *o, struct diag *diag)
{
	int r;

	architecture_free(o->architecture);
	o->architecture = NULL;
	r = architecture_load(o->name, &o->architecture, diag);
	for (size_t i = 0; i < o->nr_assignments && r == 0; i++)
		r = architecture_set(o->architecture, o->assignments[i], diag);
	return r;
}

static void print_agreement(const struct model_options *o, const struct forward_view *v,
			    const struct agreement *g, size_t index, const struct terminal *t,
			    json_t *all)
{
	const char *trace = o->traces[index];
	FILE *out;

	if (o->analysis.json)
		json_array_append_new(all, agreement_json(v, g, trace));
	else if (o->csv)
		agreement_csv(g, trace, index == 0, stdout);
	else {
		out = terminal_open(t);
		agreement_text(g, trace, t, out);
		terminal_close(out);
	}
}

static int compare(struct model_options *o, struct analysis *run, size_t index,
		   const struct terminal *t, json_t *all, bool *ret_holds, struct diag *diag)
{
	struct peaks peaks;
	struct forward_setup setup = { .peaks = &peaks,
				       .is_baseline = o->is_baseline,
				       .wants_lengths = true };
	struct forward_view v = { .peaks = &peaks };
	struct agreement g;
	struct forward f;
	int r = agreement_find(o->architecture, run, diag);

	peaks_of_run(o, run, &peaks);
	if (r == 0)
		r = forward_make(&f, o->architecture, &setup, diag);
	if (r < 0)
		return r;
	v.architecture = o->architecture;
	v.forward = &f;
	r = agreement_make(&g, &f, run, o->tolerance);
	if (r < 0) {
		r = diag_set(diag, r, "no memory");
	} else {
		print_agreement(o, &v, &g, index, t, all);
		*ret_holds &= agreement_holds(&g);
		agreement_clear(&g);
	}
	forward_clear(&f);
	return r;
}

static int run_against(struct model_options *o, const struct terminal *t, struct diag *diag)
{
	json_t *all = json_array();
	bool holds = true, is_damaged = false;
	int r = 0;

	for (size_t i = 0; i < o->nr_traces && r == 0; i++) {
		struct analysis run;

		analysis_share(&run, &o->analysis);
		run.wants_phases = true;
		r = fresh_architecture(o, diag);
		if (r == 0)
			r = inputs_add(&run.inputs, o->traces[i], diag);
		if (r == 0)
			r = analysis_load(&run, "model");
		if (r == 0)
			r = compare(o, &run, i, t, all, &holds, diag);
		is_damaged |= r == 0 && analysis_exit_code(&run) != EXIT_FINE;
		analysis_clear(&run);
	}
	if (o->analysis.json && r == 0)
		json_print(all, 1, stdout);
	else
		json_decref(all);
	if (r < 0)
		return r;
	return holds && !is_damaged ? EXIT_FINE : EXIT_DAMAGED;
}

/* --- all -------------------------------------------------------------------------------------- */

static int run_model(struct model_options *o, struct forward_view *v,
		     const struct forward_setup *setup, const struct terminal *t, struct diag *diag)
{
	struct forward f;
	FILE *out;
	int r = forward_make(&f, o->architecture, setup, diag);

	if (r < 0)
		return r;
	v->forward = &f;
	if (o->analysis.json)
		json_print(forward_json(v), 1, stdout);
	else if (o->csv)
		forward_csv(v, stdout);
	else {
		out = terminal_open(t);
		forward_text(v, t, out);
		terminal_close(out);
	}
	forward_clear(&f);
	return 0;
}

static int run(struct model_options *o, struct diag *diag)
{
	struct peaks peaks;
	const struct forward_setup setup = { .peaks = o->gpu ? &peaks : NULL,
					     .is_baseline = o->is_baseline,
					     .wants_layers = o->by == CUT_BY_layer,
					     .part = o->part };
	struct forward_view v = { .peaks = setup.peaks,
				  .by = o->by,
				  .is_baseline = o->is_baseline };
	struct terminal t;
	int r;

	if (o->lists)
		return list_presets(o->analysis.json, diag);
	pager_begin();
	terminal_detect(&t, o->analysis.ascii);
	peaks_of_device(o->gpu, &peaks);
	peaks_override(&peaks, &o->analysis.peaks);
	r = fresh_architecture(o, diag);
	v.architecture = o->architecture;
	if (r == 0 && o->shows)
		json_print(architecture_json(o->architecture), 2, stdout);
	else if (r == 0 && o->nr_traces)
		r = run_against(o, &t, diag);
	else if (r == 0 && o->sweep)
		r = run_sweep(o, &v, &setup, &t, diag);
	else if (r == 0)
		r = run_model(o, &v, &setup, &t, diag);
	return r;
}

int cmd_model(int argc, char **argv, struct diag *diag)
{
	struct model_options o = { .tolerance = 0.001 };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	o.analysis.has_own_arguments = true;
	command_parse(&argp, argc, argv, 0, &o);
	r = run(&o, diag);
	/* A description, a parameter, a value: the words of the command line, not a trace. */
	if (r == -EINVAL || (r == -ENOENT && !o.architecture)) {
		fprintf(stderr, "ttitrace model: %s\n", diag->message);
		r = EXIT_USAGE;
	}
	architecture_free(o.architecture);
	free(o.assignments);
	free(o.traces);
	analysis_clear(&o.analysis);
	return r;
}
