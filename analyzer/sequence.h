/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence.h - the launches of one thread on one stream, in order, and what those around a launch
 * say about it: whose layout change it is, whose bias, whether it is a part of attention.
 *
 * A launch leaves with its hint when SEQUENCE_DELAY others have come behind it.
 */
#ifndef ANALYZER_SEQUENCE_H
#define ANALYZER_SEQUENCE_H

#include "model.h"
#include "pairs.h"
#include "step.h"

enum { SEQUENCE_DELAY = 32, SEQUENCE_SLOTS = 64 /* power of two */ };

/* A host row that returned success. */
struct sequence_entry {
	uint32_t template, parameters, correlation;
	enum step step;
	bool is_cast_next; /* what casts its result is a part of it */
	bool is_line;      /* of an attention that one line of Python asked for */
	uint32_t segment;  /* of phases, 0: none */
	uint64_t tid, node, begin_ns, duration_ns;
	struct hint hint;
};

struct sequence {
	uint64_t nr, nr_left;      /* pushed, and handed on */
	uint64_t execution_begins; /* of the library call that runs */
	bool is_in_call;
	uint32_t line; /* Python frame of the last entry, 0: not known */
	uint64_t line_begins;
	struct sequence_entry entries[SEQUENCE_SLOTS];
};

/* What rules look at besides the entries. */
struct sequence_world {
	const struct model *model;
	struct pairs *pairs;
};

/* Room for one more entry, which is all zero but for `template`; then call sequence_judge(). */
static inline struct sequence_entry *sequence_at(struct sequence *s, uint64_t i)
{
	return &s->entries[i & (SEQUENCE_SLOTS - 1)];
}

/* Whether the oldest entry has to leave before another can come. */
static inline bool sequence_is_full(const struct sequence *s)
{
	return s->nr - s->nr_left >= SEQUENCE_DELAY;
}

/* Adds an entry and lets the rules look at it and those before. */
void sequence_push(struct sequence *s, const struct sequence_world *w,
		   const struct sequence_entry *entry);

/* The oldest entry, its hint complete; valid until the next push. */
const struct sequence_entry *sequence_leave(struct sequence *s, const struct sequence_world *w);

/* Nothing more comes behind what is in the sequence. */
void sequence_end(struct sequence *s, const struct sequence_world *w);

#endif
