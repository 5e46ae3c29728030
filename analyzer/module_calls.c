/* SPDX-License-Identifier: Apache-2.0 */
#include "module_calls.h"

#include <errno.h>
#include <stdlib.h>

#include "id_map.h"
#include "seed.h"

/* A place of launches in or below a node, in one segment. */
struct place {
	uint32_t node;
	uint64_t launches;
};

struct places {
	struct place *rows;
	size_t nr, size;
};

/* What an item launched in a segment; segments of all traces are numbered through. */
struct located {
	const struct profile_item *item;
	uint64_t segment, launches;
};

/*
 * Steps are alike: segments that launch the same from the same places as often are looked at once.
 */
struct segments {
	const struct run *run;
	uint64_t *firsts; /* by trace: number of its first segment */
	uint64_t nr;
	uint64_t *hashes; /* by segment, of its places and launches; 0: it has none */
	uint64_t *counts; /* of segments like this one; 0: another one stands for it */
	struct located *located;
	size_t nr_located, size_located;
};

static int by_segment_and_item(const void *a, const void *b)
{
	const struct located *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
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
static int add_item(struct places *p, const struct modules *m, const struct located *located)
{
	uint32_t node = modules_of_site(m, located->item->trace, located->item->site);
	int r = 0;

	for (; node && r == 0; node = modules_node(m, node)->parent)
		if (modules_node(m, node)->sort == MODULE_module)
			r = add_place(p, node, located->launches);
	return r;
}

/* The commonest number of each node counts, for so many segments. */
static void end_segment(struct places *p, struct modules *m, uint64_t count)
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
		modules_add_calls(m, p->rows[i].node, count * launches);
	}
	p->nr = 0;
}

/* Where phases follow modules, what is in none of them calls no module: sampling in generate(). */
static bool is_outside(const struct profile_part *part)
{
	const struct phase_tracker *t = part->item->trace->phases;
	const struct phase_survey *survey = t ? phase_tracker_survey(t) : NULL;
	size_t nr;

	if (!survey || survey->nr_marks || survey->anchor || !part->segment)
		return false;
	return phase_tracker_segments(t, &nr)[part->segment].kind == PHASE_gap;
}

static uint64_t number_of(const struct segments *s, const struct profile_part *part)
{
	for (size_t i = 0; i < s->run->nr; i++)
		if (s->run->traces[i] == part->item->trace)
			return s->firsts[i] + part->segment;
	return 0;
}

/* Whatever their order. */
static int hash_part(void *context, const struct profile_part *part)
{
	struct segments *s = context;
	const uint64_t fields[] = { (uintptr_t)part->item, part->launches };

	if (!is_outside(part))
		s->hashes[number_of(s, part)] += seed_hash(fields, sizeof(fields)) | 1;
	return 0;
}

static int keep_part(void *context, const struct profile_part *part)
{
	struct segments *s = context;
	const uint64_t segment = number_of(s, part);

	if (!s->counts[segment] || is_outside(part))
		return 0;
	if (s->nr_located == s->size_located) {
		const size_t size = s->size_located ? 2 * s->size_located : 1024;
		struct located *located = realloc(s->located, size * sizeof(*located));

		if (!located)
			return -ENOMEM;
		s->located = located;
		s->size_located = size;
	}
	s->located[s->nr_located++] = (struct located){ part->item, segment, part->launches };
	return 0;
}

static int number_segments(struct segments *s)
{
	s->firsts = calloc(s->run->nr + 1, sizeof(*s->firsts));
	if (!s->firsts)
		return -ENOMEM;
	for (size_t i = 0; i < s->run->nr; i++) {
		size_t nr = 1;

		if (s->run->traces[i]->phases)
			phase_tracker_segments(s->run->traces[i]->phases, &nr);
		s->firsts[i] = s->nr;
		s->nr += nr;
	}
	s->hashes = calloc(s->nr + 1, sizeof(*s->hashes));
	s->counts = calloc(s->nr + 1, sizeof(*s->counts));
	return s->hashes && s->counts ? 0 : -ENOMEM;
}

/* The first one of each sort stands for all. */
static int count_alike(struct segments *s)
{
	struct id_map ids = { 0 };
	int r = 0;

	for (uint64_t i = 0; i < s->nr && i < UINT32_MAX && r == 0; i++) {
		const uint32_t first = s->hashes[i] ? id_map_find(&ids, s->hashes[i]) : 0;

		if (first)
			s->counts[first - 1]++;
		else if (s->hashes[i])
			r = id_map_add(&ids, s->hashes[i], (uint32_t)i + 1);
		if (!first && s->hashes[i])
			s->counts[i] = 1;
	}
	id_map_free(&ids);
	return r;
}

static int count_calls(struct segments *s, struct modules *m)
{
	struct places places = { 0 };
	int r = 0;

	if (s->nr_located)
		qsort(s->located, s->nr_located, sizeof(*s->located), by_segment_and_item);
	for (size_t i = 0; i < s->nr_located && r == 0; i++) {
		struct located *at = &s->located[i], *next = at + 1;
		const bool is_last = i + 1 == s->nr_located;

		/* One item may have come in several parts. */
		if (!is_last && by_segment_and_item(at, next) == 0) {
			next->launches += at->launches;
			continue;
		}
		r = add_item(&places, m, at);
		if (r == 0 && (is_last || next->segment != at->segment))
			end_segment(&places, m, s->counts[at->segment]);
	}
	free(places.rows);
	return r;
}

int module_calls_count(struct modules *m, const struct profile *p)
{
	struct segments s = { .run = p->run };
	int r = number_segments(&s);

	if (r == 0)
		r = profile_each_part(p, hash_part, &s);
	if (r == 0)
		r = count_alike(&s);
	if (r == 0)
		r = profile_each_part(p, keep_part, &s);
	if (r == 0)
		r = count_calls(&s, m);
	free(s.firsts);
	free(s.hashes);
	free(s.counts);
	free(s.located);
	return r;
}
