/* SPDX-License-Identifier: Apache-2.0 */
#include "module_calls.h"

#include <errno.h>
#include <stdlib.h>

/* A place of launches in or below a node, in one segment. */
struct place {
	uint32_t node;
	uint64_t launches;
};

struct places {
	struct place *rows;
	size_t nr, size;
};

/* An item in the order of traces and segments. */
struct located {
	const struct profile_item *item;
	uint32_t segment;
};

static int by_segment(const void *a, const void *b)
{
	const struct located *x = a, *y = b;

	if (x->item->trace != y->item->trace)
		return (uintptr_t)x->item->trace < (uintptr_t)y->item->trace ? -1 : 1;
	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

static int by_node(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->launches < y->launches ? -1 : x->launches > y->launches;
}

static int add_place(struct places *p, uint32_t node, uint64_t launches)
{
	if (p->nr == p->size) {
		const size_t size = p->size ? 2 * p->size : 1024;
		struct place *rows = realloc(p->rows, size * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		p->rows = rows;
		p->size = size;
	}
	p->rows[p->nr++] = (struct place){ node, launches };
	return 0;
}

/* To the item's node and those above it. */
static int add_item(struct places *p, const struct modules *m, const struct profile_item *item)
{
	uint32_t node = modules_of_site(m, item->trace, item->site);
	int r = 0;

	for (; node && r == 0; node = modules_node(m, node)->parent)
		if (modules_node(m, node)->sort == MODULE_module)
			r = add_place(p, node, item->launches);
	return r;
}

/* Of sorted places: the commonest number of each node. */
static void end_segment(struct places *p, struct modules *m)
{
	size_t next;

	if (p->nr)
		qsort(p->rows, p->nr, sizeof(*p->rows), by_node);
	for (size_t i = 0; i < p->nr; i = next) {
		uint64_t launches = 0;
		size_t most = 0;

		for (next = i; next < p->nr && p->rows[next].node == p->rows[i].node;) {
			const size_t first = next;

			while (next < p->nr && by_node(&p->rows[next], &p->rows[first]) == 0)
				next++;
			if (next - first > most) {
				most = next - first;
				launches = p->rows[first].launches;
			}
		}
		modules_add_calls(m, p->rows[i].node, launches);
	}
	p->nr = 0;
}

/* Where phases follow modules, what is in none of them calls no module: sampling in generate(). */
static bool is_outside(const struct profile_item *item, uint32_t segment)
{
	const struct phase_tracker *t = item->trace->phases;
	const struct phase_survey *survey = t ? phase_tracker_survey(t) : NULL;
	size_t nr;

	if (!survey || survey->nr_marks || survey->anchor || !segment)
		return false;
	return phase_tracker_segments(t, &nr)[segment].kind == PHASE_gap;
}

int module_calls_count(struct modules *m, const struct profile *p)
{
	struct located *items = calloc(p->nr_items + 1, sizeof(*items));
	struct places places = { 0 };
	int r = items ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < p->nr_items; i++)
		items[i] = (struct located){
			.item = &p->items[i],
			.segment = p->items[i].trace->pairs.sites[p->items[i].site].segment,
		};
	if (r == 0)
		qsort(items, p->nr_items, sizeof(*items), by_segment);
	for (size_t i = 0; r == 0 && i < p->nr_items; i++) {
		if (i && by_segment(&items[i - 1], &items[i]) != 0)
			end_segment(&places, m);
		if (!is_outside(items[i].item, items[i].segment))
			r = add_item(&places, m, items[i].item);
	}
	if (r == 0)
		end_segment(&places, m);
	free(places.rows);
	free(items);
	return r;
}
