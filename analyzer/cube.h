/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cube.h - a profile as sums by trace, phase, module and work, small enough to be sent along.
 *
 * Whatever a page shows under whatever filter is a sum of its rows, so that all its views agree
 * with each other and with the report.  Where there is more than the limits allow, the smallest
 * modules are added to a "rest" below their parents and the smallest work loses its problem, then
 * its kernel: totals stay.
 */
#ifndef ANALYZER_CUBE_H
#define ANALYZER_CUBE_H

#include "modules.h"
#include "phases.h"

struct cube_limits {
	size_t groups, nodes, entries, rows;
};

/* What is compared: the traces of one argument, or where there is one argument, its traces. */
struct cube_side {
	const struct trace *first;
	size_t nr_traces;
};

/* Phases of one name.  Index 0 is what no phase explains. */
struct cube_group {
	const struct name *name; /* NULL: the phases beyond the limit */
	bool is_step;
	uint64_t nr;
};

/* A place in the tree of modules, or those of its children that are too small. */
struct cube_node {
	uint32_t parent;  /* index 0 is the root */
	uint32_t nr_rest; /* other than 0: how many places it stands for */
	uint32_t module;  /* in modules; of a rest, its parent's */
};

/* A problem that a library was asked to solve, or an attention. */
struct cube_problem {
	const struct name *text;
	const struct assignment *assignment;
};

/* Launches that differ in nothing but where and when they were. */
struct cube_entry {
	const struct work *work; /* NULL: of several kernels */
	enum operator op;
	const struct assignment *assignment; /* of one of them */
	uint32_t problem;                    /* index and 1; 0: none, or several */
	bool is_rest;
	uint64_t time_ns, launches, min_ns, max_ns, attentions;
	struct profile_cost cost;
};

struct cube_row {
	uint32_t side, group, node, entry;
	uint64_t time_ns, launches;
};

struct cube {
	struct cube_side *sides;
	struct cube_group *groups;
	struct cube_node *nodes;
	struct cube_problem *problems;
	struct cube_entry *entries;
	struct cube_row *rows; /* by side, group, node, entry */
	size_t nr_sides, nr_groups, nr_nodes, nr_problems, nr_entries, nr_rows;
	uint32_t *side_of_trace;                 /* by trace of the run */
	uint32_t *group_of_phase;                /* by phase and 1 */
	uint32_t *node_of_module;                /* by node of modules */
	uint32_t *entry_of_item, *phase_of_item; /* by item; phase and 1 */
	uint32_t *node_of_item, *side_of_item;
};

/* Launches of an item of no phase that were seen to be of one. */
struct cube_move {
	uint32_t item, group;
	uint64_t time_ns, launches;
};

/* What a cube is made of. */
struct cube_source {
	const struct run *run;
	const struct inputs *inputs;
	const struct profile *profile;
	const struct modules *modules; /* summed */
	const struct phases *phases;
};

int cube_make(struct cube *c, const struct cube_source *source, const struct cube_limits *limits);

/* 0 or -ENOMEM */
int cube_move(struct cube *c, const struct cube_move *moves, size_t nr);
void cube_clear(struct cube *c); /* of one that could not be made as well */

#endif
