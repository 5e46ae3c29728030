/* SPDX-License-Identifier: Apache-2.0 */
/*
 * length_bins.h - the attentions of a run in their order, as a bounded number of rows: neighbours
 * of one shape and place are one row.
 */
#ifndef ANALYZER_LENGTH_BINS_H
#define ANALYZER_LENGTH_BINS_H

#include "cube.h"
#include "lengths.h"

struct length_bin {
	uint32_t side, group, node, bucket;
	uint64_t s_q, s_k; /* 0: not known */
	enum role role;
	uint64_t begin_ns; /* of the first, since the begin of its trace */
	uint64_t calls;
};

struct length_bins {
	struct length_bin *rows; /* by side and bucket */
	size_t nr;
	uint64_t nr_left_out; /* attentions whose time was not kept */
	bool is_rounded;      /* lengths are: there were too many */
};

/* 0 or -ENOMEM */
int length_bins_make(struct length_bins *b, const struct cube_source *source,
		     const struct cube *cube, size_t limit);
void length_bins_clear(struct length_bins *b);

#endif
