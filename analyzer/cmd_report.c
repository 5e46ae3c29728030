/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "json_text.h"
#include "report.h"

enum {
	OPTION_TOP = 256,
	OPTION_BY,
	OPTION_FULL_NAMES,
	OPTION_ASCII,
	OPTION_RULES,
	OPTION_SYMBOLS,
	OPTION_JSON
};

struct report_options {
	struct inputs inputs;
	struct classifier *classifier;
	struct frame_symbols *symbols; /* NULL: none are given */
	enum axis by;
	size_t top;
	bool full_names, ascii, json;
	int err;
	struct diag *diag;
};

static const struct argp_option option_table[] = {
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = "AXIS",
	  .doc = "One table, by operator, kind, kernel, shape, library-call, attention, evidence, "
		 "stream, device or process" },
	{ .name = "top", .key = OPTION_TOP, .arg = "N", .doc = "Rows of long tables (20)" },
	{ .name = "full-names", .key = OPTION_FULL_NAMES, .doc = "Do not shorten kernel names" },
	{ .name = "rules",
	  .key = OPTION_RULES,
	  .arg = "FILE",
	  .doc = "Ask the rules of FILE before the built-in ones; may be repeated" },
	{ .name = "symbols",
	  .key = OPTION_SYMBOLS,
	  .arg = "FILE",
	  .doc = "Names of the addresses on native stacks, for traces from elsewhere: lines of a "
		 "hexadecimal address, a tab and a symbol" },
	{ .name = "ascii", .key = OPTION_ASCII, .doc = "No characters beyond ASCII" },
	{ .name = "json", .key = OPTION_JSON, .doc = "Everything as one JSON object" },
	{ 0 }
};

static error_t keep(struct report_options *o, int err)
{
	if (err < 0 && !o->err)
		o->err = err;
	return 0;
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct report_options *o = state->input;
	char *end;

	/* The first thing that went wrong is the one to tell. */
	if (o->err)
		return 0;
	switch (key) {
	case OPTION_BY:
		o->by = axis_by_name(arg);
		if (o->by == NR_AXES)
			argp_error(state, "there is no axis '%s'", arg);
		return 0;
	case OPTION_TOP:
		o->top = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	case OPTION_FULL_NAMES:
		o->full_names = true;
		return 0;
	case OPTION_ASCII:
		o->ascii = true;
		return 0;
	case OPTION_JSON:
		o->json = true;
		return 0;
	case OPTION_RULES:
		if (classifier_add_rules(o->classifier, arg, o->diag) < 0)
			argp_error(state, "%s", o->diag->message);
		return 0;
	case OPTION_SYMBOLS:
		if (!o->symbols)
			o->symbols = frame_symbols_new();
		if (!o->symbols || frame_symbols_read(o->symbols, arg, o->diag) < 0)
			argp_error(state, "%s", o->symbols ? o->diag->message : "no memory");
		return 0;
	case ARGP_KEY_ARG:
		return keep(o, inputs_add(&o->inputs, arg, o->diag));
	case ARGP_KEY_NO_ARGS:
		return keep(o, inputs_add_newest(&o->inputs, ".", o->diag));
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.args_doc = "[TRACE...]",
	.doc = "Say where the GPU time of a run went: coverage and losses first, then operators, "
	       "kinds and kernels.\vA TRACE is a file or a directory with *.ttt files; several are "
	       "one run.  Without any, the traces of the newest run in the current directory.",
};

static void tell_inputs(const struct inputs *in)
{
	if (in->nr == 1)
		fprintf(stderr, "ttitrace report: %s\n", in->paths[0]);
	else
		fprintf(stderr, "ttitrace report: %s and %zu more\n", in->paths[0], in->nr - 1);
}

static int report(const struct report_options *o, struct run *run, struct diag *diag)
{
	struct profile profile;
	struct report report = {
		.run = run,
		.profile = &profile,
		.by = o->by,
		.top = o->top,
		.full_names = o->full_names,
	};
	const struct profile_setup setup = { .symbols = o->symbols };
	struct terminal terminal;
	const int r = profile_make(&profile, run, &setup, diag);

	if (r < 0)
		return r;
	run_coverage(run, &report.coverage);
	run_gpu(run, &report.gpu);
	if (o->json) {
		json_print(report_json(&report), 1, stdout);
	} else {
		terminal_detect(&terminal, o->ascii);
		report_text(&report, &terminal, stdout);
	}
	profile_clear(&profile);
	return run->is_damaged ? EXIT_DAMAGED : EXIT_FINE;
}

int cmd_report(int argc, char **argv, struct diag *diag)
{
	struct report_options o = {
		.classifier = classifier_new(),
		.by = NR_AXES,
		.top = 20,
		.diag = diag,
	};
	struct run run = { 0 };
	int r;

	if (!o.classifier)
		return diag_set(diag, -ENOMEM, "no memory");
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	r = o.err;
	if (r == 0) {
		tell_inputs(&o.inputs);
		r = run_load(&o.inputs, o.classifier, &run, diag);
	}
	if (r == 0)
		r = report(&o, &run, diag);
	run_clear(&run);
	inputs_free(&o.inputs);
	frame_symbols_free(o.symbols);
	classifier_free(o.classifier);
	return r;
}
