/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

/*
 * Beyond real runs; hostile rows can combine anything with anything.  Slices: each step has those
 * of all its launches; an image of 1,024 tokens from a decoder of 36 layers, 0.8 million.
 */
enum {
	SITES_MAX = 1 << 21,
	PAIRS_MAX = 1 << 21,
	HINTS_MAX = 1 << 20,
	ATTENTIONS_MAX = 1 << 18,
	SLICES_MAX = 1 << 23,
	SLICES_BACK = 4, /* threads take turns: the segment may not be the last one's */
};

static void *append(void *rows, size_t *nr, size_t *size, size_t row_bytes)
{
	char **at = rows;

	if (*nr == *size) {
		const size_t bigger = *size ? 2 * *size : 256;
		char *p = realloc(*at, bigger * row_bytes);

		if (!p)
			return NULL;
		*at = p;
		*size = bigger;
	}
	memset(*at + *nr * row_bytes, 0, row_bytes);
	return *at + (*nr)++ * row_bytes;
}

#define APPEND(p, rows)                                                            \
	((typeof((p)->rows))append(&(p)->rows, &(p)->nr_##rows, &(p)->size_##rows, \
				   sizeof(*(p)->rows)))

int pairs_init(struct pairs *p)
{
	*p = (struct pairs){ 0 };
	if (!APPEND(p, sites) || !APPEND(p, pairs) || !APPEND(p, hints) || !APPEND(p, attentions)) {
		pairs_clear(p);
		return -ENOMEM;
	}
	return 0;
}

void pairs_clear(struct pairs *p)
{
	free(p->sites);
	free(p->pairs);
	free(p->hints);
	free(p->attentions);
	free(p->slices.rows);
	free(p->host_slices.rows);
	id_map_free(&p->site_ids);
	id_map_free(&p->pair_ids);
	id_map_free(&p->hint_ids);
	id_map_free(&p->attention_ids);
	*p = (struct pairs){ 0 };
}

/* Numbers of 21, 21 and 22 bits: no two sites have the same key.  Never 0 for a real site. */
static uint64_t site_key(uint32_t template, uint32_t parameters, uint32_t hint)
{
	return (uint64_t) template << 43 | (uint64_t)parameters << 22 | hint;
}

static uint64_t segment_key(uint64_t key, uint32_t segment)
{
	const uint64_t fields[] = { key, segment };

	return seed_hash(fields, sizeof(fields));
}

uint32_t pairs_site(struct pairs *p, uint32_t template, uint32_t parameters, uint32_t hint,
		    uint32_t segment)
{
	const uint64_t plain = site_key(template, parameters, hint);
	const uint64_t key = segment ? segment_key(plain, segment) : plain;
	const uint32_t found = id_map_find(&p->site_ids, key);
	struct site *site;

	if (found)
		return found;
	if (p->nr_sites >= SITES_MAX && (parameters || hint || segment)) {
		p->nr_merged++;
		return pairs_site(p, template, 0, 0, 0);
	}
	site = APPEND(p, sites);
	if (!site || id_map_add(&p->site_ids, key, (uint32_t)(p->nr_sites - 1)) < 0)
		return 0;
	site->template = template;
	site->parameters = parameters;
	site->hint = hint;
	site->segment = segment;
	return (uint32_t)(p->nr_sites - 1);
}

uint32_t pairs_find(struct pairs *p, uint32_t site, uint32_t device_template)
{
	const uint64_t key = (uint64_t)site << 32 | device_template;
	const uint32_t found = id_map_find(&p->pair_ids, key);
	struct pair *pair;

	if (found)
		return found;
	if (p->nr_pairs >= PAIRS_MAX && site) {
		p->nr_merged++;
		return pairs_find(p, 0, device_template);
	}
	pair = APPEND(p, pairs);
	if (!pair || id_map_add(&p->pair_ids, key, (uint32_t)(p->nr_pairs - 1)) < 0)
		return 0;
	pair->site = site;
	pair->device_template = device_template;
	pair->min_ns = UINT64_MAX;
	return (uint32_t)(p->nr_pairs - 1);
}

static bool slice_takes(const struct slice *c, const struct slice *more)
{
	return c->segment == more->segment && c->count <= UINT32_MAX - more->count;
}

static void slice_merge(struct slice *c, const struct slice *more)
{
	c->count += more->count;
	c->time_ns += more->time_ns;
	c->min_ns = more->min_ns < c->min_ns ? more->min_ns : c->min_ns;
	c->max_ns = more->max_ns > c->max_ns ? more->max_ns : c->max_ns;
}

int slices_add(struct slices *c, uint32_t *last, const struct slice *more)
{
	uint32_t index = *last;
	struct slice *slice;

	for (int i = 0; index && i < SLICES_BACK; i++) {
		if (slice_takes(&c->rows[index], more)) {
			slice_merge(&c->rows[index], more);
			return 0;
		}
		index = c->rows[index].previous;
	}
	if (c->nr >= SLICES_MAX) {
		c->nr_left_out += more->count;
		return 0;
	}
	slice = append(&c->rows, &c->nr, &c->size, sizeof(*slice));
	if (slice && c->nr == 1)
		slice = append(&c->rows, &c->nr, &c->size, sizeof(*slice));
	if (!slice)
		return -1;
	*slice = *more;
	slice->previous = *last;
	*last = (uint32_t)(c->nr - 1);
	return 0;
}

void pairs_see_device(struct pairs *p)
{
	p->has_device = true;
	free(p->host_slices.rows);
	p->host_slices = (struct slices){ 0 };
}

uint32_t pairs_hint(struct pairs *p, const struct hint *hint)
{
	const uint64_t key = 1 | (uint64_t)hint->op << 1 | (uint64_t)hint->has_operator << 8 |
			     (uint64_t)hint->is_principal << 9 | (uint64_t)hint->part << 10 |
			     (uint64_t)hint->attention << 16;
	uint32_t found;
	struct hint *row;

	if (!hint->has_operator && !hint->is_principal && !hint->attention)
		return 0;
	found = id_map_find(&p->hint_ids, key);
	if (found)
		return found;
	if (p->nr_hints >= HINTS_MAX)
		return 0;
	row = APPEND(p, hints);
	if (!row || id_map_add(&p->hint_ids, key, (uint32_t)(p->nr_hints - 1)) < 0)
		return 0;
	*row = *hint;
	return (uint32_t)(p->nr_hints - 1);
}

static uint64_t attention_key(const struct attention *a)
{
	const uint64_t fields[] = { a->b,      a->h,    a->h_kv,    a->s_q,
				    a->s_k,    a->d,    a->d_v,     a->heads_in_batch,
				    a->causal, a->type, a->backend, a->exactness };

	return seed_hash(fields, sizeof(fields));
}

uint32_t pairs_attention(struct pairs *p, const struct attention *a)
{
	const uint64_t key = attention_key(a);
	const uint32_t found = id_map_find(&p->attention_ids, key);
	struct attention *row;

	if (found)
		return found;
	if (p->nr_attentions >= ATTENTIONS_MAX)
		return 0;
	row = APPEND(p, attentions);
	if (!row || id_map_add(&p->attention_ids, key, (uint32_t)(p->nr_attentions - 1)) < 0)
		return 0;
	*row = *a;
	return (uint32_t)(p->nr_attentions - 1);
}
