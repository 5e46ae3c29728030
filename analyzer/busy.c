/* SPDX-License-Identifier: Apache-2.0 */
#include "busy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct busy *busy_new(void)
{
	struct busy *b = malloc(sizeof(*b));

	/* The arrays are large and mostly never touched. */
	if (b) {
		b->first_ns = UINT64_MAX;
		b->last_ns = b->closed_ns = b->closed_until_ns = b->late_ns = 0;
		b->nr_incoming = b->nr_open = 0;
	}
	return b;
}

static int compare(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

/* Streams interleave: rows are nearly in order.  Too many moves mean they are not. */
static bool insertion_sort(struct interval *v, size_t n)
{
	size_t moves_left = 8 * n;

	for (size_t i = 1; i < n; i++) {
		const struct interval here = v[i];
		size_t j = i;

		for (; j && v[j - 1].begin_ns > here.begin_ns && moves_left; j--, moves_left--)
			v[j] = v[j - 1];
		v[j] = here;
	}
	return moves_left;
}

static void sort(struct interval *v, size_t n)
{
	if (!insertion_sort(v, n))
		qsort(v, n, sizeof(*v), compare);
}

/* What was closed already cannot be compared any more: cut it off and say so. */
static void cut_late(struct busy *b)
{
	for (size_t i = 0; i < b->nr_incoming; i++) {
		struct interval *v = &b->incoming[i];

		if (v->begin_ns >= b->closed_until_ns)
			continue;
		if (v->end_ns <= b->closed_until_ns) {
			b->late_ns += v->end_ns - v->begin_ns;
			v->begin_ns = v->end_ns = b->closed_until_ns;
		} else {
			b->late_ns += b->closed_until_ns - v->begin_ns;
			v->begin_ns = b->closed_until_ns;
		}
	}
}

/* Appends to disjoint rising intervals one that begins no earlier than the last of them. */
static void append(struct interval *to, size_t *nr, struct interval v)
{
	if (*nr && v.begin_ns <= to[*nr - 1].end_ns) {
		if (v.end_ns > to[*nr - 1].end_ns)
			to[*nr - 1].end_ns = v.end_ns;
		return;
	}
	to[(*nr)++] = v;
}

/* The open intervals that end before `begin_ns` are not touched by what begins there. */
static size_t untouched(const struct busy *b, uint64_t begin_ns)
{
	size_t low = 0, high = b->nr_open;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (b->open[middle].end_ns < begin_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void merge_incoming(struct busy *b)
{
	const size_t keep = untouched(b, b->incoming[0].begin_ns);
	size_t i = keep, j = 0, nr = 0;

	while (i < b->nr_open || j < b->nr_incoming) {
		const bool take_open =
			i < b->nr_open &&
			(j == b->nr_incoming || b->open[i].begin_ns <= b->incoming[j].begin_ns);

		append(b->merged, &nr, take_open ? b->open[i++] : b->incoming[j++]);
	}
	memcpy(b->open + keep, b->merged, nr * sizeof(*b->merged));
	b->nr_open = keep + nr;
}

static void close_oldest(struct busy *b)
{
	const size_t keep = BUSY_OPEN_MAX / 2;
	const size_t nr = b->nr_open > BUSY_OPEN_MAX ? b->nr_open - keep : 0;

	for (size_t i = 0; i < nr; i++)
		b->closed_ns += b->open[i].end_ns - b->open[i].begin_ns;
	if (!nr)
		return;
	b->closed_until_ns = b->open[nr - 1].end_ns;
	memmove(b->open, b->open + nr, keep * sizeof(*b->open));
	b->nr_open = keep;
}

void busy_merge(struct busy *b)
{
	if (!b->nr_incoming)
		return;
	for (size_t i = 0; i < b->nr_incoming; i++) {
		if (b->incoming[i].begin_ns < b->first_ns)
			b->first_ns = b->incoming[i].begin_ns;
		if (b->incoming[i].end_ns > b->last_ns)
			b->last_ns = b->incoming[i].end_ns;
	}
	if (b->closed_until_ns)
		cut_late(b);
	sort(b->incoming, b->nr_incoming);
	merge_incoming(b);
	b->nr_incoming = 0;
	close_oldest(b);
}

uint64_t busy_total_ns(struct busy *b)
{
	uint64_t total;

	busy_merge(b);
	total = b->closed_ns;
	for (size_t i = 0; i < b->nr_open; i++)
		total += b->open[i].end_ns - b->open[i].begin_ns;
	return total;
}
