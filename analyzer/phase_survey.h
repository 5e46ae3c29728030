/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phase_survey.h - a first look at a trace, for what its phases are found by: marks of the user;
 * where no module is known, a launch that comes once a step.
 *
 * The period.  Of every template that is launched it counts how often and how evenly.  Launches
 * that come equally often all along the run belong to the same loop; that of the most launches
 * counts, or one around it, whose launches come before.  Its first launch is the anchor: each
 * begins a step. Steps may differ in all but the anchor: caches that skip layers, guidance that is
 * off for some.
 */
#ifndef ANALYZER_PHASE_SURVEY_H
#define ANALYZER_PHASE_SURVEY_H

#include "names.h"
#include "phase_tracker.h"
#include "reader.h"

/* ret->marks is the caller's to free.  0, -ENOMEM, or what the reader says. */
int phase_survey_make(const char *path, struct names *names, struct phase_survey *ret,
		      struct diag *diag);

/* For another pass over the same trace; as above. */
int phase_survey_copy(const struct phase_survey *from, struct phase_survey *ret, struct diag *diag);

/* How often and how evenly something comes, in launches since the first of the trace. */
struct recurrence {
	uint64_t id, count, first, last;
	uint64_t longest; /* distance */
	double squares;   /* sum of the squares of the distances */
};

void recurrence_add(struct recurrence *r, uint64_t at);

/* The one that begins the steps; NULL: there is no period. */
const struct recurrence *recurrence_anchor(const struct recurrence *rows, size_t nr,
					   uint64_t launches);

#endif
