/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace export - the run in formats that other programs read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "export.h"
#include "output.h"
#include "words.h"

enum {
	OPTION_FORMAT = 256,
	OPTION_WHAT,
	OPTION_STACKS,
	OPTION_FULL_NAMES,
	OPTION_LINES,
	OPTION_OUTPUT = 'o'
};

struct export_options {
	struct analysis analysis;
	struct call_tree_setup stacks;
	const struct export_format *format;
	const struct sheet *sheet; /* NULL: not said */
	bool has_stacks;
	const char *path; /* NULL: standard output */
};

static const struct argp_option option_table[] = {
	{ .name = "format",
	  .key = OPTION_FORMAT,
	  .arg = "FORMAT",
	  .doc = "Which format; the list is below" },
	{ .name = "what",
	  .key = OPTION_WHAT,
	  .arg = "SHEET",
	  .doc = "Rows of what, for formats of rows; the list is below (launches)" },
	{ .name = "stacks",
	  .key = OPTION_STACKS,
	  .arg = "native|python|both",
	  .doc = "Which frames, for formats of stacks (both)" },
	{ .name = "full-names",
	  .key = OPTION_FULL_NAMES,
	  .doc = "Do not shorten the names of kernels and functions on stacks" },
	{ .name = "lines",
	  .key = OPTION_LINES,
	  .doc = "Inlined functions and source lines on stacks, where there is debug information" },
	{ .name = "output",
	  .key = OPTION_OUTPUT,
	  .arg = "FILE",
	  .doc = "Write to FILE instead of standard output, which is -; what ends in .gz is "
		 "compressed" },
	/* Lists below the options. */
	{ .doc = "Formats:", .group = 1 },
#define EXPORT(id, source, is_binary, makes_file, what) \
	{ .name = #id, .flags = OPTION_DOC | OPTION_NO_USAGE, .doc = what, .group = 1 },
#include "exports.def"
#undef EXPORT
	{ .doc = "Sheets, for formats of rows:", .group = 2 },
#define SHEET(id, columns, axis, what) \
	{ .name = #id, .flags = OPTION_DOC | OPTION_NO_USAGE, .doc = what, .group = 2 },
#include "sheets.def"
#undef SHEET
	{ 0 }
};

static void check(const struct export_options *o, struct argp_state *state)
{
	if (!o->format)
		argp_error(state, "in which format? --format=folded, say; --help lists them");
	if (o->sheet && o->format->source != SOURCE_sheet)
		argp_error(state, "--what is for formats of rows; %s is none", o->format->name);
	if (o->has_stacks && o->format->source != SOURCE_stacks)
		argp_error(state, "--stacks is for formats of stacks; %s is none", o->format->name);
	if (o->format->is_binary && (!o->path || !strcmp(o->path, "-")) && isatty(STDOUT_FILENO))
		argp_error(state, "%s is no text for a terminal: say where it goes with -o FILE",
			   o->format->name);
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct export_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		state->child_inputs[1] = &o->analysis;
		return 0;
	case OPTION_FORMAT:
		o->format = export_format_by_name(arg);
		if (!o->format)
			words_refuse(state, "FORMAT", arg);
		return 0;
	case OPTION_WHAT:
		o->sheet = sheet_by_name(arg);
		if (!o->sheet)
			words_refuse(state, "SHEET", arg);
		return 0;
	case OPTION_STACKS:
		o->has_stacks = true;
		o->stacks.stacks = stacks_by_name(arg);
		if (o->stacks.stacks == NR_STACKS)
			words_refuse(state, "native|python|both", arg);
		return 0;
	case OPTION_LINES:
		o->stacks.with_lines = true;
		return 0;
	case OPTION_FULL_NAMES:
		o->stacks.full_names = true;
		return 0;
	case OPTION_OUTPUT:
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		check(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_places_argp },
						 { .argp = &analysis_evidence_argp },
						 { 0 } },
	.args_doc = "[TRACE...]",
	.doc = "Write what a run did in a format that other programs read.\v"
	       "A TRACE is a file or a directory with *.ttt files; several are one run.  Without "
	       "any, the traces of the newest run in the current directory.",
};

static int write_format(const struct export_options *o, struct diag *diag)
{
	struct export export = {
		.analysis = &o->analysis,
		.sheet = o->sheet,
		.stacks = o->stacks,
		.path = o->path,
		.diag = diag,
	};
	struct output output;
	int r;

	export.stacks.symbols = o->analysis.symbols;
	if (o->format->makes_file)
		return o->format->write(&export);
	r = output_open(&output, o->path, diag);
	if (r < 0)
		return r;
	export.out = output.file;
	return output_close(&output, o->format->write(&export), diag);
}

static int export(struct export_options *o, struct diag *diag)
{
	struct analysis *a = &o->analysis;
	int r;

	if (!o->sheet)
		o->sheet = sheet_at(0);
	a->by = o->format->source == SOURCE_sheet ? o->sheet->axis : NR_AXES;
	a->wants_modules = a->wants_phases = o->format->source != SOURCE_stacks;
	a->is_by_rows = o->format->source == SOURCE_rows ||
			(o->format->source == SOURCE_sheet && o->sheet == sheet_at(0));
	r = analysis_load(a, "export");
	if (r < 0)
		return r;
	if (a->profile.is_host_time)
		fputs("ttitrace export: no GPU times in this trace: the times are the host's in "
		      "the launching calls\n",
		      stderr);
	r = write_format(o, diag);
	return r < 0 ? r : analysis_exit_code(a);
}

int cmd_export(int argc, char **argv, struct diag *diag)
{
	struct export_options o = { .path = NULL };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	command_parse(&argp, argc, argv, 0, &o);
	r = export(&o, diag);
	analysis_clear(&o.analysis);
	return r;
}
