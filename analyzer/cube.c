/* SPDX-License-Identifier: Apache-2.0 */
#include "cube.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

struct maker {
	struct cube *cube;
	const struct cube_source *source;
	const struct cube_limits *limits;
	struct id_map ids;
};

static uint32_t trace_index(const struct run *run, const struct trace *t)
{
	for (uint32_t i = 0; i < run->nr; i++)
		if (run->traces[i] == t)
			return i;
	return 0;
}

/* --- sides ------------------------------------------------------------------------------------ */

static size_t argument_of(const struct inputs *in, const struct trace *t)
{
	for (size_t i = 0; i < in->nr; i++)
		if (!strcmp(in->paths[i], t->path))
			return in->arguments[i];
	return 0;
}

static int make_sides(struct maker *m)
{
	const struct run *run = m->source->run;
	const bool by_argument = m->source->inputs->nr_arguments > 1;
	struct cube *c = m->cube;
	size_t last = 0;

	c->sides = calloc(run->nr, sizeof(*c->sides));
	c->side_of_trace = calloc(run->nr, sizeof(*c->side_of_trace));
	if (!c->sides || !c->side_of_trace)
		return -ENOMEM;
	for (size_t i = 0; i < run->nr; i++) {
		const size_t argument = argument_of(m->source->inputs, run->traces[i]);

		if (!i || !by_argument || argument != last)
			c->sides[c->nr_sides++].first = run->traces[i];
		c->sides[c->nr_sides - 1].nr_traces++;
		c->side_of_trace[i] = (uint32_t)(c->nr_sides - 1);
		last = argument;
	}
	return 0;
}

/* --- groups of phases ------------------------------------------------------------------------- */

/* 0: the one for what is beyond the limit, which is the last. */
static uint32_t find_group(struct maker *m, const struct phase *phase)
{
	struct cube *c = m->cube;
	uint32_t index = id_map_find(&m->ids, (uintptr_t)phase->name);

	if (index)
		return index;
	if (c->nr_groups < m->limits->groups) {
		index = (uint32_t)c->nr_groups++;
		if (id_map_add(&m->ids, (uintptr_t)phase->name, index) < 0)
			return 0;
		c->groups[index] = (struct cube_group){
			.name = phase->name,
			.is_step = phase_kind_is_step(phase->kind),
		};
		return index;
	}
	if (c->nr_groups == m->limits->groups)
		c->nr_groups++;
	return (uint32_t)m->limits->groups;
}

static int make_groups(struct maker *m)
{
	const struct phases *p = m->source->phases;
	struct cube *c = m->cube;

	c->groups = calloc(m->limits->groups + 1, sizeof(*c->groups));
	c->group_of_phase = calloc(p->nr + 1, sizeof(*c->group_of_phase));
	if (!c->groups || !c->group_of_phase)
		return -ENOMEM;
	c->groups[c->nr_groups++].name = p->residual.name;
	for (size_t i = 0; i < p->nr; i++) {
		const uint32_t group = find_group(m, &p->rows[i]);

		if (!group)
			return -ENOMEM;
		c->groups[group].nr++;
		c->group_of_phase[i + 1] = group;
	}
	id_map_free(&m->ids);
	return 0;
}

/* --- places ----------------------------------------------------------------------------------- */

struct ranked {
	uint64_t time_ns;
	uint32_t index;
};

/* Most time first; a parent has no less than its children, and comes first. */
static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? 1 : -1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Which nodes stand for themselves: the `limit` with the most time. */
static bool *choose_nodes(const struct modules *modules, size_t limit)
{
	const uint32_t nr = (uint32_t)modules_count(modules);
	struct ranked *ranks = calloc(nr, sizeof(*ranks));
	bool *is_kept = calloc(nr, sizeof(*is_kept));

	if (ranks && is_kept) {
		for (uint32_t i = 0; i < nr; i++)
			ranks[i] =
				(struct ranked){ modules_node(modules, i)->total.all.time_ns, i };
		qsort(ranks, nr, sizeof(*ranks), by_rank);
		for (uint32_t i = 0; i < nr && i < limit; i++)
			is_kept[ranks[i].index] =
				modules_node(modules, ranks[i].index)->total.all.launches != 0;
		is_kept[0] = true;
	} else {
		free(is_kept);
		is_kept = NULL;
	}
	free(ranks);
	return is_kept;
}

static uint32_t rest_of(struct cube *c, uint32_t *rests, uint32_t parent)
{
	if (!rests[parent]) {
		c->nodes[c->nr_nodes] =
			(struct cube_node){ .parent = parent, .module = c->nodes[parent].module };
		rests[parent] = (uint32_t)c->nr_nodes++;
	}
	return rests[parent];
}

static int make_nodes(struct maker *m)
{
	const struct modules *modules = m->source->modules;
	const uint32_t nr = (uint32_t)modules_count(modules);
	struct cube *c = m->cube;
	bool *is_kept = choose_nodes(modules, m->limits->nodes);
	/* Each kept node may have a rest. */
	uint32_t *rests = calloc(2 * (size_t)nr, sizeof(*rests));
	int r = -ENOMEM;

	c->nodes = calloc(2 * (size_t)nr, sizeof(*c->nodes));
	c->node_of_module = calloc(nr, sizeof(*c->node_of_module));
	if (!is_kept || !rests || !c->nodes || !c->node_of_module)
		goto out;
	c->nr_nodes = 1;
	for (uint32_t i = 1; i < nr; i++) {
		const struct module_node *node = modules_node(modules, i);
		const uint32_t above = c->node_of_module[node->parent];

		if (is_kept[i]) {
			c->nodes[c->nr_nodes] = (struct cube_node){ .parent = above, .module = i };
			c->node_of_module[i] = (uint32_t)c->nr_nodes++;
		} else if (!c->nodes[above].nr_rest && node->total.all.launches) {
			c->node_of_module[i] = rest_of(c, rests, above);
			c->nodes[c->node_of_module[i]].nr_rest++;
		} else {
			c->node_of_module[i] = above;
		}
	}
	r = 0;
out:
	free(is_kept);
	free(rests);
	return r;
}

/* --- problems and entries --------------------------------------------------------------------- */

static const struct name *text_of_problem(const struct run *run, const struct profile_item *item)
{
	const struct assignment *a = &item->assignment;
	char text[400];

	if (a->op == OPERATOR_attention && a->has_attention)
		return item->attention_key;
	if (!a->call)
		return NULL;
	call_text(a->call, text, sizeof(text));
	return names_intern(run->names, text, strlen(text));
}

static uint32_t add_problem(struct cube *c, struct id_map *ids, const struct name *text,
			    const struct assignment *a)
{
	uint32_t index = text ? id_map_find(ids, (uintptr_t)text) : 0;

	if (!text || index)
		return index;
	c->problems[c->nr_problems++] = (struct cube_problem){ .text = text, .assignment = a };
	index = (uint32_t)c->nr_problems;
	return id_map_add(ids, (uintptr_t)text, index) < 0 ? 0 : index;
}

static uint64_t entry_key(const struct profile_item *item, uint32_t problem)
{
	const struct assignment *a = &item->assignment;
	const uint64_t fields[] = {
		(uintptr_t)a->work,
		a->op,
		a->evidence,
		a->has_conflict ? 1u + a->conflicts_with : 0,
		problem,
		a->part,
		(uint64_t)a->is_attention << 1 | a->has_cost,
	};

	return seed_hash(fields, sizeof(fields));
}

static void add_to_entry(struct cube_entry *to, const struct cube_entry *from)
{
	to->time_ns += from->time_ns;
	to->launches += from->launches;
	to->min_ns = from->min_ns < to->min_ns ? from->min_ns : to->min_ns;
	to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
	to->attentions += from->attentions;
	to->cost.flops += from->cost.flops;
	to->cost.bytes += from->cost.bytes;
	to->cost.seconds_min += from->cost.seconds_min;
	to->cost.seconds_flops += from->cost.seconds_flops;
	to->cost.seconds_bytes += from->cost.seconds_bytes;
	to->cost.calls += from->cost.calls;
}

static struct cube_entry entry_of(const struct profile_item *item, uint32_t problem)
{
	const struct assignment *a = &item->assignment;
	const double n = (double)item->launches;
	struct cube_entry e = {
		.work = a->work,
		.op = a->op,
		.assignment = a,
		.problem = problem,
		.time_ns = item->time_ns,
		.launches = item->launches,
		.min_ns = item->min_ns,
		.max_ns = item->max_ns,
		.attentions = a->is_attention ? item->launches : 0,
	};

	if (a->has_cost)
		e.cost = (struct profile_cost){
			.flops = n * a->cost.flops,
			.bytes = n * a->cost.bytes,
			.seconds_min = item->seconds_min,
			.seconds_flops = item->seconds_flops,
			.seconds_bytes = item->seconds_bytes,
			.calls = item->launches,
		};
	return e;
}

static int make_entries(struct maker *m)
{
	const struct profile *p = m->source->profile;
	struct cube *c = m->cube;
	struct id_map problem_ids = { 0 };
	int r = 0;

	for (size_t i = 0; i < p->nr_items && r == 0; i++) {
		const struct profile_item *item = &p->items[i];
		const struct name *text = text_of_problem(m->source->run, item);
		const uint32_t problem = add_problem(c, &problem_ids, text, &item->assignment);
		const struct cube_entry e = entry_of(item, problem);
		const uint64_t key = entry_key(item, problem);
		uint32_t index = id_map_find(&m->ids, key);

		if (index) {
			add_to_entry(&c->entries[index - 1], &e);
		} else {
			c->entries[c->nr_entries++] = e;
			index = (uint32_t)c->nr_entries;
			r = id_map_add(&m->ids, key, index);
		}
		c->entry_of_item[i] = index - 1;
		if (text && !problem)
			r = -ENOMEM;
	}
	id_map_free(&problem_ids);
	id_map_free(&m->ids);
	return r;
}

/* --- what is too small for an entry of its own ------------------------------------------------ */

/* The entry that stands for the small ones like this, made if there is none; 0: no memory. */
static uint32_t rest_entry(struct maker *m, const struct cube_entry *e, struct cube_entry *kept,
			   size_t *nr_kept)
{
	const uint64_t fine[] = { 1, (uintptr_t)e->work, e->op };
	const uint64_t coarse[] = { 2, e->op };
	const bool is_fine = *nr_kept < 2 * m->limits->entries;
	uint64_t key = seed_hash(fine, sizeof(fine));
	uint32_t index = id_map_find(&m->ids, key);

	if (!index && !is_fine) {
		key = seed_hash(coarse, sizeof(coarse));
		index = id_map_find(&m->ids, key);
	}
	if (index)
		return index;
	kept[*nr_kept] = (struct cube_entry){
		.work = is_fine ? e->work : NULL,
		.op = e->op,
		.assignment = e->assignment,
		.is_rest = true,
		.min_ns = UINT64_MAX,
	};
	index = (uint32_t)++ * nr_kept;
	return id_map_add(&m->ids, key, index) < 0 ? 0 : index;
}

/* Problems that no entry has any more go. */
static void drop_problems(struct cube *c, uint32_t *map)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_entries; i++)
		if (c->entries[i].problem)
			map[c->entries[i].problem - 1] = 1;
	for (size_t i = 0; i < c->nr_problems; i++) {
		if (!map[i])
			continue;
		c->problems[nr] = c->problems[i];
		map[i] = (uint32_t)++nr;
	}
	c->nr_problems = nr;
	for (size_t i = 0; i < c->nr_entries; i++)
		if (c->entries[i].problem)
			c->entries[i].problem = map[c->entries[i].problem - 1];
}

static int fold(struct maker *m, const struct ranked *ranks, uint32_t *map)
{
	struct cube *c = m->cube;
	struct cube_entry *kept = calloc(2 * m->limits->entries + NR_OPERATORS + 1, sizeof(*kept));
	const size_t nr = c->nr_entries;
	size_t nr_kept = 0;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct cube_entry *e = &c->entries[ranks[i].index];
		uint32_t index;

		if (i < m->limits->entries) {
			kept[nr_kept++] = *e;
			map[ranks[i].index] = (uint32_t)nr_kept - 1;
			continue;
		}
		index = rest_entry(m, e, kept, &nr_kept);
		if (!index) {
			free(kept);
			return -ENOMEM;
		}
		add_to_entry(&kept[index - 1], e);
		map[ranks[i].index] = index - 1;
	}
	free(c->entries);
	c->entries = kept;
	c->nr_entries = nr_kept;
	return 0;
}

/* Most time first, as many as the limit allows. */
static int limit_entries(struct maker *m)
{
	struct cube *c = m->cube;
	struct ranked *ranks = calloc(c->nr_entries + 1, sizeof(*ranks));
	uint32_t *map = calloc(c->nr_entries + c->nr_problems + 1, sizeof(*map));
	int r = ranks && map ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < c->nr_entries; i++)
		ranks[i] = (struct ranked){ c->entries[i].time_ns, (uint32_t)i };
	if (r == 0) {
		qsort(ranks, c->nr_entries, sizeof(*ranks), by_rank);
		r = fold(m, ranks, map);
	}
	for (size_t i = 0; r == 0 && i < m->source->profile->nr_items; i++)
		c->entry_of_item[i] = map[c->entry_of_item[i]];
	if (r == 0) {
		memset(map, 0, c->nr_problems * sizeof(*map));
		drop_problems(c, map);
	}
	id_map_free(&m->ids);
	free(ranks);
	free(map);
	return r;
}

/* --- rows ------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct cube_row *x = a, *y = b;

	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool is_one_row(const struct cube_row *x, const struct cube_row *y)
{
	return by_place(x, y) == 0;
}

static void place_items(struct maker *m)
{
	const struct cube_source *s = m->source;
	struct cube *c = m->cube;

	for (size_t i = 0; i < s->profile->nr_items; i++) {
		const struct profile_item *item = &s->profile->items[i];
		const uint32_t module = modules_of_site(s->modules, item->trace, item->site);

		c->phase_of_item[i] = phases_of_site(s->phases, item->trace, item->site);
		c->node_of_item[i] = c->node_of_module[module];
		c->side_of_item[i] = c->side_of_trace[trace_index(s->run, item->trace)];
	}
}

/* Sorts, adds up rows of one place, drops those without launches. */
static void join_rows(struct cube *c)
{
	const size_t nr = c->nr_rows;

	qsort(c->rows, nr, sizeof(*c->rows), by_place);
	c->nr_rows = 0;
	for (size_t i = 0; i < nr; i++) {
		struct cube_row *last = c->nr_rows ? &c->rows[c->nr_rows - 1] : NULL;

		if (last && is_one_row(last, &c->rows[i])) {
			last->time_ns += c->rows[i].time_ns;
			last->launches += c->rows[i].launches;
			continue;
		}
		if (last && !last->launches)
			c->nr_rows--;
		c->rows[c->nr_rows++] = c->rows[i];
	}
}

static int make_rows(struct maker *m)
{
	const struct profile *p = m->source->profile;
	struct cube *c = m->cube;

	c->rows = calloc(p->nr_items + 1, sizeof(*c->rows));
	if (!c->rows)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr_items; i++)
		c->rows[i] = (struct cube_row){
			.side = c->side_of_item[i],
			.group = c->group_of_phase[c->phase_of_item[i]],
			.node = c->node_of_item[i],
			.entry = c->entry_of_item[i],
			.time_ns = p->items[i].time_ns,
			.launches = p->items[i].launches,
		};
	c->nr_rows = p->nr_items;
	join_rows(c);
	return 0;
}

int cube_move(struct cube *c, const struct cube_move *moves, size_t nr)
{
	struct cube_row *rows = realloc(c->rows, (c->nr_rows + 2 * nr + 1) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	c->rows = rows;
	for (size_t i = 0; i < nr; i++) {
		struct cube_row row = {
			.side = c->side_of_item[moves[i].item],
			.group = moves[i].group,
			.node = c->node_of_item[moves[i].item],
			.entry = c->entry_of_item[moves[i].item],
			.time_ns = moves[i].time_ns,
			.launches = moves[i].launches,
		};

		rows[c->nr_rows++] = row;
		/* Modulo 2^64: with the row that has them it comes to what is left. */
		row.group = 0;
		row.time_ns = -row.time_ns;
		row.launches = -row.launches;
		rows[c->nr_rows++] = row;
	}
	join_rows(c);
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int make_once(struct cube *c, const struct cube_source *source,
		     const struct cube_limits *limits)
{
	struct maker m = { .cube = c, .source = source, .limits = limits };
	const size_t nr = source->profile->nr_items + 1;
	int r;

	*c = (struct cube){
		.problems = calloc(nr, sizeof(*c->problems)),
		.entries = calloc(nr, sizeof(*c->entries)),
		.entry_of_item = calloc(nr, sizeof(*c->entry_of_item)),
		.phase_of_item = calloc(nr, sizeof(*c->phase_of_item)),
		.node_of_item = calloc(nr, sizeof(*c->node_of_item)),
		.side_of_item = calloc(nr, sizeof(*c->side_of_item)),
	};
	if (!c->problems || !c->entries || !c->entry_of_item || !c->phase_of_item ||
	    !c->node_of_item || !c->side_of_item)
		return -ENOMEM;
	r = make_sides(&m);
	if (r == 0)
		r = make_groups(&m);
	if (r == 0)
		r = make_nodes(&m);
	if (r == 0)
		r = make_entries(&m);
	if (r == 0)
		r = limit_entries(&m);
	if (r == 0) {
		place_items(&m);
		r = make_rows(&m);
	}
	id_map_free(&m.ids);
	return r;
}

int cube_make(struct cube *c, const struct cube_source *source, const struct cube_limits *limits)
{
	enum { NODES_MIN = 32, ENTRIES_MIN = 64, GROUPS_MIN = 4 };
	struct cube_limits l = *limits;

	for (;;) {
		const int r = make_once(c, source, &l);

		if (r < 0 || c->nr_rows <= l.rows ||
		    (l.nodes <= NODES_MIN && l.entries <= ENTRIES_MIN && l.groups <= GROUPS_MIN))
			return r;
		l.nodes = l.nodes / 2 > NODES_MIN ? l.nodes / 2 : NODES_MIN;
		l.entries = l.entries / 2 > ENTRIES_MIN ? l.entries / 2 : ENTRIES_MIN;
		l.groups = l.groups / 2 > GROUPS_MIN ? l.groups / 2 : GROUPS_MIN;
		cube_clear(c);
	}
}

void cube_clear(struct cube *c)
{
	free(c->sides);
	free(c->groups);
	free(c->nodes);
	free(c->problems);
	free(c->entries);
	free(c->rows);
	free(c->side_of_trace);
	free(c->group_of_phase);
	free(c->node_of_module);
	free(c->entry_of_item);
	free(c->phase_of_item);
	free(c->node_of_item);
	free(c->side_of_item);
	*c = (struct cube){ 0 };
}
