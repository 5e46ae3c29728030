/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.h - what rows add up to: a number for each distinct combination, never for each launch.
 *
 * A site is how a host call repeats: its template, its parameters, and what its neighbours made of
 * it.  A pair is a site with the template of the device record it caused.
 */
#ifndef ANALYZER_PAIRS_H
#define ANALYZER_PAIRS_H

#include <stdbool.h>

#include "attention.h"
#include "id_map.h"
#include "operators.h"

/* Of attention that is not fused. */
enum attention_part { PART_none, PART_scores, PART_softmax, PART_values };

/* What the launches before and behind say.  All zero: nothing. */
struct hint {
	enum operator op; /* if has_operator */
	bool has_operator;
	bool is_principal;  /* of the kernels of one library call, the one that does the work */
	uint32_t attention; /* of pairs.attentions, 0: none */
	enum attention_part part;
};

struct site {
	uint32_t template, parameters; /* indexes in the model; 0: not known, none */
	uint32_t hint;
	uint32_t segment;    /* of phases, if each site is of one; else 0 */
	uint32_t last_pair;  /* the one looked for last */
	uint32_t last_slice; /* 0: none */
	uint64_t count;      /* rows that returned success */
	uint64_t host_ns;
};

struct pair {
	uint32_t site; /* 0: no launch is known */
	uint32_t device_template;
	uint32_t last_slice; /* 0: none */
	uint64_t count, time_ns, min_ns, max_ns;
};

/*
 * What a pair did in one segment of phases; of a trace without device rows, what a site did. Rarely
 * there are several of one pair and segment.  What no slice has of a pair is of no segment.
 */
struct slice {
	uint32_t of; /* index of the pair, or the site */
	uint32_t segment;
	uint32_t previous; /* slice of the same, 0: none */
	uint32_t count;
	uint64_t time_ns, min_ns, max_ns;
};

struct slices {
	struct slice *rows; /* from 1 on */
	size_t nr, size;
	uint64_t nr_left_out; /* rows beyond what is kept: they are of no segment */
};

struct pairs {
	struct site *sites;           /* index 0: none */
	struct pair *pairs;           /* index 0: unused */
	struct hint *hints;           /* index 0: nothing */
	struct attention *attentions; /* index 0: none */
	size_t nr_sites, nr_pairs, nr_hints, nr_attentions;
	size_t size_sites, size_pairs, size_hints, size_attentions;
	struct id_map site_ids, pair_ids, hint_ids, attention_ids;
	uint64_t nr_merged;         /* what was taken for one with fewer particulars: too many */
	bool has_segments;          /* slices are wanted */
	bool has_sites_of_segments; /* sites of one segment each are */
	bool has_device;            /* so those of the host are not */
	struct slices slices, host_slices;
};

int pairs_init(struct pairs *p); /* 0 or -ENOMEM */
void pairs_clear(struct pairs *p);

/* Indexes; 0: no memory. */
uint32_t pairs_site(struct pairs *p, uint32_t template, uint32_t parameters, uint32_t hint,
		    uint32_t segment);
uint32_t pairs_find(struct pairs *p, uint32_t site, uint32_t device_template);

/* 0 also for a hint that says nothing, and without memory. */
uint32_t pairs_hint(struct pairs *p, const struct hint *hint);
uint32_t pairs_attention(struct pairs *p, const struct attention *a);

/* `last` is the slice of the same pair or site that was used last.  -ENOMEM. */
int slices_add(struct slices *c, uint32_t *last, const struct slice *more);

/* There are device rows: what the host did in each segment is of no more use. */
void pairs_see_device(struct pairs *p);

/* Adds a host row that returned success.  -ENOMEM. */
static inline int pairs_add_host(struct pairs *p, uint32_t site, uint32_t segment, uint64_t time_ns)
{
	p->sites[site].count++;
	p->sites[site].host_ns += time_ns;
	if (!p->has_segments || !segment || p->has_device)
		return 0;
	return slices_add(&p->host_slices, &p->sites[site].last_slice,
			  &(struct slice){ site, segment, 0, 1, time_ns, time_ns, time_ns });
}

/* Adds `count` device rows of launches in a segment, 0: not known.  -ENOMEM. */
static inline int pairs_add(struct pairs *p, uint32_t site, uint32_t device_template,
			    uint32_t segment, uint64_t count, uint64_t time_ns, uint64_t min_ns,
			    uint64_t max_ns)
{
	uint32_t index = p->sites[site].last_pair;
	struct pair *pair;

	if (!index || p->pairs[index].device_template != device_template) {
		index = pairs_find(p, site, device_template);
		if (!index)
			return -1;
		p->sites[site].last_pair = index;
	}
	pair = &p->pairs[index];
	pair->count += count;
	pair->time_ns += time_ns;
	if (min_ns < pair->min_ns)
		pair->min_ns = min_ns;
	if (max_ns > pair->max_ns)
		pair->max_ns = max_ns;
	if (!p->has_segments || !segment)
		return 0;
	return slices_add(&p->slices, &pair->last_slice,
			  &(struct slice){ index, segment, 0,
					   (uint32_t)(count < UINT32_MAX ? count : UINT32_MAX),
					   time_ns, min_ns, max_ns });
}

#endif
