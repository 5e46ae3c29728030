/* SPDX-License-Identifier: Apache-2.0 */
#include "agreement.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lengths.h"
#include "quantities.h"

/* What is compared: for these a trace knows the problems. */
static const enum operator compared[] = { OPERATOR_convolution, OPERATOR_linear,
					  OPERATOR_attention };
enum { NR_COMPARED = sizeof(compared) / sizeof(*compared) };

/* Attentions to be laid side by side: more are told apart by their sums alone. */
enum { ORDER_MAX = 16000000 };

/* --- parameters ------------------------------------------------------------------------------- */

struct run_facts {
	const struct analysis *run;
	struct quantities quantities;
	double value;
};

static bool is_phase_word(const char *phase, const char *word, size_t size)
{
	size_t i = 0;

	for (; i < size && phase[i]; i++)
		if (word[i] != phase[i] && !(word[i] == '_' && phase[i] == ' '))
			return false;
	return i == size && !phase[i];
}

/* "image", or how many phases of a name there are: "denoising_step". */
static int run_fact(void *scope, const char *name, size_t size, struct operand *ret)
{
	struct run_facts *facts = scope;
	const struct phases *phases = &facts->run->phases;
	const enum quantity q = quantity_by_name(name, size);

	facts->value = q < NR_QUANTITIES ? facts->quantities.values[q] : 0;
	for (size_t i = 0; i < phases->nr && q == NR_QUANTITIES; i++)
		facts->value += is_phase_word(phases->rows[i].name->text, name, size);
	*ret = (struct operand){ &facts->value, 1, 0 };
	return facts->value > 0 ? 0 : -ENOENT;
}

int agreement_find(struct architecture *a, const struct analysis *run, struct diag *diag)
{
	struct run_facts facts = { .run = run };

	quantities_find(run, &facts.quantities);
	return architecture_find(a, run_fact, &facts, diag);
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool is_compared(enum operator op)
{
	for (size_t i = 0; i < NR_COMPARED; i++)
		if (compared[i] == op)
			return true;
	return false;
}

static struct agreement_row *find_row(struct agreement_row **rows, size_t *nr, size_t *size,
				      const struct agreement_row *key)
{
	for (size_t i = 0; i < *nr; i++) {
		struct agreement_row *row = &(*rows)[i];

		if (row->op == key->op && row->s_q == key->s_q && row->is_self == key->is_self &&
		    !strcmp(row->phase, key->phase))
			return row;
	}
	if (*nr == *size) {
		const size_t more = *size ? 2 * *size : 64;
		struct agreement_row *larger = realloc(*rows, more * sizeof(**rows));

		if (!larger)
			return NULL;
		*rows = larger;
		*size = more;
	}
	(*rows)[*nr] = *key;
	return &(*rows)[(*nr)++];
}

static struct agreement_row *operator_row(struct agreement *g, const char *phase, enum operator op)
{
	const struct agreement_row key = { .phase = phase, .op = op };

	return find_row(&g->rows, &g->nr_rows, &g->size_rows, &key);
}

static struct agreement_row *level_row(struct agreement *g, const char *phase,
				       const struct attention *a)
{
	const struct agreement_row key = {
		.phase = phase, .op = OPERATOR_attention, .s_q = a->s_q, .is_self = a->s_q == a->s_k
	};

	return find_row(&g->levels, &g->nr_levels, &g->size_levels, &key);
}

static int add_predicted(struct agreement *g, const struct forward *f)
{
	struct agreement_row *row;

	for (size_t i = 0; i < f->nr_parts; i++)
		for (size_t k = 0; k < NR_COMPARED; k++) {
			const struct forward_sum *sum = &f->parts[i].sums[compared[k]];

			if (sum->calls <= 0)
				continue;
			row = operator_row(g, f->parts[i].phase, compared[k]);
			if (!row)
				return -ENOMEM;
			row->sides[AGREEMENT_predicted].calls += sum->calls;
			row->sides[AGREEMENT_predicted].flops += sum->flops;
			row->best_s += sum->seconds;
		}
	for (size_t i = 0; i < f->nr_levels; i++) {
		const struct forward_level *level = &f->levels[i];

		row = level_row(g, f->parts[level->part].phase, &level->attention);
		if (!row)
			return -ENOMEM;
		row->sides[AGREEMENT_predicted].calls += level->sum.calls;
		row->sides[AGREEMENT_predicted].flops += level->sum.flops;
		row->best_s += level->sum.seconds;
	}
	return 0;
}

static void add_part(struct agreement_row *row, const struct profile_part *part)
{
	const struct assignment *a = &part->item->assignment;
	struct agreement_side *side = &row->sides[AGREEMENT_measured];
	const bool is_call = a->op == OPERATOR_attention ? a->is_attention : a->has_cost;

	row->time_ns += (double)part->time_ns;
	if (is_call)
		side->calls += (double)part->launches;
	if (a->has_cost)
		side->flops += (double)part->launches * a->cost.flops;
}

struct measuring {
	struct agreement *agreement;
	const struct phases *phases;
};

static int take_part(void *context, const struct profile_part *part)
{
	const struct measuring *m = context;
	const struct assignment *a = &part->item->assignment;
	const uint32_t phase = phases_of_segment(m->phases, part->item->trace, part->segment);
	const char *name = phase ? m->phases->rows[phase - 1].name->text : "(residual)";
	struct agreement_row *row;

	if (!is_compared(a->op))
		return 0;
	row = operator_row(m->agreement, name, a->op);
	if (!row)
		return -ENOMEM;
	add_part(row, part);
	if (a->op != OPERATOR_attention || !a->has_attention)
		return 0;
	row = level_row(m->agreement, name, &a->attention);
	if (!row)
		return -ENOMEM;
	add_part(row, part);
	return 0;
}

static int add_measured(struct agreement *g, const struct analysis *run)
{
	struct measuring m = { .agreement = g, .phases = &run->phases };

	return profile_each_part(&run->profile, take_part, &m);
}

static void add_up(struct agreement *g)
{
	for (size_t i = 0; i < g->nr_rows; i++) {
		const struct agreement_row *row = &g->rows[i];
		struct agreement_row *total = &g->totals[row->op];

		total->phase = "all";
		total->op = row->op;
		total->best_s += row->best_s;
		total->time_ns += row->time_ns;
		for (size_t k = 0; k < NR_AGREEMENT_SIDES; k++) {
			total->sides[k].calls += row->sides[k].calls;
			total->sides[k].flops += row->sides[k].flops;
		}
	}
}

/* --- the order -------------------------------------------------------------------------------- */

static bool same_length(const struct forward_length *p, const struct length *m)
{
	const struct attention *a = length_attention(m);

	return p->s_q == a->s_q && p->s_k == a->s_k;
}

/* Attentions of one part; of one whose passes are alike, those of one pass. */
struct stretch {
	uint64_t begin, end, passes;
};

/* False: there are no more. */
static bool next_stretch(const struct forward *f, struct stretch *s)
{
	const struct forward_length *l = f->lengths;

	s->begin = s->end;
	if (s->begin == f->nr_lengths)
		return false;
	while (s->end < f->nr_lengths && l[s->end].part == l[s->begin].part)
		s->end++;
	s->passes = (uint64_t)(f->parts[l[s->begin].part].sums[OPERATOR_attention].calls /
				       (double)(s->end - s->begin) +
			       0.5);
	return true;
}

static void set_first(struct agreement_order *o, uint64_t at, const struct forward_length *p,
		      const struct length *m)
{
	o->first = at;
	if (p)
		o->lengths[AGREEMENT_predicted] = *p;
	if (m)
		o->lengths[AGREEMENT_measured] = (struct forward_length){
			.s_q = length_attention(m)->s_q,
			.s_k = length_attention(m)->s_k,
		};
}

static void compare_order(struct agreement_order *o, const struct forward *f,
			  const struct lengths *l)
{
	struct stretch s = { 0 };
	uint64_t at = 0;

	o->nr[AGREEMENT_measured] = l->nr;
	while (next_stretch(f, &s))
		o->nr[AGREEMENT_predicted] += s.passes * (s.end - s.begin);
	o->is_compared = !l->nr_left_out && o->nr[AGREEMENT_predicted] <= ORDER_MAX;
	if (!o->is_compared)
		return;
	s = (struct stretch){ 0 };
	while (next_stretch(f, &s))
		for (uint64_t i = 0; i < s.passes * (s.end - s.begin); i++, at++) {
			const struct forward_length *p =
				&f->lengths[s.begin + i % (s.end - s.begin)];

			if (at < l->nr && same_length(p, &l->rows[at]))
				continue;
			set_first(o, at, p, at < l->nr ? &l->rows[at] : NULL);
			return;
		}
	o->is_equal = at == l->nr;
	if (!o->is_equal)
		set_first(o, at, NULL, &l->rows[at]);
}

static int make_order(struct agreement *g, const struct forward *f, const struct analysis *run)
{
	struct lengths lengths;
	int r = lengths_make(&lengths, &run->run, &run->profile);

	if (r < 0)
		return r;
	compare_order(&g->order, f, &lengths);
	lengths_clear(&lengths);
	return 0;
}

/* --- all -------------------------------------------------------------------------------------- */

int agreement_make(struct agreement *g, const struct forward *f, const struct analysis *run,
		   double tolerance)
{
	int r;

	*g = (struct agreement){ .tolerance = tolerance };
	r = add_predicted(g, f);
	if (r == 0)
		r = add_measured(g, run);
	if (r == 0)
		r = make_order(g, f, run);
	if (r < 0)
		agreement_clear(g);
	else
		add_up(g);
	return r;
}

void agreement_clear(struct agreement *g)
{
	free(g->rows);
	free(g->levels);
	*g = (struct agreement){ 0 };
}

double agreement_difference(const struct agreement_row *row)
{
	const double p = row->sides[AGREEMENT_predicted].flops;
	const double m = row->sides[AGREEMENT_measured].flops;

	if (p == m)
		return 0;
	return m > 0 ? (p - m) / m : INFINITY;
}

bool agreement_is_near(const struct agreement *g, const struct agreement_row *row)
{
	return fabs(agreement_difference(row)) <= g->tolerance;
}

bool agreement_holds(const struct agreement *g)
{
	for (size_t i = 0; i < g->nr_rows; i++)
		if (!agreement_is_near(g, &g->rows[i]))
			return false;
	return !g->order.is_compared || g->order.is_equal;
}
