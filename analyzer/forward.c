/* SPDX-License-Identifier: Apache-2.0 */
#include "forward.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct maker {
	struct forward *forward;
	const struct forward_setup *setup;
};

static void add(struct forward_sum *to, const struct forward_sum *from, double times)
{
	to->calls += times * from->calls;
	to->flops += times * from->flops;
	to->bytes += times * from->bytes;
	to->seconds += times * from->seconds;
	to->seconds_flops += times * from->seconds_flops;
	to->seconds_bytes += times * from->seconds_bytes;
}

/* Room for one more; false: no memory. */
static bool has_room(void **rows, size_t nr, size_t *size, size_t row_size)
{
	void *more;

	if (nr < *size)
		return true;
	more = realloc(*rows, (*size ? 2 * *size : 64) * row_size);
	if (!more)
		return false;
	*rows = more;
	*size = *size ? 2 * *size : 64;
	return true;
}

/* --- one layer -------------------------------------------------------------------------------- */

static void add_cost(const struct maker *m, const struct cost *c, struct forward_sum *to)
{
	const struct peaks *p = m->setup->peaks;
	const enum unit unit = unit_of(c->type, c->compute, "");

	to->flops += c->flops;
	to->bytes += c->bytes;
	if (!p)
		return;
	to->seconds += peaks_seconds(p, unit, c->flops, c->bytes);
	to->seconds_flops += peaks_seconds(p, unit, c->flops, 0);
	to->seconds_bytes += peaks_seconds(p, unit, 0, c->bytes);
}

/* Two products and a softmax between them, each reading what the one before wrote. */
static void baseline_sum(const struct maker *m, const struct attention *a, struct forward_sum *ret)
{
	static const enum attention_part parts[] = { PART_scores, PART_softmax, PART_values };
	struct cost cost;

	*ret = (struct forward_sum){ .calls = 1 };
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (cost_of_attention(a, parts[i], &cost))
			add_cost(m, &cost, ret);
}

static void layer_sum(const struct maker *m, const struct layer *l, struct forward_sum *ret)
{
	*ret = (struct forward_sum){ .calls = 1 };
	if (l->kind == LAYER_attention && m->setup->is_baseline)
		baseline_sum(m, &l->attention, ret);
	else
		add_cost(m, &l->cost, ret);
}

static double scores_bytes(const struct attention *a)
{
	return type_bytes(a->type) * (double)a->s_q * (double)a->s_k;
}

/* --- attention -------------------------------------------------------------------------------- */

static bool is_level(const struct forward_level *level, const struct layer *l)
{
	const struct attention *a = &level->attention, *b = &l->attention;

	/* One more key in each pass is not a level of its own; other keys in the same pass are. */
	return (a->s_q == a->s_k) == (b->s_q == b->s_k) && level->part == l->part_index &&
	       level->role == l->role && a->s_q == b->s_q && a->b == b->b && a->h == b->h &&
	       a->d == b->d && a->causal == b->causal &&
	       (level->s_k_last == b->s_k || (l->pass > 0 && level->s_k_last < b->s_k));
}

static struct forward_level *find_level(struct forward *f, const struct layer *l)
{
	struct forward_level *level;

	for (size_t i = f->nr_levels; i-- > 0;) {
		if (is_level(&f->levels[i], l))
			return &f->levels[i];
	}
	if (!has_room((void **)&f->levels, f->nr_levels, &f->size_levels, sizeof(*f->levels)))
		return NULL;
	level = &f->levels[f->nr_levels++];
	*level = (struct forward_level){ .part = l->part_index,
					 .role = l->role,
					 .attention = l->attention };
	return level;
}

static void add_similarity(struct similarity *to, const struct layer *l)
{
	const double head = scores_bytes(&l->attention);
	const double all = head * (double)l->attention.b * (double)l->attention.h;

	if (to->last_pass != l->pass)
		to->pass_head = to->pass = 0;
	to->last_pass = l->pass;
	to->pass_head += head;
	to->pass += all;
	to->all += all * l->count;
	to->largest = fmax(to->largest, all);
}

static int add_attention(const struct maker *m, const struct layer *l,
			 const struct forward_sum *sum)
{
	const struct maker plain = { .setup = &(struct forward_setup){ 0 } };
	struct forward *f = m->forward;
	struct forward_level *level = find_level(f, l);
	struct forward_sum baseline;

	if (!level)
		return -ENOMEM;
	baseline_sum(&plain, &l->attention, &baseline);
	level->s_k_last = l->attention.s_k;
	level->bytes_fused += l->count * l->cost.bytes;
	level->bytes_baseline += l->count * baseline.bytes;
	level->similarity =
		scores_bytes(&l->attention) * (double)l->attention.b * (double)l->attention.h;
	add(&level->sum, sum, l->count);
	if (!m->setup->wants_lengths)
		return 0;
	if (!has_room((void **)&f->lengths, f->nr_lengths, &f->size_lengths, sizeof(*f->lengths)))
		return -ENOMEM;
	f->lengths[f->nr_lengths++] = (struct forward_length){ .s_q = l->attention.s_q,
							       .s_k = l->attention.s_k,
							       .part = (uint32_t)l->part_index };
	return 0;
}

/* --- the walk --------------------------------------------------------------------------------- */

static int keep_layer(struct forward *f, const struct layer *l, const struct forward_sum *sum)
{
	struct forward_layer *row;

	if (!has_room((void **)&f->layers, f->nr_layers, &f->size_layers, sizeof(*f->layers)))
		return -ENOMEM;
	row = &f->layers[f->nr_layers];
	*row = (struct forward_layer){ .part = l->part_index,
				       .kind = l->kind,
				       .attention = l->attention,
				       .sum = *sum,
				       .weights = l->weights,
				       .type = l->type };
	if (asprintf(&row->path, "%s%s", l->path, l->name) < 0)
		return -ENOMEM;
	f->nr_layers++;
	return 0;
}

static int visit(void *data, const struct layer *l, struct diag *diag)
{
	const struct maker *m = data;
	struct forward_part *part = &m->forward->parts[l->part_index];
	const double e = type_bytes(l->type);
	struct forward_sum sum;
	int r = 0;

	if (m->setup->part && !strstr(l->part, m->setup->part))
		return 0;
	layer_sum(m, l, &sum);
	part->type = l->type;
	part->times = fmax(part->times, l->count > 1 ? l->count : (double)l->pass + 1);
	add(&part->sums[layer_operator(l->kind)], &sum, l->count);
	if (l->pass == 0) {
		part->weights += l->weights;
		part->weight_bytes += e * l->weights;
	}
	part->cache_bytes += e * l->cache * l->count;
	part->activation_bytes = fmax(part->activation_bytes, e * (l->held + l->input + l->output));
	if (l->kind == LAYER_attention) {
		add_similarity(&part->similarity, l);
		r = add_attention(m, l, &sum);
	}
	if (r == 0 && m->setup->wants_layers && l->pass == 0)
		r = keep_layer(m->forward, l, &sum);
	return r < 0 ? diag_set(diag, r, "no memory") : 0;
}

static void add_up(struct forward *f)
{
	for (size_t i = 0; i < f->nr_parts; i++) {
		struct forward_part *part = &f->parts[i];

		for (enum operator op = 0; op < NR_OPERATORS; op++) {
			add(&part->all, &part->sums[op], 1);
			add(&f->sums[op], &part->sums[op], 1);
		}
		add(&f->all, &part->all, 1);
		f->weights += part->weights;
		f->weight_bytes += part->weight_bytes;
		f->cache_bytes += part->cache_bytes;
		f->activation_bytes = fmax(f->activation_bytes, part->activation_bytes);
		f->similarity.all += part->similarity.all;
		f->similarity.largest = fmax(f->similarity.largest, part->similarity.largest);
	}
}

int forward_make(struct forward *f, struct architecture *a, const struct forward_setup *setup,
		 struct diag *diag)
{
	struct maker m = { .forward = f, .setup = setup };
	int r;

	*f = (struct forward){ .nr_parts = architecture_nr_parts(a) };
	f->parts = calloc(f->nr_parts + 1, sizeof(*f->parts));
	if (!f->parts)
		return diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < f->nr_parts; i++) {
		f->parts[i].name = architecture_part(a, i);
		f->parts[i].phase = architecture_phase(a, i);
	}
	r = architecture_walk(a, visit, &m, diag);
	if (r < 0)
		forward_clear(f);
	else
		add_up(f);
	return r;
}

void forward_clear(struct forward *f)
{
	for (size_t i = 0; i < f->nr_layers; i++)
		free(f->layers[i].path);
	free(f->parts);
	free(f->levels);
	free(f->layers);
	free(f->lengths);
	*f = (struct forward){ 0 };
}

double forward_traffic_intensity(const struct forward_sum *sum)
{
	return sum->bytes > 0 ? sum->flops / sum->bytes : 0;
}

double forward_capacity_intensity(const struct forward *f)
{
	return f->weight_bytes > 0 ? f->all.flops / f->weight_bytes : 0;
}

double forward_memory(const struct forward *f, bool is_baseline)
{
	/* Scores and what softmax makes of them. */
	const double scores = is_baseline ? 2 * f->similarity.largest : 0;

	return f->weight_bytes + f->cache_bytes + fmax(f->activation_bytes, scores);
}
