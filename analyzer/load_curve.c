/* SPDX-License-Identifier: Apache-2.0 */
#include "load_curve.h"

#include <stdlib.h>

enum { SLOTS = 1 << 20, FULL = 255 };

struct load_curve {
	uint64_t begin_ns, slot_ns;
	size_t nr;               /* slots up to the end */
	uint8_t load[SLOTS];     /* of FULL, by intervals that fill a part of the slot */
	int32_t full[SLOTS + 1]; /* how many more intervals fill this slot than the one before */
};

struct load_curve *load_curve_new(uint64_t begin_ns, uint64_t end_ns)
{
	struct load_curve *c = calloc(1, sizeof(*c));
	const uint64_t span_ns = end_ns > begin_ns ? end_ns - begin_ns : 1;

	if (!c)
		return NULL;
	c->begin_ns = begin_ns;
	c->slot_ns = span_ns / SLOTS + 1;
	c->nr = (size_t)(span_ns / c->slot_ns) + 1;
	if (c->nr > SLOTS)
		c->nr = SLOTS;
	return c;
}

void load_curve_free(struct load_curve *c)
{
	free(c);
}

static void fill(struct load_curve *c, size_t slot, uint64_t ns)
{
	/* Rounded up: a short kernel must not vanish. */
	const uint64_t load = c->load[slot] + (ns * FULL + c->slot_ns - 1) / c->slot_ns;

	c->load[slot] = load < FULL ? (uint8_t)load : FULL;
}

void load_curve_add(struct load_curve *c, uint64_t begin_ns, uint64_t end_ns)
{
	const uint64_t limit_ns = c->begin_ns + c->nr * c->slot_ns;
	size_t first, last;

	if (begin_ns < c->begin_ns)
		begin_ns = c->begin_ns;
	if (end_ns > limit_ns)
		end_ns = limit_ns;
	if (begin_ns >= end_ns)
		return;
	first = (size_t)((begin_ns - c->begin_ns) / c->slot_ns);
	last = (size_t)((end_ns - c->begin_ns - 1) / c->slot_ns);
	if (first == last) {
		fill(c, first, end_ns - begin_ns);
		return;
	}
	fill(c, first, c->begin_ns + (first + 1) * c->slot_ns - begin_ns);
	fill(c, last, end_ns - (c->begin_ns + last * c->slot_ns));
	c->full[first + 1]++;
	c->full[last]--;
}

void load_curve_end(struct load_curve *c)
{
	int64_t depth = 0;

	for (size_t slot = 0; slot < c->nr; slot++) {
		depth += c->full[slot];
		if (depth > 0)
			c->load[slot] = FULL;
	}
}

double load_curve_at(const struct load_curve *c, size_t i, size_t nr, uint64_t *ret_begin_ns)
{
	const size_t count = c->nr < nr ? c->nr : nr;
	const size_t first = i * c->nr / count, end = (i + 1) * c->nr / count;
	uint64_t sum = 0;

	if (i >= count)
		return -1;
	for (size_t slot = first; slot < end; slot++)
		sum += c->load[slot];
	*ret_begin_ns = c->begin_ns + first * c->slot_ns;
	return (double)sum / (double)(FULL * (end - first));
}
