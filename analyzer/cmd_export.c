/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "command.h"
#include "output.h"
#include "report_stacks.h"

enum { OPTION_FORMAT = 256, OPTION_STACKS, OPTION_FULL_NAMES, OPTION_OUTPUT = 'o' };

struct export_options {
	struct analysis analysis;
	struct call_tree_setup setup;
	const char *path; /* NULL: standard output */
	bool has_format;
};

static const struct argp_option option_table[] = {
	{ .name = "format",
	  .key = OPTION_FORMAT,
	  .arg = "FORMAT",
	  .doc = "folded: a line for each stack, its frames from the outermost to the kernel with "
		 "';' between them, and nanoseconds; flame graphs are made of it" },
	{ .name = "stacks",
	  .key = OPTION_STACKS,
	  .arg = "SORT",
	  .doc = "Which frames: native, python, or both (the default)" },
	{ .name = "full-names",
	  .key = OPTION_FULL_NAMES,
	  .doc = "Do not shorten the names of kernels and functions" },
	{ .name = "output",
	  .key = OPTION_OUTPUT,
	  .arg = "FILE",
	  .doc = "Write to FILE instead of standard output" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct export_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_FORMAT:
		o->has_format = !strcmp(arg, "folded");
		if (!o->has_format)
			argp_error(state, "there is no format '%s'; there is folded", arg);
		return 0;
	case OPTION_STACKS:
		o->setup.stacks = stacks_by_name(arg);
		if (o->setup.stacks == NR_STACKS)
			argp_error(state, "'%s' is none of native, python, both", arg);
		return 0;
	case OPTION_FULL_NAMES:
		o->setup.full_names = true;
		return 0;
	case OPTION_OUTPUT:
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->has_format)
			argp_error(state, "in which format? --format=folded");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_evidence_argp }, { 0 } },
	.args_doc = "[TRACE...]",
	.doc = "Write what a run did in a format that other programs read, weighted by GPU time.\v"
	       "A TRACE is a file or a directory with *.ttt files; several are one run.  Without "
	       "any, the traces of the newest run in the current directory.",
};

static int write_tree(const struct export_options *o, const struct call_tree *tree,
		      struct diag *diag)
{
	FILE *out = output_open(o->path, diag);
	int r, closed;

	if (!out)
		return -EIO;
	r = stacks_folded(tree, out);
	if (r < 0)
		diag_set(diag, r, "no memory");
	closed = output_close(out, o->path, diag);
	return r < 0 ? r : closed;
}

static int export(struct export_options *o, struct diag *diag)
{
	struct call_tree tree;
	int r = analysis_load(&o->analysis, "export");

	if (r < 0)
		return r;
	if (o->analysis.profile.is_host_time)
		fputs("ttitrace export: no GPU times in this trace: the times are the host's in "
		      "the launching calls\n",
		      stderr);
	o->setup.symbols = o->analysis.symbols;
	r = call_tree_make(&tree, &o->analysis.run, &o->analysis.profile, &o->setup, diag);
	if (r < 0)
		return r;
	r = write_tree(o, &tree, diag);
	call_tree_clear(&tree);
	return r < 0 ? r : analysis_exit_code(&o->analysis);
}

int cmd_export(int argc, char **argv, struct diag *diag)
{
	struct export_options o = { .path = NULL };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	r = export(&o, diag);
	analysis_clear(&o.analysis);
	return r;
}
