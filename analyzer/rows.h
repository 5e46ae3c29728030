/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - every row of a run, one after the other: each launch, copy and fill joined with what it
 * caused on the device, each node of a graph that ran, each call that failed or only waited.
 *
 * The traces are read a second time; memory follows what is in flight and distinct subjects.  Rows
 * come when both sides are known, so roughly, not strictly, in the order of time.
 */
#ifndef ANALYZER_ROWS_H
#define ANALYZER_ROWS_H

#include "subjects.h"

struct row {
	uint64_t number; /* from 1 on, over the whole run */
	const struct subject *subject;
	const struct phase *phase; /* NULL: none */
	bool has_host;             /* a call is known: tid, host times, result */
	bool has_gpu;              /* the device did something: GPU times */
	bool is_repeat;            /* another record of a call that an earlier row has told */
	uint64_t tid, host_begin_ns, host_ns, result;
	uint64_t gpu_begin_ns, gpu_ns;
	uint64_t launch; /* number of the row that has the call: this one, for a node its graph's */
	bool is_first_of_launch; /* no record of that launch came before */
	uint64_t node;           /* of a graph, 0: none */
	uint32_t correlation;
};

/* Negative errno, with the diag that the sink has, ends everything; NULL: not wanted. */
struct row_sink {
	int (*row)(void *context, const struct row *row);
	int (*thread)(void *context, uint32_t trace_index, uint64_t tid, const char *name);
	int (*mark)(void *context, uint32_t trace_index, uint64_t tid, uint64_t time_ns,
		    const char *text);
	void *context;
};

/*
 * Loaded with modules and phases where rows are to know theirs.  Shows on a terminal how far it is,
 * as `command`.  -ENOMEM, what the reader says, or what the sink said.
 */
int rows_each(const struct analysis *a, const struct row_sink *sink, struct diag *diag);

#endif
