/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - a run and its profile, rendered. */
#ifndef ANALYZER_REPORT_H
#define ANALYZER_REPORT_H

#include <jansson.h>

#include "call_tree.h"
#include "modules.h"
#include "phases.h"
#include "profile.h"
#include "terminal.h"

struct report {
	const struct run *run;
	const struct profile *profile;
	struct run_coverage coverage;
	struct run_gpu gpu;
	enum axis by;                   /* NR_AXES: the usual tables */
	const struct call_tree *stacks; /* NULL: not asked for; instead of tables */
	const struct modules *modules;  /* the same */
	const struct phases *phases;    /* the same */
	size_t depth;                   /* of the tree of modules, 0: all of it */
	struct frame_objects objects;
	size_t top; /* rows of the tables that may be long */
	bool full_names;
};

void report_text(const struct report *r, const struct terminal *t, FILE *out);
json_t *report_json(const struct report *r);

/* Parts that other commands show as well. */
json_t *report_json_coverage(const struct run_coverage *c);
json_t *report_json_losses(const struct run_coverage *c);
void report_text_coverage(const struct run *run, const struct run_coverage *c,
			  const struct terminal *t, FILE *out);

/* The command line of a process with spaces between its arguments; free it. */
char *report_command(const struct trace *t);

#endif
