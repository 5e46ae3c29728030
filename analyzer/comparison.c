/* SPDX-License-Identifier: Apache-2.0 */
#include "comparison.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"
#include "student.h"

static const double confidence = 0.95;

/* The phases of one row and side that ran more than once. */
struct samples {
	double variance, mean_squares; /* sums over groups of n s^2, of n mean^2 */
	double freedom;
};

struct maker {
	struct comparison *comparison;
	const struct tally *tallies[2];
	struct id_map row_ids, group_ids;
	uint32_t *rows[2], *groups[2]; /* of the tallies -> of the comparison */
	struct samples *samples[2];    /* by row of the comparison */
};

/* --- what belongs together -------------------------------------------------------------------- */

static const struct name *intern(struct maker *m, const struct name *name)
{
	return names_intern(m->comparison->names, name->text, name->size);
}

static int place_row(struct maker *m, int side, size_t i)
{
	const struct tally_row *from = &m->tallies[side]->rows[i];
	const uint32_t parent = m->rows[side][from->parent];
	const struct name *label = intern(m, from->label), *shown = intern(m, from->shown);
	const uint64_t fields[] = { parent, (uintptr_t)label };
	const uint64_t key = seed_hash(fields, sizeof(fields));
	uint32_t index = i ? id_map_find(&m->row_ids, key) : 0;
	struct comparison_row *row;

	if (!label || !shown)
		return -ENOMEM;
	if ((!i && side == 0) || (i && !index)) {
		index = (uint32_t)m->comparison->nr_rows++;
		m->comparison->rows[index] = (struct comparison_row){
			.parent = parent, .label = label, .shown = shown, .noise_ns = NAN
		};
		if (i && id_map_add(&m->row_ids, key, index) < 0)
			return -ENOMEM;
	}
	row = &m->comparison->rows[index];
	/* "Linear[0]" where one of the runs has but one. */
	if (shown->size > row->shown->size)
		row->shown = shown;
	row->sides[side].most = from->most;
	m->rows[side][i] = index;
	return 0;
}

static int place_group(struct maker *m, int side, size_t i)
{
	const struct tally_group *from = &m->tallies[side]->groups[i];
	const struct name *name = intern(m, from->name);
	uint32_t index = name ? id_map_find(&m->group_ids, (uintptr_t)name) : 0;

	if (!name)
		return -ENOMEM;
	if (!index) {
		index = (uint32_t)++m->comparison->nr_groups;
		if (id_map_add(&m->group_ids, (uintptr_t)name, index) < 0)
			return -ENOMEM;
		m->comparison->groups[index - 1] =
			(struct comparison_group){ .name = name, .kind = from->kind };
	}
	m->comparison->groups[index - 1].counts[side] = from->count;
	m->groups[side][i] = index - 1;
	return 0;
}

static int place(struct maker *m, int side)
{
	const struct tally *t = m->tallies[side];
	int r = 0;

	m->rows[side] = calloc(t->nr_rows, sizeof(*m->rows[side]));
	m->groups[side] = calloc(t->nr_groups, sizeof(*m->groups[side]));
	if (!m->rows[side] || !m->groups[side])
		return -ENOMEM;
	for (size_t i = 0; i < t->nr_rows && r == 0; i++)
		r = place_row(m, side, i);
	for (size_t i = 0; i < t->nr_groups && r == 0; i++)
		r = place_group(m, side, i);
	return r;
}

static void weigh(struct comparison *c, bool as_is)
{
	for (size_t i = 0; i < c->nr_groups; i++) {
		struct comparison_group *g = &c->groups[i];

		g->weight = 1;
		if (as_is || !g->counts[0] || !g->counts[1] || g->counts[0] == g->counts[1])
			continue;
		g->weight = (double)g->counts[0] / (double)g->counts[1];
		c->is_scaled = true;
	}
}

/* --- sums ------------------------------------------------------------------------------------- */

static double weight_of(const struct maker *m, int side, const struct tally_cell *cell)
{
	return side ? m->comparison->groups[m->groups[side][cell->group]].weight : 1;
}

/* Phases of the group, 0 for what is of none. */
static double count_of(const struct maker *m, int side, const struct tally_cell *cell)
{
	return cell->group ? (double)m->tallies[side]->groups[cell->group].count : 0;
}

static void add_sums(struct tally_sums *to, const struct tally_sums *from, double weight)
{
	to->time_ns += weight * from->time_ns;
	to->launches += weight * from->launches;
	to->flops += weight * from->flops;
	to->attentions += weight * from->attentions;
}

static void add_cell(struct maker *m, int side, const struct tally_cell *cell)
{
	const uint32_t index = m->rows[side][cell->row];
	struct comparison_side *to = &m->comparison->rows[index].sides[side];
	struct samples *samples = &m->samples[side][index];
	const double n = count_of(m, side, cell), weight = weight_of(m, side, cell);
	double squares, variance;

	add_sums(&to->sums, &cell->sums, weight);
	if (n < 2)
		return;
	squares = cell->squares - cell->sums.time_ns * cell->sums.time_ns / n;
	variance = n * (squares > 0 ? squares : 0) / (n - 1);
	samples->variance += variance;
	samples->mean_squares += cell->sums.time_ns * cell->sums.time_ns / n;
	samples->freedom += n - 1;
	variance *= weight * weight;
	to->variance += variance;
	to->doubt += variance * variance / (n - 1);
}

/* What ran once spreads by the same share. */
static void add_single(struct maker *m, int side, const struct tally_cell *cell)
{
	const uint32_t index = m->rows[side][cell->row];
	struct comparison_side *to = &m->comparison->rows[index].sides[side];
	const struct samples *samples = &m->samples[side][index];
	const double time_ns = weight_of(m, side, cell) * cell->sums.time_ns;
	double variance;

	if (count_of(m, side, cell) >= 2 || !samples->freedom || samples->mean_squares <= 0)
		return;
	variance = samples->variance / samples->mean_squares * time_ns * time_ns;
	to->variance += variance;
	to->doubt += variance * variance / samples->freedom;
}

static int sum(struct maker *m, int side)
{
	const struct tally *t = m->tallies[side];
	struct comparison *c = m->comparison;

	m->samples[side] = calloc(c->nr_rows, sizeof(*m->samples[side]));
	if (!m->samples[side])
		return -ENOMEM;
	for (size_t i = 0; i < t->nr_cells; i++)
		add_cell(m, side, &t->cells[i]);
	for (size_t i = 0; i < t->nr_cells; i++)
		add_single(m, side, &t->cells[i]);
	for (size_t i = 0; i < c->nr_rows; i++)
		if (c->rows[i].sides[side].sums.time_ns > 0 && !m->samples[side][i].freedom)
			c->rows[i].sides[side].variance = NAN;
	return 0;
}

static void find_noise(struct comparison_row *row)
{
	const double variance = row->sides[0].variance + row->sides[1].variance;
	const double doubt = row->sides[0].doubt + row->sides[1].doubt;

	row->noise_ns = isnan(variance) ? NAN
			: variance <= 0
				? 0
				: student_quantile(confidence, variance * variance / doubt) *
					  sqrt(variance);
}

/* --- order ------------------------------------------------------------------------------------ */

struct sorted {
	double change;
	uint32_t row;
};

static int by_change(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->change != y->change)
		return x->change < y->change ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int chain_children(struct comparison *c)
{
	struct sorted *sorted = calloc(c->nr_rows, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr_rows; i++)
		sorted[i] = (struct sorted){ .change = fabs(comparison_change_ns(&c->rows[i])),
					     .row = i };
	qsort(sorted, c->nr_rows, sizeof(*sorted), by_change);
	for (size_t i = c->nr_rows; i-- > 0;) {
		struct comparison_row *row = &c->rows[sorted[i].row];

		if (!sorted[i].row)
			continue;
		row->next = c->rows[row->parent].first_child;
		c->rows[row->parent].first_child = sorted[i].row;
	}
	free(sorted);
	return 0;
}

int comparison_make(struct comparison *c, const struct tally *a, const struct tally *b, bool as_is)
{
	struct maker m = { .comparison = c, .tallies = { a, b } };
	int r = -ENOMEM;

	*c = (struct comparison){
		.names = names_new(),
		.rows = calloc(a->nr_rows + b->nr_rows, sizeof(*c->rows)),
		.groups = calloc(a->nr_groups + b->nr_groups, sizeof(*c->groups)),
	};
	if (c->names && c->rows && c->groups)
		r = 0;
	for (int side = 0; side < 2 && r == 0; side++)
		r = place(&m, side);
	if (r == 0)
		weigh(c, as_is);
	for (int side = 0; side < 2 && r == 0; side++)
		r = sum(&m, side);
	for (size_t i = 0; r == 0 && i < c->nr_rows; i++)
		find_noise(&c->rows[i]);
	if (r == 0)
		r = chain_children(c);
	for (int side = 0; side < 2; side++) {
		free(m.rows[side]);
		free(m.groups[side]);
		free(m.samples[side]);
	}
	id_map_free(&m.row_ids);
	id_map_free(&m.group_ids);
	if (r < 0)
		comparison_clear(c);
	return r;
}

void comparison_clear(struct comparison *c)
{
	names_free(c->names);
	free(c->rows);
	free(c->groups);
	*c = (struct comparison){ 0 };
}

/* --- verdicts --------------------------------------------------------------------------------- */

double comparison_change_ns(const struct comparison_row *row)
{
	return row->sides[1].sums.time_ns - row->sides[0].sums.time_ns;
}

bool comparison_is_noise(const struct comparison_row *row)
{
	return fabs(comparison_change_ns(row)) <= row->noise_ns;
}

double comparison_gain(const struct comparison_row *row)
{
	const double a = row->sides[0].sums.time_ns, b = row->sides[1].sums.time_ns;

	return a > 0 && b > 0 ? a / b : NAN;
}

double comparison_amdahl(double share, double gain)
{
	return 1 / (1 - share + share / gain);
}
