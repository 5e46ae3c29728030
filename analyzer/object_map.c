/* SPDX-License-Identifier: Apache-2.0 */
#include "object_map.h"

#include <stdlib.h>

/* Objects over one another are those that were unloaded: more of them are not looked through. */
enum { OVERLAPS_MAX = 256 };

struct interval {
	uint64_t begin, end;
	uint64_t last_end; /* of all up to this one */
	uint32_t index;
};

struct object_map {
	const struct model *model;
	size_t nr;
	struct interval intervals[]; /* by begin */
};

static int by_begin(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

struct object_map *object_map_new(const struct model *m)
{
	const size_t nr = m->objects.nr;
	struct object_map *o = malloc(sizeof(*o) + nr * sizeof(*o->intervals));
	uint64_t last_end = 0;

	if (!o)
		return NULL;
	*o = (struct object_map){ .model = m, .nr = nr };
	for (size_t i = 0; i < nr; i++)
		o->intervals[i] = (struct interval){ .begin = m->objects.rows[i].begin,
						     .end = m->objects.rows[i].end,
						     .index = (uint32_t)i };
	qsort(o->intervals, nr, sizeof(*o->intervals), by_begin);
	for (size_t i = 0; i < nr; i++) {
		if (o->intervals[i].end > last_end)
			last_end = o->intervals[i].end;
		o->intervals[i].last_end = last_end;
	}
	return o;
}

void object_map_free(struct object_map *o)
{
	free(o);
}

/* Whether a is a better answer than b for who knew the first nr_known objects. */
static bool is_better(uint32_t a, uint32_t b, uint32_t nr_known)
{
	if ((a < nr_known) != (b < nr_known))
		return a < nr_known;
	return a < nr_known ? a > b : a < b;
}

const struct loaded_object *object_map_find(const struct object_map *o, uint64_t address,
					    uint32_t nr_known)
{
	const struct interval *best = NULL;
	size_t low = 0, high = o->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (o->intervals[middle].begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < low && i < OVERLAPS_MAX; i++) {
		const struct interval *at = &o->intervals[low - 1 - i];

		if (at->last_end <= address)
			break;
		if (address < at->end && (!best || is_better(at->index, best->index, nr_known)))
			best = at;
	}
	return best ? &o->model->objects.rows[best->index] : NULL;
}
