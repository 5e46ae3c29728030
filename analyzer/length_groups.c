/* SPDX-License-Identifier: Apache-2.0 */
#include "length_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A length with its group; groups are numbered as they come. */
struct placed {
	uint32_t group;
	uint64_t length;
};

static int by_group(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->group < y->group ? -1 : x->group > y->group;
}

static uint32_t node_at_depth(const struct modules *m, uint32_t node, size_t depth)
{
	size_t level = 0;

	for (uint32_t i = node; i; i = modules_node(m, i)->parent)
		level++;
	for (; depth && level > depth; level--)
		node = modules_node(m, node)->parent;
	return node;
}

static struct length_group group_of(const struct analysis *a, const struct length *l, size_t depth)
{
	const struct profile_item *item = l->item;
	uint32_t phase;

	if (a->modules)
		return (struct length_group){
			.node = node_at_depth(a->modules,
					      modules_of_site(a->modules, item->trace, item->site),
					      depth),
		};
	phase = phases_of_segment(&a->phases, item->trace, l->segment);
	return (struct length_group){
		.name = phase ? a->phases.rows[phase - 1].name->text : "(residual)",
	};
}

static int place(struct length_groups *g, const struct analysis *a, const struct lengths *l,
		 size_t depth, struct placed *placed)
{
	struct id_map ids = { 0 };
	int r = 0;

	for (size_t i = 0; i < l->nr && r == 0; i++) {
		const struct length_group group = group_of(a, &l->rows[i], depth);
		const uint64_t key = group.name ? (uintptr_t)group.name : group.node + 1u;
		uint32_t index = id_map_find(&ids, key);

		if (!index) {
			g->rows[g->nr++] = group;
			index = (uint32_t)g->nr;
			r = id_map_add(&ids, key, index);
		}
		placed[i] = (struct placed){ index - 1, length_attention(&l->rows[i])->s_q };
	}
	id_map_free(&ids);
	return r;
}

int length_groups_make(struct length_groups *g, const struct analysis *a, const struct lengths *l,
		       size_t depth)
{
	struct placed *placed = calloc(l->nr + 1, sizeof(*placed));
	uint64_t *values = calloc(l->nr + 1, sizeof(*values));
	int r = -ENOMEM;

	*g = (struct length_groups){ .rows = calloc(l->nr + 1, sizeof(*g->rows)) };
	if (placed && values && g->rows)
		r = place(g, a, l, depth, placed);
	if (r == 0) {
		qsort(placed, l->nr, sizeof(*placed), by_group);
		for (size_t i = 0, nr; i < l->nr; i += nr) {
			for (nr = 0; i + nr < l->nr && placed[i + nr].group == placed[i].group;
			     nr++)
				values[nr] = placed[i + nr].length;
			span_of_values(values, nr, &g->rows[placed[i].group].span);
		}
	}
	free(placed);
	free(values);
	if (r < 0)
		length_groups_clear(g);
	return r;
}

void length_groups_clear(struct length_groups *g)
{
	free(g->rows);
	*g = (struct length_groups){ 0 };
}
