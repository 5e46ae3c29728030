/* SPDX-License-Identifier: Apache-2.0 */
#include "length_bins.h"

#include <errno.h>
#include <stdlib.h>

enum { BUCKETS_MAX = 1 << 15, BUCKETS_MIN = 64 };

/* How finely they are told apart; each next one makes fewer rows. */
struct grain {
	size_t buckets;
	bool has_places;
	unsigned int digits; /* binary, that lengths keep; 64: all */
};

static int by_key(const void *a, const void *b)
{
	const struct length_bin *x = a, *y = b;
	const uint64_t keys[][2] = {
		{ x->side, y->side }, { x->bucket, y->bucket }, { x->s_q, y->s_q },
		{ x->s_k, y->s_k },   { x->role, y->role },     { x->group, y->group },
		{ x->node, y->node },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return 0;
}

static uint64_t rounded(uint64_t value, unsigned int digits)
{
	const unsigned int used = value ? 64 - (unsigned int)__builtin_clzll(value) : 0;

	return used > digits ? value >> (used - digits) << (used - digits) : value;
}

static struct length_bin bin_of(const struct cube_source *source, const struct cube *c,
				const struct length *l, size_t order, size_t nr,
				const struct grain *g)
{
	const size_t item = (size_t)(l->item - source->profile->items);
	const struct attention *a = length_attention(l);

	return (struct length_bin){
		.side = c->side_of_item[item],
		.group = c->group_of_phase[c->phase_of_item[item]],
		.node = g->has_places ? c->node_of_item[item] : 0,
		.bucket = (uint32_t)((double)order * (double)g->buckets / (double)nr),
		.s_q = rounded(a->s_q, g->digits),
		.s_k = rounded(a->s_k, g->digits),
		.role = length_role(l),
		.begin_ns = l->begin_ns > l->trace->first_ns ? l->begin_ns - l->trace->first_ns : 0,
		.calls = 1,
	};
}

static void fill(struct length_bins *b, const struct cube_source *source, const struct cube *c,
		 const struct lengths *l, const struct grain *g)
{
	size_t nr = 0;

	for (size_t i = 0; i < l->nr; i++)
		b->rows[i] = bin_of(source, c, &l->rows[i], i, l->nr, g);
	if (l->nr)
		qsort(b->rows, l->nr, sizeof(*b->rows), by_key);
	for (size_t i = 0; i < l->nr; i++) {
		if (nr && by_key(&b->rows[nr - 1], &b->rows[i]) == 0) {
			struct length_bin *to = &b->rows[nr - 1];

			to->calls++;
			if (b->rows[i].begin_ns < to->begin_ns)
				to->begin_ns = b->rows[i].begin_ns;
		} else {
			b->rows[nr++] = b->rows[i];
		}
	}
	b->nr = nr;
	b->is_rounded = g->digits < 64;
}

/* False: there is nothing coarser. */
static bool make_coarser(struct grain *g)
{
	if (g->buckets > BUCKETS_MIN)
		g->buckets /= 2;
	else if (g->has_places)
		g->has_places = false;
	else if (g->digits > 2)
		g->digits = g->digits > 6 ? 6 : g->digits - 1;
	else
		return false;
	return true;
}

int length_bins_make(struct length_bins *b, const struct cube_source *source,
		     const struct cube *cube, size_t limit)
{
	struct grain g = { .has_places = true, .digits = 64 };
	struct lengths l;

	*b = (struct length_bins){ 0 };
	if (lengths_make(&l, source->run, source->profile) < 0)
		return -ENOMEM;
	b->rows = calloc(l.nr + 1, sizeof(*b->rows));
	if (!b->rows) {
		lengths_clear(&l);
		return -ENOMEM;
	}
	g.buckets = l.nr < BUCKETS_MAX ? l.nr : BUCKETS_MAX;
	do
		fill(b, source, cube, &l, &g);
	while (b->nr > limit && make_coarser(&g));
	b->nr_left_out = l.nr_left_out;
	if (b->nr > limit) {
		for (size_t i = limit; i < b->nr; i++)
			b->nr_left_out += b->rows[i].calls;
		b->nr = limit;
	}
	lengths_clear(&l);
	return 0;
}

void length_bins_clear(struct length_bins *b)
{
	free(b->rows);
	*b = (struct length_bins){ 0 };
}
