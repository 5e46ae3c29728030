/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - the work of one run by the rows of an axis and by its phases, so that runs can be laid
 * side by side: phases of one name are a group, and how a row differs from one phase of a group to
 * the next is its spread.
 */
#ifndef ANALYZER_TALLY_H
#define ANALYZER_TALLY_H

#include "analysis.h"

enum cut {
	CUT_axis,      /* one of the profile's */
	CUT_attention, /* attentions of one shape, whatever computes them; no others */
	CUT_role,      /* attentions of one role; no others */
	CUT_phase,     /* by name */
	CUT_module,    /* the tree: a row holds what is below it too */
};

/* Of the tree, what the programs' own functions above it are worth. */
enum cut_from { FROM_program, FROM_object, FROM_module };

struct tally_cut {
	enum cut cut;
	enum axis axis; /* CUT_axis */
	enum cut_from
		from; /* CUT_module: everything above the first object or module is left out */
};

struct tally_row {
	uint32_t parent;          /* always before it; row 0 is the run, and its own parent */
	const struct name *label; /* tells it from its siblings in this and any other run */
	const struct name *shown; /* the same to look at */
	const struct profile_item
		*most; /* that took most time of those of the row itself, or NULL */
};

struct tally_sums {
	double time_ns, launches, flops;
	double attentions; /* launches that stand for one */
};

struct tally_cell {
	uint32_t row, group;
	struct tally_sums sums; /* of all phases of the group */
	double squares;         /* of the time in each of them */
};

struct tally_group {
	const struct name *name;
	enum phase_kind kind;
	uint64_t count; /* phases; 1 for the first group: what is of none */
};

struct tally {
	struct tally_row *rows;
	size_t nr_rows, size_rows;
	struct tally_cell *cells; /* in no order; one for each row and group that has any */
	size_t nr_cells, size_cells;
	struct tally_group *groups;
	size_t nr_groups;
};

/* Of an analysis loaded; with its phases, if it has them.  0 or -ENOMEM. */
int tally_make(struct tally *t, const struct analysis *a, const struct tally_cut *cut);
void tally_clear(struct tally *t);

#endif
