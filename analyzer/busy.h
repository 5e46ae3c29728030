/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy.h - how long a device was busy: the length of the union of all intervals it worked.
 *
 * Intervals may come in any order within a window of tens of thousands; memory is bounded.  What
 * comes later than that is left out of the union and told as late_ns.
 */
#ifndef ANALYZER_BUSY_H
#define ANALYZER_BUSY_H

#include <stddef.h>
#include <stdint.h>

enum { BUSY_INCOMING = 1 << 14, BUSY_OPEN_MAX = 1 << 15 };

struct interval {
	uint64_t begin_ns, end_ns;
};

struct busy {
	uint64_t first_ns, last_ns;
	uint64_t closed_ns; /* busy time before closed_until_ns */
	uint64_t closed_until_ns;
	uint64_t late_ns; /* work that came after its time was closed */
	size_t nr_incoming, nr_open;
	struct interval incoming[BUSY_INCOMING];             /* as they came */
	struct interval open[BUSY_OPEN_MAX + BUSY_INCOMING]; /* disjoint, rising */
	struct interval merged[BUSY_OPEN_MAX + BUSY_INCOMING];
};

struct busy *busy_new(void); /* NULL: no memory; free() it */

void busy_merge(struct busy *b);

static inline void busy_add(struct busy *b, uint64_t begin_ns, uint64_t end_ns)
{
	if (b->nr_incoming == BUSY_INCOMING)
		busy_merge(b);
	b->incoming[b->nr_incoming++] = (struct interval){ begin_ns, end_ns };
}

/* Of everything added so far. */
uint64_t busy_total_ns(struct busy *b);

#endif
