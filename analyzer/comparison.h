/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comparison.h - two tallies row by row.
 *
 * Phases that B ran another number of times than A are counted as if B had run them as often.  What
 * differs by less than steps differ among themselves within each run is noise: the phases of a
 * group are samples of it, so a sum of n of them has the variance n s^2; what ran once is taken to
 * spread by the same share as the row's other phases.  The limit is half the 95% interval of
 * Welch's test.
 */
#ifndef ANALYZER_COMPARISON_H
#define ANALYZER_COMPARISON_H

#include "tally.h"

struct comparison_side {
	struct tally_sums sums; /* B's as often as A */
	double variance;        /* of time_ns; NAN: nothing ran more than once */
	double doubt; /* sum of the squares of the variance's parts by their degrees of freedom */
	const struct profile_item *most;
};

struct comparison_row {
	uint32_t parent, first_child, next; /* children by change, most first; 0: none */
	const struct name *label, *shown;
	struct comparison_side sides[2];
	double noise_ns; /* NAN: not known */
};

struct comparison_group {
	const struct name *name;
	uint64_t counts[2]; /* 0: only the other run has it */
	enum phase_kind kind;
	double weight; /* of B's */
};

struct comparison {
	struct names *names;
	struct comparison_row *rows; /* parents first; row 0: all */
	size_t nr_rows;
	struct comparison_group *groups;
	size_t nr_groups;
	bool is_scaled; /* a weight is not 1 */
};

/* as_is: every weight is 1.  0 or -ENOMEM. */
int comparison_make(struct comparison *c, const struct tally *a, const struct tally *b, bool as_is);
void comparison_clear(struct comparison *c);

double comparison_change_ns(const struct comparison_row *row); /* B - A */
bool comparison_is_noise(const struct comparison_row *row);

/* How much faster B is: A's time by B's; NAN where one of them has none. */
double comparison_gain(const struct comparison_row *row);

/* What a whole becomes where a share of it becomes `gain` times as fast. */
double comparison_amdahl(double share, double gain);

#endif
