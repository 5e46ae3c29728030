/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "command.h"
#include "json_text.h"
#include "page.h"
#include "pager.h"
#include "report.h"
#include "words.h"

#define BY "AXIS|module|phase|stack"

enum {
	OPTION_TOP = 256,
	OPTION_BY,
	OPTION_FULL_NAMES,
	OPTION_STACKS,
	OPTION_DEPTH,
	OPTION_LINES,
	OPTION_HTML
};

struct report_options {
	struct analysis analysis;
	enum axis by;
	bool by_stack; /* a tree, no axis */
	enum stacks stacks;
	size_t depth; /* of the tree of modules, 0: all of it */
	size_t top;
	bool full_names, with_lines;
	const char *html; /* where the page goes; NULL: there is none */
};

static const struct argp_option option_table[] = {
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = BY,
	  .doc = "One table, by an AXIS; the tree of modules (module) or of callers (stack), or "
		 "steps over time (phase)" },
	{ .name = "depth",
	  .key = OPTION_DEPTH,
	  .arg = "N",
	  .doc = "Levels of the tree of --by module (all)" },
	{ .name = "stacks",
	  .key = OPTION_STACKS,
	  .arg = "native|python|both",
	  .doc = "Which frames --by stack has (both)" },
	{ .name = "lines",
	  .key = OPTION_LINES,
	  .doc = "With --by stack: inlined functions and source lines, where there is debug "
		 "information" },
	{ .name = "top", .key = OPTION_TOP, .arg = "N", .doc = "Rows of long tables (20)" },
	{ .name = "html",
	  .key = OPTION_HTML,
	  .arg = "FILE",
	  .doc = "Everything as one page for a browser, in FILE (-: standard output); several "
		 "TRACEs are compared in it" },
	{ .name = "full-names", .key = OPTION_FULL_NAMES, .doc = "Do not shorten kernel names" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct report_options *o = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_BY:
		o->by = axis_by_name(arg);
		o->analysis.by = o->by;
		o->by_stack = !strcmp(arg, "stack");
		o->analysis.wants_modules = !strcmp(arg, "module");
		o->analysis.wants_calls = o->analysis.wants_modules;
		o->analysis.wants_phases = !strcmp(arg, "phase");
		if (o->by == NR_AXES && !o->by_stack && !o->analysis.wants_modules &&
		    !o->analysis.wants_phases)
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
	case OPTION_STACKS:
		o->stacks = stacks_by_name(arg);
		if (o->stacks == NR_STACKS)
			words_refuse(state, "native|python|both", arg);
		return 0;
	case OPTION_LINES:
		o->with_lines = true;
		return 0;
	case OPTION_FULL_NAMES:
		o->full_names = true;
		return 0;
	case OPTION_HTML:
		o->html = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->html)
			return 0;
		if (o->analysis.json || o->by < NR_AXES || o->by_stack ||
		    o->analysis.wants_modules || o->analysis.wants_phases)
			argp_error(state, "--html has all tables: it goes with no --json, no --by");
		o->analysis.wants_modules = o->analysis.wants_phases = true;
		o->analysis.wants_phase_items = true;
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
	.doc = "Say where the GPU time of a run went: coverage and losses first, then operators, "
	       "kinds, attention and kernels.\vA TRACE is a file or a directory with *.ttt files; "
	       "several are one run.  Without any, the traces of the newest run in the current "
	       "directory.",
};

static int write_page(const struct report_options *o, struct diag *diag)
{
	struct report report = {
		.run = &o->analysis.run,
		.profile = &o->analysis.profile,
		.by = NR_AXES,
		.objects = frame_symbols_objects(o->analysis.symbols),
	};

	run_coverage(&o->analysis.run, &report.coverage);
	run_gpu(&o->analysis.run, &report.gpu);
	return page_write(o->html, &o->analysis, &report, diag);
}

static void print_report(const struct report_options *o, const struct call_tree *stacks)
{
	struct report report = {
		.run = &o->analysis.run,
		.profile = &o->analysis.profile,
		.by = o->by,
		.modules = o->analysis.wants_modules ? o->analysis.modules : NULL,
		.phases = o->analysis.wants_phases ? &o->analysis.phases : NULL,
		.depth = o->depth,
		.stacks = stacks,
		.objects = frame_symbols_objects(o->analysis.symbols),
		.top = o->top,
		.full_names = o->full_names,
	};
	struct terminal terminal;
	FILE *out;

	pager_begin();
	run_coverage(&o->analysis.run, &report.coverage);
	run_gpu(&o->analysis.run, &report.gpu);
	if (o->analysis.json) {
		json_print(report_json(&report), 1, stdout);
	} else {
		terminal_detect(&terminal, o->analysis.ascii);
		out = terminal_open(&terminal);
		report_text(&report, &terminal, out);
		terminal_close(out);
	}
}

static int report(const struct report_options *o, struct diag *diag)
{
	const struct call_tree_setup setup = {
		.stacks = o->stacks,
		.full_names = o->full_names,
		.with_lines = o->with_lines,
		.symbols = o->analysis.symbols,
	};
	struct call_tree stacks;
	int r;

	if (o->html)
		return write_page(o, diag);
	if (!o->by_stack) {
		print_report(o, NULL);
		return 0;
	}
	r = call_tree_make(&stacks, &o->analysis.run, &o->analysis.profile, &setup, diag);
	if (r < 0)
		return r;
	print_report(o, &stacks);
	call_tree_clear(&stacks);
	return 0;
}

int cmd_report(int argc, char **argv, struct diag *diag)
{
	struct report_options o = { .by = NR_AXES, .top = 20 };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	command_parse(&argp, argc, argv, 0, &o);
	r = o.html ? page_check(diag) : 0;
	if (r == 0)
		r = analysis_load(&o.analysis, "report");
	if (r == 0)
		r = report(&o, diag);
	if (r == 0)
		r = analysis_exit_code(&o.analysis);
	analysis_clear(&o.analysis);
	return r;
}
