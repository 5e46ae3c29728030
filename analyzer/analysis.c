/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "module_calls.h"
#include "words.h"

/* Apart from those of the commands, which begin at 256. */
enum {
	OPTION_RULES = 512,
	OPTION_SYMBOLS,
	OPTION_EVIDENCE,
	OPTION_PEAK,
	OPTION_BANDWIDTH,
	OPTION_FOCUS,
	OPTION_PHASE,
	OPTION_ASCII,
	OPTION_JSON
};

static const struct argp_option evidence_table[] = {
	{ .name = "rules",
	  .key = OPTION_RULES,
	  .arg = "FILE",
	  .doc = "Ask the rules of FILE before the built-in ones; may be repeated" },
	{ .name = "symbols",
	  .key = OPTION_SYMBOLS,
	  .arg = "FILE",
	  .doc = "Names of the functions on native stacks, for traces from elsewhere: what "
		 "'ttitrace symbols' wrote there, may be repeated; none: not from the objects on "
		 "this machine either" },
	{ .name = "evidence",
	  .key = OPTION_EVIDENCE,
	  .arg = "LEVEL",
	  .doc = "Use only a part of what was recorded, to see what it is worth: names of kernels "
		 "and their order (names), all but library calls (no-calls), all (full)" },
	{ 0 }
};

static const struct argp_option option_table[] = {
	{ .name = "peak",
	  .key = OPTION_PEAK,
	  .arg = "UNIT=TFLOPS",
	  .doc = "A measured peak of fp16, tf32, fp32, fp64, fp8 or int8, such as fp16=780, "
		 "instead of the datasheet's; may be repeated" },
	{ .name = "bandwidth",
	  .key = OPTION_BANDWIDTH,
	  .arg = "GBPS",
	  .doc = "The measured bandwidth of the memory, instead of the datasheet's" },
	{ .name = "ascii", .key = OPTION_ASCII, .doc = "No characters beyond ASCII" },
	{ .name = "json", .key = OPTION_JSON, .doc = "Everything as one JSON object" },
	{ 0 }
};

static const struct argp_option places_table[] = {
	{ .name = "focus",
	  .key = OPTION_FOCUS,
	  .arg = "REGEX",
	  .doc = "Only what modules did whose place in the tree matches, such as "
		 "'UNet.*/ Attention'; shares are of that" },
	{ .name = "phase",
	  .key = OPTION_PHASE,
	  .arg = "PHASES",
	  .doc = "Only what ran in phases of this name (NAME, NAME:I..J), or with these numbers "
		 "in the list of --by phase (I..J)" },
	{ 0 }
};

static bool set_information(struct analysis *a, const char *level)
{
	static const char *const levels[] = {
#define INFORMATION(name, text) text,
#include "information.def"
#undef INFORMATION
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (!strcmp(level, levels[i])) {
			a->information = (enum information)i;
			return true;
		}
	return false;
}

static error_t keep(struct analysis *a, int err)
{
	if (err < 0)
		a->err = err;
	return 0;
}

static error_t take_evidence(int key, char *arg, struct argp_state *state)
{
	struct analysis *a = state->input;

	/* The first thing that went wrong is the one to tell. */
	if (a->err)
		return 0;
	switch (key) {
	case OPTION_RULES:
		if (classifier_add_rules(a->classifier, arg, a->diag) < 0)
			argp_error(state, "%s", a->diag->message);
		return 0;
	case OPTION_SYMBOLS:
		if (frame_symbols_read(a->symbols, arg, a->diag) < 0)
			argp_error(state, "%s", a->diag->message);
		return 0;
	case OPTION_EVIDENCE:
		if (!set_information(a, arg))
			words_refuse(state, "LEVEL", arg);
		return 0;
	case ARGP_KEY_ARG:
		return keep(a, inputs_add(&a->inputs, arg, a->diag));
	case ARGP_KEY_NO_ARGS:
		a->is_newest = !a->has_own_arguments;
		return a->is_newest ? keep(a, inputs_add_newest(&a->inputs, ".", a->diag)) : 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t take_places(int key, char *arg, struct argp_state *state)
{
	struct analysis *a = state->input;

	switch (key) {
	case OPTION_FOCUS:
		a->focus = arg;
		return 0;
	case OPTION_PHASE:
		a->is_chosen = phase_choice_parse(arg, &a->choice);
		if (!a->is_chosen)
			argp_error(state, "'%s' are no phases such as 3..5 or 'denoising step'",
				   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct analysis *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = a;
		state->child_inputs[1] = a;
		return 0;
	case OPTION_PEAK:
		if (!peaks_set(&a->peaks, arg))
			argp_error(state, "'%s' is no peak such as fp16=780", arg);
		return 0;
	case OPTION_BANDWIDTH:
		if (!peaks_set_bandwidth(&a->peaks, arg))
			argp_error(state, "'%s' is no bandwidth in GB/s", arg);
		return 0;
	case OPTION_ASCII:
		a->ascii = true;
		return 0;
	case OPTION_JSON:
		a->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp analysis_evidence_argp = {
	.options = evidence_table,
	.parser = take_evidence,
};

const struct argp analysis_places_argp = {
	.options = places_table,
	.parser = take_places,
};

const struct argp analysis_argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_evidence_argp },
						 { .argp = &analysis_places_argp },
						 { 0 } },
};

int analysis_init(struct analysis *a, struct diag *diag)
{
	*a = (struct analysis){ .classifier = classifier_new(),
				.symbols = frame_symbols_new(),
				.diag = diag };
	if (a->classifier && a->symbols)
		return 0;
	analysis_clear(a);
	return diag_set(diag, -ENOMEM, "no memory");
}

void analysis_share(struct analysis *ret, const struct analysis *options)
{
	*ret = *options;
	ret->inputs = (struct inputs){ 0 };
	ret->is_shared = true;
}

void analysis_clear(struct analysis *a)
{
	profile_clear(&a->profile);
	module_focus_free(a->module_focus);
	modules_free(a->modules);
	phases_clear(&a->phases);
	run_clear(&a->run);
	inputs_free(&a->inputs);
	if (!a->is_shared) {
		frame_symbols_free(a->symbols);
		classifier_free(a->classifier);
	}
	*a = (struct analysis){ 0 };
}

/* What nobody named. */
static void tell_inputs(const struct inputs *in, const char *command)
{
	fprintf(stderr, "ttitrace %s: the newest run here: %s", command, in->paths[0]);
	if (in->nr > 1)
		fprintf(stderr, " and %zu more", in->nr - 1);
	fputc('\n', stderr);
}

bool analysis_has_row(const struct analysis *a, const struct trace *t, uint32_t site,
		      uint32_t phase)
{
	if (a->module_focus && !module_focus_has(a->module_focus, t, site))
		return false;
	return !a->is_chosen || phase_choice_has(&a->choice, &a->phases, phase);
}

static bool has_site(const void *context, const struct trace *t, uint32_t site)
{
	const struct analysis *a = context;

	return module_focus_has(a->module_focus, t, site);
}

static bool has_segment(const void *context, const struct trace *t, uint32_t segment)
{
	const struct analysis *a = context;

	return phase_choice_has(&a->choice, &a->phases, phases_of_segment(&a->phases, t, segment));
}

/* Trees and phases that are shown, or that say what is shown. */
static int find_places(struct analysis *a)
{
	if (a->wants_modules || a->focus) {
		a->modules = modules_new(&a->run);
		if (!a->modules)
			return diag_set(a->diag, -ENOMEM, "no memory");
	}
	if (a->focus) {
		a->module_focus = module_focus_new(a->modules, a->focus, a->diag);
		if (!a->module_focus)
			return -EINVAL;
	}
	if ((a->wants_phases || a->is_chosen) && phases_make(&a->phases, &a->run) < 0)
		return diag_set(a->diag, -ENOMEM, "no memory");
	return 0;
}

int analysis_load(struct analysis *a, const char *command)
{
	const struct run_setup run_setup = { .classifier = a->classifier,
					     .information = a->information,
					     .with_phases = a->wants_phases || a->is_chosen ||
							    a->wants_calls,
					     .with_phase_sums = !a->is_by_rows,
					     .with_phase_sites = a->wants_phase_items };
	const struct profile_setup setup = { .symbols = a->symbols,
					     .peaks = &a->peaks,
					     .by = a->by,
					     .has_site = a->focus ? has_site : NULL,
					     .has_segment = a->is_chosen && !a->is_by_rows
								    ? has_segment
								    : NULL,
					     .context = a };
	int r;

	if (a->err < 0)
		return a->err;
	if (command && a->is_newest)
		tell_inputs(&a->inputs, command);
	r = run_load(&a->inputs, &run_setup, &a->run, a->diag);
	if (r == 0)
		r = find_places(a);
	if (r == 0)
		r = profile_make(&a->profile, &a->run, &setup, a->diag);
	if (r < 0)
		return r;
	if (command && (a->focus || a->is_chosen) && !a->profile.launches)
		fprintf(stderr,
			"ttitrace %s: nothing is in --focus and --phase: --by module and --by "
			"phase "
			"list what there is\n",
			command);
	if (a->wants_modules)
		modules_sum(a->modules, &a->profile);
	if (a->wants_calls && module_calls_count(a->modules, &a->profile) < 0)
		return diag_set(a->diag, -ENOMEM, "no memory");
	if (a->wants_phases && phases_sum(&a->phases, &a->profile) < 0)
		return diag_set(a->diag, -ENOMEM, "no memory");
	return 0;
}

int analysis_exit_code(const struct analysis *a)
{
	return a->run.is_damaged ? EXIT_DAMAGED : EXIT_FINE;
}
