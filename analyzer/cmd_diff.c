/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace diff - what changed from one run to another, and by how much. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "diff.h"
#include "json_text.h"
#include "pager.h"
#include "words.h"

#define BY "AXIS|module|phase"

enum { OPTION_BY = 256, OPTION_TOP, OPTION_DEPTH, OPTION_FULL_NAMES, OPTION_CSV, OPTION_AS_IS };

struct diff_options {
	struct analysis analysis; /* the options, and A */
	struct analysis other;    /* B */
	const char *paths[2];
	size_t nr_paths;
	struct diff diff;
	struct diff_view view;
	bool csv;
};

static const struct argp_option option_table[] = {
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = BY,
	  .doc = "One table, by an AXIS, or of phases; the tree of modules (module)" },
	{ .name = "depth",
	  .key = OPTION_DEPTH,
	  .arg = "N",
	  .doc = "Levels of the tree of --by module (all)" },
	{ .name = "top", .key = OPTION_TOP, .arg = "N", .doc = "Rows of long tables (20)" },
	{ .name = "full-names", .key = OPTION_FULL_NAMES, .doc = "Do not shorten kernel names" },
	{ .name = "csv",
	  .key = OPTION_CSV,
	  .doc = "The table of --by, or of operators, a row on a line" },
	{ .name = "as-is",
	  .key = OPTION_AS_IS,
	  .doc = "Compare sums as they are: look for no phases, so B's are not counted as often as "
		 "A's, and nothing is known of noise; faster with millions of launches" },
	{ 0 }
};

static size_t number(struct argp_state *state, const char *arg)
{
	char *end;
	const size_t value = strtoul(arg, &end, 10);

	if (*end || end == arg)
		argp_error(state, "'%s' is not a number", arg);
	return value;
}

static void set_by(struct diff_options *o, struct argp_state *state, const char *arg)
{
	const enum axis axis = axis_by_name(arg);

	o->diff.has_by = true;
	if (!strcmp(arg, "module"))
		o->diff.by = (struct tally_cut){ .cut = CUT_module };
	else if (!strcmp(arg, "phase"))
		o->diff.by = (struct tally_cut){ .cut = CUT_phase };
	else if (axis == AXIS_attention)
		o->diff.by = (struct tally_cut){ .cut = CUT_attention };
	else if (axis < NR_AXES)
		o->diff.by = (struct tally_cut){ .cut = CUT_axis, .axis = axis };
	else
		words_refuse(state, BY, arg);
	o->analysis.wants_modules = o->diff.by.cut == CUT_module;
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct diff_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_BY:
		set_by(o, state, arg);
		return 0;
	case OPTION_TOP:
		o->view.top = number(state, arg);
		return 0;
	case OPTION_DEPTH:
		o->view.depth = number(state, arg);
		return 0;
	case OPTION_FULL_NAMES:
		o->view.full_names = true;
		return 0;
	case OPTION_CSV:
		o->csv = true;
		return 0;
	case OPTION_AS_IS:
		o->diff.as_is = true;
		return 0;
	/* Not the child's: it would take both for one run. */
	case ARGP_KEY_ARG:
		if (o->nr_paths == 2)
			argp_error(state, "more than two runs: give the traces of one as a "
					  "directory");
		o->paths[o->nr_paths++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->nr_paths < 2)
			argp_error(state, "two runs are needed: A and B");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_argp }, { 0 } },
	.args_doc = "A B",
	.doc = "Say what changed from run A to run B: time by operator, kind, attention, kernel, "
	       "phase and module, whether that is more than noise, and whether attention's gain "
	       "explains the whole.\vA and B are each a file or a directory with *.ttt files.  "
	       "Phases that B ran more or less often than A count as often as A's.",
};

static int load(struct diff_options *o, struct diag *diag)
{
	struct analysis *sides[] = { &o->analysis, &o->other };
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		r = inputs_add(&sides[i]->inputs, o->paths[i], diag);
		if (r == 0)
			r = analysis_load(sides[i], "diff");
	}
	return r;
}

static int run(struct diff_options *o, struct diag *diag)
{
	struct diff *d = &o->diff;
	struct terminal t;
	FILE *out;
	int r;

	o->analysis.wants_phases = !d->as_is;
	if (d->has_by && d->by.cut == CUT_axis)
		o->analysis.by = d->by.axis;
	analysis_share(&o->other, &o->analysis);
	r = load(o, diag);
	if (r < 0)
		return r;
	d->is_cut = o->analysis.focus || o->analysis.is_chosen;
	r = diff_make(d, diag);
	if (r < 0)
		return r;
	pager_begin();
	if (o->analysis.json) {
		json_print(diff_json(d), 1, stdout);
	} else if (o->csv) {
		diff_csv(d, stdout);
	} else {
		terminal_detect(&t, o->analysis.ascii);
		out = terminal_open(&t);
		diff_text(d, &o->view, &t, out);
		terminal_close(out);
	}
	return analysis_exit_code(&o->analysis) == EXIT_FINE ? analysis_exit_code(&o->other)
							     : EXIT_DAMAGED;
}

int cmd_diff(int argc, char **argv, struct diag *diag)
{
	struct diff_options o = { .view.top = 20 };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	o.analysis.has_own_arguments = true;
	o.diff.sides[0] = &o.analysis;
	o.diff.sides[1] = &o.other;
	command_parse(&argp, argc, argv, 0, &o);
	r = run(&o, diag);
	diff_clear(&o.diff);
	analysis_clear(&o.other);
	analysis_clear(&o.analysis);
	return r;
}
