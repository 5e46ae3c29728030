/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace sweep - how time grows with image size, frames, batch, tokens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json_text.h"
#include "pager.h"
#include "sweep.h"
#include "words.h"

enum { OPTION_X = 256, OPTION_SERIES, OPTION_GROUP, OPTION_CSV, OPTION_AS_IS };

struct sweep_input {
	const char *path, *series;
};

struct sweep_options {
	struct analysis analysis; /* the options only */
	struct sweep sweep;
	struct sweep_input *inputs;
	size_t nr_inputs;
	const char *x, *series;
	enum sweep_group group;
	bool csv;
};

static const struct argp_option option_table[] = {
	{ .name = "x",
	  .key = OPTION_X,
	  .arg = "NAME[=V1,V2,...]",
	  .doc = "What is varied: image, frames, batch, steps, text or tokens as the traces say; "
		 "or "
		 "anything, with its value in each trace" },
	{ .name = "series",
	  .key = OPTION_SERIES,
	  .arg = "NAME",
	  .doc = "The traces behind it are a series of their own, as before and after a change; "
		 "may be repeated" },
	{ .name = "group",
	  .key = OPTION_GROUP,
	  .arg = "backend|none",
	  .doc = "Make a series of each backend of attention, or one of all; by default backends "
		 "that share a value of x are series" },
	{ .name = "csv", .key = OPTION_CSV, .doc = "Every row at every point on a line" },
	{ .name = "as-is",
	  .key = OPTION_AS_IS,
	  .doc = "Phases count once, however often they ran" },
	{ 0 }
};

static void set_group(struct sweep_options *o, struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "backend"))
		o->group = GROUP_backend;
	else if (!strcmp(arg, "none"))
		o->group = GROUP_none;
	else
		words_refuse(state, "backend|none", arg);
}

static void add_input(struct sweep_options *o, struct argp_state *state, const char *path)
{
	struct sweep_input *inputs = realloc(o->inputs, (o->nr_inputs + 1) * sizeof(*inputs));

	if (!inputs)
		argp_failure(state, EXIT_DAMAGED, 0, "no memory");
	o->inputs = inputs;
	inputs[o->nr_inputs++] = (struct sweep_input){ path, o->series };
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct sweep_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_X:
		o->x = arg;
		return 0;
	case OPTION_SERIES:
		o->series = arg;
		return 0;
	case OPTION_GROUP:
		set_group(o, state, arg);
		return 0;
	case OPTION_CSV:
		o->csv = true;
		return 0;
	case OPTION_AS_IS:
		o->sweep.as_is = true;
		return 0;
	case ARGP_KEY_ARG:
		add_input(o, state, arg);
		return 0;
	case ARGP_KEY_END:
		if (o->nr_inputs < 2)
			argp_error(state, "a sweep is of two runs or more");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_argp }, { 0 } },
	.args_doc = "TRACE TRACE...",
	.doc = "Say how time and FLOPs of each operator grow with image size, frames, batch or "
	       "tokens: exponents with their confidence, attention against convolution, temporal "
	       "against spatial attention, and how well smaller runs predict the largest.\vEach "
	       "TRACE is one run: a file or a directory with *.ttt files.  What is varied is found "
	       "in their shapes, or given with --x.",
};

/* One after the other: only sums stay. */
static int add_runs(struct sweep_options *o, bool *ret_damaged, struct diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < o->nr_inputs && r == 0; i++) {
		struct analysis a;

		analysis_share(&a, &o->analysis);
		r = inputs_add(&a.inputs, o->inputs[i].path, diag);
		if (r == 0)
			r = analysis_load(&a, "sweep");
		if (r == 0 && sweep_add(&o->sweep, &a, o->inputs[i].path, o->inputs[i].series) < 0)
			r = diag_set(diag, -ENOMEM, "no memory");
		*ret_damaged |= r == 0 && analysis_exit_code(&a) != EXIT_FINE;
		analysis_clear(&a);
	}
	return r;
}

static void print(const struct sweep_options *o)
{
	struct terminal t;
	FILE *out;

	pager_begin();
	if (o->analysis.json) {
		json_print(sweep_json(&o->sweep), 1, stdout);
	} else if (o->csv) {
		sweep_csv(&o->sweep, stdout);
	} else {
		terminal_detect(&t, o->analysis.ascii);
		out = terminal_open(&t);
		sweep_text(&o->sweep, &t, out);
		terminal_close(out);
	}
}

static int run(struct sweep_options *o, struct diag *diag)
{
	bool is_damaged = false;
	int r;

	o->analysis.wants_phases = true;
	r = add_runs(o, &is_damaged, diag);
	if (r < 0)
		return r;
	r = sweep_finish(&o->sweep, o->x, o->group, diag);
	/* Not the traces' fault: they do not belong together, or nobody can say how. */
	if (r == -EINVAL) {
		fprintf(stderr, "ttitrace sweep: %s\n", diag->message);
		return EXIT_USAGE;
	}
	if (r < 0)
		return r;
	print(o);
	return is_damaged ? EXIT_DAMAGED : EXIT_FINE;
}

int cmd_sweep(int argc, char **argv, struct diag *diag)
{
	struct sweep_options o = { .x = NULL };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	o.analysis.has_own_arguments = true;
	/* In order: --series is about what stands behind it. */
	command_parse(&argp, argc, argv, ARGP_IN_ORDER, &o);
	r = run(&o, diag);
	sweep_clear(&o.sweep);
	free(o.inputs);
	analysis_clear(&o.analysis);
	return r;
}
