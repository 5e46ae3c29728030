/* SPDX-License-Identifier: Apache-2.0 */
/* lengths.h - the attentions of a run in the order in which they happened. */
#ifndef ANALYZER_LENGTHS_H
#define ANALYZER_LENGTHS_H

#include "profile.h"

struct length {
	const struct trace *trace;
	const struct profile_item *item; /* never NULL; its assignment says shape and role */
	uint32_t segment;                /* of phases, 0: of none */
	uint64_t mean_ns;                /* of the attentions of its shape, all kernels together */
	uint64_t begin_ns;               /* of the launch; of a graph's, on the device */
};

struct lengths {
	struct length *rows;
	size_t nr;
	uint64_t nr_left_out; /* beyond what a trace keeps the times of */
};

/* Trace by trace; within one by begin.  0 or -ENOMEM. */
int lengths_make(struct lengths *l, const struct run *run, const struct profile *p);
void lengths_clear(struct lengths *l);

/* The shape; its exactness is unknown where no decoder knows the kernel. */
const struct attention *length_attention(const struct length *l);
enum role length_role(const struct length *l);

/* How one role's lengths differ within the run. */
struct span {
	uint64_t calls;
	uint64_t shortest, longest; /* Sq, of decode Sk; 0: none */
	double level_ratio;         /* between neighbouring lengths, the commonest; 0: one length */
};

void lengths_span(const struct lengths *l, enum role role, struct span *ret);

/* Of lengths in any order; they are sorted. */
void span_of_values(uint64_t *values, size_t nr, struct span *ret);

#endif
