/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline.h - when work ran, in bounded memory: all of it by operator in bins of equal length, a
 * few phases launch by launch.
 *
 * Of each sort of phase the one of median length is kept in detail, of a short run everything, of a
 * run without phases a stretch from its middle.
 */
#ifndef ANALYZER_TIMELINE_H
#define ANALYZER_TIMELINE_H

#include "cube.h"
#include "playback.h"

struct timeline_limits {
	size_t bins;    /* over all lanes */
	size_t details; /* launches over all details */
	size_t detail;  /* launches of one */
};

/* One GPU of one process; of host time, one process. */
struct timeline_lane {
	const struct trace *trace;
	uint32_t side;
	uint64_t device;
	uint64_t begin_ns, end_ns, width_ns;
	size_t nr_bins;
	double *bins; /* nr_bins times NR_OPERATORS: nanoseconds of work */
	/* Time that the device had nothing to do: before the launch was made, and after it. */
	uint64_t wait_for_launch_ns, wait_for_start_ns;
	uint64_t last_end_ns;
};

struct timeline_stream {
	uint32_t lane;
	uint64_t context, stream;
};

struct timeline_row {
	uint32_t item, stream;
	uint64_t begin_ns, duration_ns, launch_ns; /* launch_ns 0: not known */
};

struct timeline_detail {
	uint32_t phase; /* and 1; 0: a stretch of time */
	uint32_t side;
	bool is_all; /* of the run */
	uint64_t begin_ns, end_ns;
	struct timeline_row *rows;
	size_t nr, size;
	uint64_t nr_left_out;
};

struct timeline {
	struct timeline_lane *lanes;
	struct timeline_stream *streams;
	struct timeline_detail *details;
	size_t nr_lanes, nr_streams, nr_details;
	uint64_t nr_left_out; /* rows on lanes beyond what is kept */
	/* In a very long run the sums cannot keep all phases apart; the times of rows can. */
	struct cube_move *moves;
	size_t nr_moves, size_moves;
};

/* Reads the traces again.  0, -ENOMEM, or what playback() says. */
int timeline_make(struct timeline *t, const struct cube_source *source, const struct cube *cube,
		  enum information information, const struct timeline_limits *limits,
		  struct diag *diag);
void timeline_clear(struct timeline *t); /* of one that could not be made as well */

#endif
