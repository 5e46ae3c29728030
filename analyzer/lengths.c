/* SPDX-License-Identifier: Apache-2.0 */
#include "lengths.h"

#include <errno.h>
#include <stdlib.h>

static const struct attention nothing;

const struct attention *length_attention(const struct length *l)
{
	return l->item->assignment.has_attention ? &l->item->assignment.attention : &nothing;
}

enum role length_role(const struct length *l)
{
	return l->item->assignment.role;
}

/* The items of a trace by site; the one that took most time where a site has several. */
static const struct profile_item **items_by_site(const struct trace *t, const struct profile *p)
{
	const struct profile_item **items = calloc(t->pairs.nr_sites, sizeof(*items));

	for (size_t i = 0; items && i < p->nr_items; i++) {
		const struct profile_item *item = &p->items[i];

		if (item->trace == t && item->site &&
		    (!items[item->site] || items[item->site]->time_ns < item->time_ns))
			items[item->site] = item;
	}
	return items;
}

static int by_begin(const void *a, const void *b)
{
	const struct length *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return 0;
}

static uint64_t mean_ns(const struct id_map *keys, const struct profile *p,
			const struct profile_item *item)
{
	const uint32_t index = id_map_find(keys, (uintptr_t)item->attention_key);
	const struct profile_row *row = index ? &p->axes[AXIS_attention].rows[index - 1] : NULL;

	return row && row->attentions ? row->time_ns / row->attentions : 0;
}

static int add_trace(struct lengths *l, const struct trace *t, const struct profile *p,
		     const struct id_map *keys)
{
	const struct profile_item **items = items_by_site(t, p);
	const size_t first = l->nr;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < t->timeline.nr; i++) {
		const struct moment *m = &t->timeline.moments[i];
		const struct profile_item *item = items[m->site];

		if (p->setup.has_segment && !p->setup.has_segment(p->setup.context, t, m->segment))
			continue;
		/* A kernel beside the one that does the work is no attention of its own. */
		if (item && item->assignment.op == OPERATOR_attention &&
		    (item->assignment.is_attention || !item->assignment.has_attention))
			l->rows[l->nr++] = (struct length){ .trace = t,
							    .item = item,
							    .segment = m->segment,
							    .mean_ns = mean_ns(keys, p, item),
							    .begin_ns = m->begin_ns };
	}
	if (l->nr > first)
		qsort(l->rows + first, l->nr - first, sizeof(*l->rows), by_begin);
	l->nr_left_out += t->timeline.nr_left_out;
	free(items);
	return 0;
}

int lengths_make(struct lengths *l, const struct run *run, const struct profile *p)
{
	const struct profile_table *table = &p->axes[AXIS_attention];
	struct id_map keys = { 0 };
	size_t nr = 0;
	int r = 0;

	*l = (struct lengths){ 0 };
	for (size_t i = 0; i < table->nr && r == 0; i++)
		r = id_map_add(&keys, (uintptr_t)table->rows[i].key, (uint32_t)(i + 1));
	for (size_t i = 0; i < run->nr; i++)
		nr += run->traces[i]->timeline.nr;
	l->rows = calloc(nr + 1, sizeof(*l->rows));
	if (!l->rows)
		r = -ENOMEM;
	for (size_t i = 0; i < run->nr && r == 0; i++)
		r = add_trace(l, run->traces[i], p, &keys);
	id_map_free(&keys);
	if (r < 0)
		lengths_clear(l);
	return r;
}

void lengths_clear(struct lengths *l)
{
	free(l->rows);
	*l = (struct lengths){ 0 };
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of sorted values; returns how many there are. */
static size_t keep_distinct(uint64_t *values, size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++)
		if (values[i] && (!kept || values[kept - 1] != values[i]))
			values[kept++] = values[i];
	return kept;
}

/* A model's levels are a fixed factor apart; other models in the run have lengths between them. */
static double commonest_ratio(const uint64_t *values, size_t nr)
{
	enum { VALUES_MAX = 256 }; /* a decoder's grow by one: they have no levels */
	double best = 0;
	size_t most = 0;

	for (size_t i = 1; i < nr && nr < VALUES_MAX; i++) {
		const double ratio = (double)values[i] / (double)values[i - 1];
		size_t same = 0;

		for (size_t k = 1; k < nr; k++)
			same += (double)values[k] / (double)values[k - 1] < 1.01 * ratio &&
				(double)values[k] / (double)values[k - 1] > 0.99 * ratio;
		if (same > most || (same == most && ratio > best)) {
			most = same;
			best = ratio;
		}
	}
	return best;
}

void span_of_values(uint64_t *values, size_t nr, struct span *ret)
{
	qsort(values, nr, sizeof(*values), by_value);
	*ret = (struct span){
		.calls = nr,
		.shortest = nr ? values[0] : 0,
		.longest = nr ? values[nr - 1] : 0,
	};
	ret->level_ratio = commonest_ratio(values, keep_distinct(values, nr));
}

void lengths_span(const struct lengths *l, enum role role, struct span *ret)
{
	uint64_t *values = calloc(l->nr + 1, sizeof(*values));
	size_t nr = 0;

	*ret = (struct span){ 0 };
	if (!values)
		return;
	for (size_t i = 0; i < l->nr; i++) {
		const struct attention *a = length_attention(&l->rows[i]);

		if (length_role(&l->rows[i]) == role)
			values[nr++] = role == ROLE_decode ? a->s_k : a->s_q;
	}
	span_of_values(values, nr, ret);
	free(values);
}
