/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

/* What one phase did in a row. */
struct touched {
	struct tally_sums sums;
	bool is_touched;
};

/* What a row itself did in one phase; rarely there are several of a row and phase. */
struct part {
	uint32_t row, phase; /* 0: of none */
	struct tally_sums sums;
};

struct maker {
	struct tally *tally;
	const struct analysis *analysis;
	const struct tally_cut *cut;
	struct id_map row_ids, cell_ids;
	uint32_t *rows_of_nodes; /* CUT_module */
	uint32_t *rows_of_items; /* the innermost */
	uint32_t *groups_of_phases;
	struct part *parts; /* from 1 on */
	size_t nr_parts, size_parts;
	uint32_t *parts_of_rows; /* the last one */
	struct touched *touched; /* by row, of the phase at hand */
	uint32_t *touched_rows;
	size_t nr_touched;
};

static const struct name *format(const struct maker *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const struct name *format(const struct maker *m, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return names_intern(m->analysis->run.names, text, strlen(text));
}

/* --- rows ------------------------------------------------------------------------------------- */

/* UINT32_MAX: no memory */
static uint32_t find_row(struct maker *m, uint32_t parent, const struct name *label,
			 const struct name *shown)
{
	struct tally *t = m->tally;
	const uint64_t fields[] = { parent, (uintptr_t)label };
	const uint64_t key = seed_hash(fields, sizeof(fields));
	const uint32_t found = id_map_find(&m->row_ids, key);

	if (found)
		return found;
	if (t->nr_rows == t->size_rows) {
		const size_t size = t->size_rows ? 2 * t->size_rows : 64;
		struct tally_row *rows = realloc(t->rows, size * sizeof(*rows));

		if (!rows)
			return UINT32_MAX;
		t->rows = rows;
		t->size_rows = size;
	}
	if (!label || !shown ||
	    (t->nr_rows && id_map_add(&m->row_ids, key, (uint32_t)t->nr_rows) < 0))
		return UINT32_MAX;
	t->rows[t->nr_rows] =
		(struct tally_row){ .parent = parent, .label = label, .shown = shown };
	return (uint32_t)t->nr_rows++;
}

/* The backend is left out: it is what runs differ in.  So is whether heads are in the batch. */
static const struct name *attention_label(const struct maker *m, const struct profile_item *item)
{
	const struct attention *a = &item->assignment.attention;
	char keys[32] = "";

	if (!item->assignment.has_attention || a->exactness == EXACTNESS_unknown)
		return format(m, "(shape not known)");
	if (a->s_k != a->s_q)
		snprintf(keys, sizeof(keys), " k %" PRIu64, a->s_k);
	return format(m, "%s %" PRIu64 " heads x %" PRIu64 "x%" PRIu64 "%s",
		      role_name(item->assignment.role), a->b * a->h, a->s_q, a->d, keys);
}

static const struct name *item_label(const struct maker *m, size_t i)
{
	const struct profile_item *item = &m->analysis->profile.items[i];

	switch (m->cut->cut) {
	case CUT_axis:
		return profile_key(&m->analysis->run, m->cut->axis, item);
	case CUT_attention:
		return attention_label(m, item);
	case CUT_role:
		return format(m, "%s",
			      item->assignment.has_attention ? role_name(item->assignment.role)
							     : "helpers");
	case CUT_phase:
	case CUT_module:
		break;
	}
	return NULL;
}

static bool is_left_out(const struct maker *m, const struct module_node *n, uint32_t above)
{
	if (above || m->cut->from == FROM_program || n->sort == MODULE_module ||
	    n->sort == MODULE_process)
		return false;
	return m->cut->from == FROM_module || n->sort != MODULE_object;
}

/* Processes have other names in another run: their order tells them. */
static uint32_t row_of_node(struct maker *m, uint32_t index, uint32_t above, size_t *nr_processes)
{
	const struct module_node *n = modules_node(m->analysis->modules, index);
	const struct name *label;
	char shown[512];

	if (is_left_out(m, n, above))
		return above;
	modules_label(m->analysis->modules, index, shown, sizeof(shown));
	if (n->sort == MODULE_process)
		label = format(m, "process %zu", (*nr_processes)++);
	else if (n->class_name)
		label = format(m, "%s[%" PRIu32 "]", n->label->text, n->number);
	else
		label = format(m, "%s", n->label ? n->label->text : "");
	return find_row(m, above, label,
			n->sort == MODULE_process ? label : format(m, "%s", shown));
}

/* Nodes come behind their parents. */
static int place_nodes(struct maker *m)
{
	const struct modules *modules = m->analysis->modules;
	const size_t nr = modules_count(modules);
	size_t nr_processes = 0;

	m->rows_of_nodes = calloc(nr, sizeof(*m->rows_of_nodes));
	if (!m->rows_of_nodes)
		return -ENOMEM;
	for (uint32_t i = 1; i < nr; i++) {
		const uint32_t above = m->rows_of_nodes[modules_node(modules, i)->parent];
		const uint32_t row = row_of_node(m, i, above, &nr_processes);

		if (row == UINT32_MAX)
			return -ENOMEM;
		m->rows_of_nodes[i] = row;
	}
	return 0;
}

static bool has_row(const struct maker *m, const struct profile_item *item)
{
	return (m->cut->cut != CUT_attention && m->cut->cut != CUT_role) ||
	       item->assignment.op == OPERATOR_attention;
}

static void see_item(struct maker *m, uint32_t index, const struct profile_item *item)
{
	struct tally_row *row = &m->tally->rows[index];

	if (!row->most || item->time_ns > row->most->time_ns)
		row->most = item;
}

static int place_item(struct maker *m, size_t i)
{
	const struct profile_item *item = &m->analysis->profile.items[i];
	uint32_t index = 0;

	if (m->cut->cut == CUT_phase)
		return 0; /* part by part */
	if (m->cut->cut == CUT_module) {
		index = m->rows_of_nodes[modules_of_site(m->analysis->modules, item->trace,
							 item->site)];
	} else if (has_row(m, item)) {
		const struct name *label = item_label(m, i);

		index = find_row(m, 0, label, label);
	}
	if (index == UINT32_MAX)
		return -ENOMEM;
	m->rows_of_items[i] = index;
	see_item(m, index, item);
	return 0;
}

static int place_items(struct maker *m)
{
	const struct profile *p = &m->analysis->profile;
	const struct name *run = format(m, "all");
	int r = 0;

	m->rows_of_items = calloc(p->nr_items + 1, sizeof(*m->rows_of_items));
	if (!m->rows_of_items || find_row(m, 0, run, run) != 0)
		return -ENOMEM;
	if (m->cut->cut == CUT_module)
		r = place_nodes(m);
	for (size_t i = 0; r == 0 && i < p->nr_items; i++)
		r = place_item(m, i);
	return r;
}

/* --- groups ----------------------------------------------------------------------------------- */

static int place_phases(struct maker *m)
{
	const struct phases *phases = &m->analysis->phases;
	struct tally *t = m->tally;
	struct id_map ids = { 0 };
	int r = 0;

	t->groups = calloc(phases->nr + 1, sizeof(*t->groups));
	m->groups_of_phases = calloc(phases->nr + 1, sizeof(*m->groups_of_phases));
	if (!t->groups || !m->groups_of_phases)
		return -ENOMEM;
	t->groups[t->nr_groups++] =
		(struct tally_group){ .name = format(m, phases->nr ? "(residual)" : "(run)"),
				      .count = 1 };
	for (size_t i = 0; i < phases->nr && r == 0; i++) {
		const struct phase *phase = &phases->rows[i];
		uint32_t group = id_map_find(&ids, (uintptr_t)phase->name);

		if (!group) {
			group = (uint32_t)t->nr_groups++;
			t->groups[group] =
				(struct tally_group){ .name = phase->name, .kind = phase->kind };
			r = id_map_add(&ids, (uintptr_t)phase->name, group);
		}
		t->groups[group].count++;
		m->groups_of_phases[i + 1] = group;
	}
	id_map_free(&ids);
	return r;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* UINT32_MAX: no memory */
static uint32_t row_of_part(struct maker *m, const struct profile_item *item, uint32_t phase)
{
	const struct name *name = m->tally->groups[m->groups_of_phases[phase]].name;
	uint32_t row;

	if (m->cut->cut != CUT_phase)
		return m->rows_of_items[item - m->analysis->profile.items];
	row = find_row(m, 0, name, name);
	if (row != UINT32_MAX)
		see_item(m, row, item);
	return row;
}

/* NULL: no memory */
static struct part *find_part(struct maker *m, uint32_t row, uint32_t phase)
{
	const uint32_t last = m->parts_of_rows[row];

	if (last && m->parts[last].phase == phase)
		return &m->parts[last];
	if (m->nr_parts + 1 >= m->size_parts) {
		const size_t size = m->size_parts ? 2 * m->size_parts : 1024;
		struct part *parts = realloc(m->parts, size * sizeof(*parts));

		if (!parts)
			return NULL;
		m->parts = parts;
		m->size_parts = size;
	}
	m->parts_of_rows[row] = (uint32_t)++m->nr_parts;
	m->parts[m->nr_parts] = (struct part){ .row = row, .phase = phase };
	return &m->parts[m->nr_parts];
}

static int take_part(void *context, const struct profile_part *part)
{
	struct maker *m = context;
	const struct phases *phases = &m->analysis->phases;
	const struct assignment *a = &part->item->assignment;
	const uint32_t phase =
		phases->nr ? phases_of_segment(phases, part->item->trace, part->segment) : 0;
	const uint32_t row = row_of_part(m, part->item, phase);
	struct part *to = row == UINT32_MAX ? NULL : find_part(m, row, phase);

	if (!to)
		return -ENOMEM;
	to->sums.time_ns += (double)part->time_ns;
	to->sums.launches += (double)part->launches;
	if (a->has_cost)
		to->sums.flops += (double)part->launches * a->cost.flops;
	if (a->is_attention)
		to->sums.attentions += (double)part->launches;
	return 0;
}

static int place_parts(struct maker *m)
{
	/* Those that phases make come on top. */
	const size_t nr_rows = m->tally->nr_rows + m->tally->nr_groups + 1;

	m->parts_of_rows = calloc(nr_rows, sizeof(*m->parts_of_rows));
	if (!m->parts_of_rows)
		return -ENOMEM;
	return profile_each_part(&m->analysis->profile, take_part, m);
}

static void add_sums(struct tally_sums *to, const struct tally_sums *from)
{
	to->time_ns += from->time_ns;
	to->launches += from->launches;
	to->flops += from->flops;
	to->attentions += from->attentions;
}

/* To the row and those it is a part of. */
static void add_part(struct maker *m, const struct part *part)
{
	for (uint32_t row = part->row;; row = m->tally->rows[row].parent) {
		struct touched *touched = &m->touched[row];

		if (!touched->is_touched) {
			*touched = (struct touched){ .is_touched = true };
			m->touched_rows[m->nr_touched++] = row;
		}
		add_sums(&touched->sums, &part->sums);
		if (!row)
			break;
	}
}

/* NULL: no memory */
static struct tally_cell *find_cell(struct maker *m, uint32_t row, uint32_t group)
{
	struct tally *t = m->tally;
	const uint64_t key = (uint64_t)row << 32 | group;
	const uint32_t found = id_map_find(&m->cell_ids, key + 1);

	if (found)
		return &t->cells[found - 1];
	if (t->nr_cells == t->size_cells) {
		const size_t size = t->size_cells ? 2 * t->size_cells : 256;
		struct tally_cell *cells = realloc(t->cells, size * sizeof(*cells));

		if (!cells)
			return NULL;
		t->cells = cells;
		t->size_cells = size;
	}
	t->cells[t->nr_cells] = (struct tally_cell){ .row = row, .group = group };
	if (id_map_add(&m->cell_ids, key + 1, (uint32_t)t->nr_cells + 1) < 0)
		return NULL;
	return &t->cells[t->nr_cells++];
}

static int end_phase(struct maker *m, uint32_t group)
{
	for (size_t i = 0; i < m->nr_touched; i++) {
		struct touched *touched = &m->touched[m->touched_rows[i]];
		struct tally_cell *cell = find_cell(m, m->touched_rows[i], group);

		if (!cell)
			return -ENOMEM;
		add_sums(&cell->sums, &touched->sums);
		cell->squares += touched->sums.time_ns * touched->sums.time_ns;
		touched->is_touched = false;
	}
	m->nr_touched = 0;
	return 0;
}

/* Phase by phase; `first` and `next` chain the parts of each. */
static int fill_cells(struct maker *m)
{
	const size_t nr = m->nr_parts, nr_phases = m->analysis->phases.nr + 1;
	uint32_t *first = calloc(nr_phases, sizeof(*first));
	uint32_t *next = calloc(nr + 1, sizeof(*next));
	int r = -ENOMEM;

	m->touched = calloc(m->tally->nr_rows, sizeof(*m->touched));
	m->touched_rows = calloc(m->tally->nr_rows, sizeof(*m->touched_rows));
	if (!first || !next || !m->touched || !m->touched_rows)
		goto out;
	for (size_t i = nr; i > 0; i--) {
		next[i] = first[m->parts[i].phase];
		first[m->parts[i].phase] = (uint32_t)i;
	}
	r = 0;
	for (size_t phase = 0; phase < nr_phases && r == 0; phase++) {
		for (uint32_t i = first[phase]; i; i = next[i])
			add_part(m, &m->parts[i]);
		r = end_phase(m, m->groups_of_phases[phase]);
	}
out:
	free(first);
	free(next);
	return r;
}

int tally_make(struct tally *t, const struct analysis *a, const struct tally_cut *cut)
{
	struct maker m = { .tally = t, .analysis = a, .cut = cut };
	int r;

	*t = (struct tally){ 0 };
	r = place_phases(&m);
	if (r == 0)
		r = place_items(&m);
	if (r == 0)
		r = place_parts(&m);
	if (r == 0)
		r = fill_cells(&m);
	id_map_free(&m.row_ids);
	id_map_free(&m.cell_ids);
	free(m.rows_of_nodes);
	free(m.rows_of_items);
	free(m.parts);
	free(m.parts_of_rows);
	free(m.groups_of_phases);
	free(m.touched);
	free(m.touched_rows);
	if (r < 0)
		tally_clear(t);
	return r;
}

void tally_clear(struct tally *t)
{
	free(t->rows);
	free(t->cells);
	free(t->groups);
	*t = (struct tally){ 0 };
}
