/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis.h - what commands that report have in common: their traces, their options, the
 * profile of the run.
 */
#ifndef ANALYZER_ANALYSIS_H
#define ANALYZER_ANALYSIS_H

#include <argp.h>

#include "modules.h"
#include "phases.h"
#include "profile.h"

struct analysis {
	struct inputs inputs;
	struct classifier *classifier;
	struct frame_symbols *symbols;
	struct peaks peaks; /* the user's */
	enum information information;
	bool ascii, json;
	const char *focus;          /* NULL: all modules */
	struct phase_choice choice; /* if is_chosen */
	bool is_chosen;
	bool has_own_arguments; /* the command's: it adds the inputs; set before argp_parse() */
	bool is_newest;         /* the inputs, because none were named */
	/* Set by the command, before analysis_load(). */
	bool wants_modules, wants_phases;
	bool wants_calls;       /* of modules, which must be wanted too */
	bool wants_phase_items; /* of the profile, each of one segment: memory for each of each */
	bool is_by_rows;        /* each row has its phase; the profile knows nothing of --phase */
	enum axis by;           /* summed too, beside what every report shows */
	struct run run;
	struct modules *modules; /* NULL: neither wanted nor needed */
	struct module_focus *module_focus;
	struct phases phases; /* with rows if wanted or needed */
	struct profile profile;
	int err; /* the first thing that went wrong while options were read */
	struct diag *diag;
	bool is_shared; /* classifier and symbols are another one's */
};

/* A child for the command's own argp; its parser gives child_inputs[i] = &analysis at KEY_INIT. */
extern const struct argp analysis_argp;

/* The same, with only those options that say what is to be read and believed. */
extern const struct argp analysis_evidence_argp;

/* --focus and --phase alone; a child as well. */
extern const struct argp analysis_places_argp;

int analysis_init(struct analysis *a, struct diag *diag); /* 0 or -ENOMEM */

/* For another run with the options of `options`, which must outlive it; it has no traces yet. */
void analysis_share(struct analysis *ret, const struct analysis *options);
void analysis_clear(struct analysis *a);

/* After argp_parse(): reads the traces, tells which on standard error as `command` (NULL: not). */
int analysis_load(struct analysis *a, const char *command);

/* After analysis_load(): whether --focus and --phase (index and 1, 0: none) leave a row in. */
bool analysis_has_row(const struct analysis *a, const struct trace *t, uint32_t site,
		      uint32_t phase);

/* EXIT_FINE, or EXIT_DAMAGED where a trace was not whole. */
int analysis_exit_code(const struct analysis *a);

#endif
