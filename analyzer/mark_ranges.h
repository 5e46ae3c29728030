/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mark_ranges.h - what a program says of its phases: marks and ranges -> where each phase begins.
 *
 * Ranges of NVTX's default domain count, those of libraries have domains of their own.  Of several
 * threads that of the longest ranges speaks.  A range that holds all others is no phase; those
 * directly below it are, whatever is inside them.  Where there is no range, each mark begins a
 * phase.
 */
#ifndef ANALYZER_MARK_RANGES_H
#define ANALYZER_MARK_RANGES_H

#include "names.h"
#include "ttitrace/record.h"

struct phase_mark {
	uint64_t time_ns;
	const struct name *text; /* without a number at its end; empty: ends the phase before */
};

struct mark_ranges;

struct mark_ranges *mark_ranges_new(struct names *names); /* NULL: no memory */
void mark_ranges_free(struct mark_ranges *m);             /* accepts NULL */
/* 0 or -ENOMEM. */
int mark_ranges_take(struct mark_ranges *m, const struct tti_mark *mark);
/* Rising; the caller's to free, NULL if there are none.  0 or -ENOMEM. */
int mark_ranges_phases(struct mark_ranges *m, struct phase_mark **ret_marks, size_t *ret_nr);

#endif
