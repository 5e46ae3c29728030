/* SPDX-License-Identifier: Apache-2.0 */
#include "page_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "short_name.h"
#include "ttitrace/ttitrace.h"

enum { NAME_MAX_BYTES = 1500, LABEL_MAX = 256 };

/* object.key = [value for each i of nr] */
#define COLUMN(object, key, nr, value)                           \
	do {                                                     \
		json_t *column_ = json_array();                  \
                                                                 \
		for (size_t i = 0; i < (nr); i++)                \
			json_array_append_new(column_, (value)); \
		json_object_set_new((object), (key), column_);   \
	} while (0)

static json_t *u64(uint64_t value)
{
	return json_integer((json_int_t)(value <= INT64_MAX ? value : INT64_MAX));
}

/* A count that was added up as a real number. */
static json_t *count(double value)
{
	return value < 9e15 ? json_integer((json_int_t)(value + 0.5)) : json_real(value);
}

static json_t *name_json(const struct name *name)
{
	const size_t size = name && name->size < NAME_MAX_BYTES ? name->size : NAME_MAX_BYTES;

	return name ? json_bytes(name->text, size) : json_null();
}

/* --- times ------------------------------------------------------------------------------------ */

static uint64_t real_ns(const struct trace *t)
{
	return t->model.process.begin_realtime_ns + t->first_ns - t->model.process.begin_ns;
}

/* Processes of one side may be of several hosts, which share no other clock. */
static json_t *since_begin(const struct page *p, const struct trace *t, uint64_t time_ns)
{
	const struct run *run = p->source->run;
	uint64_t first = real_ns(t);
	uint32_t side = 0;

	for (size_t i = 0; i < run->nr; i++)
		if (run->traces[i] == t)
			side = p->cube->side_of_trace[i];
	for (size_t i = 0; i < run->nr; i++)
		if (p->cube->side_of_trace[i] == side && real_ns(run->traces[i]) < first)
			first = real_ns(run->traces[i]);
	return json_integer((json_int_t)(time_ns - t->first_ns + real_ns(t) - first));
}

/* --- words ------------------------------------------------------------------------------------ */

static json_t *vocabulary_json(void)
{
	json_t *operators = json_array(), *evidences = json_array(), *roles = json_array();

	for (enum operator o = 0; o < NR_OPERATORS; o++)
		json_array_append_new(operators,
				      json_pack("[s, s]", operator_name(o), operator_what(o)));
	for (enum evidence e = 0; e < NR_EVIDENCES; e++)
		json_array_append_new(evidences,
				      json_pack("[s, s]", evidence_name(e), evidence_what(e)));
	for (enum role r = 0; r < NR_ROLES; r++)
		json_array_append_new(roles, json_pack("[s, s]", role_name(r), role_what(r)));
	return json_pack("{s:o, s:o, s:o}", "operators", operators, "evidences", evidences, "roles",
			 roles);
}

/* --- who is compared -------------------------------------------------------------------------- */

static json_t *side_json(const struct page *p, uint32_t index)
{
	const struct run *run = p->source->run;
	const struct cube_side *side = &p->cube->sides[index];
	char *command = report_command(side->first);
	const struct model *m = &side->first->model;
	struct run_gpu gpu = { 0 };
	uint64_t wall_ns = 0, launches = 0;
	bool is_complete = true;
	json_t *value;

	for (size_t i = 0; i < run->nr; i++) {
		const struct trace *t = run->traces[i];

		if (p->cube->side_of_trace[i] != index)
			continue;
		for (size_t k = 0; k < t->nr_devices; k++)
			run_gpu_add(&gpu, t, &t->devices[k]);
		wall_ns = trace_wall_ns(t) > wall_ns ? trace_wall_ns(t) : wall_ns;
		launches += t->counted[TTI_COUNTER_LAUNCHES];
		is_complete &= trace_is_complete(t);
	}
	value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "path",
			  json_text(side->first->path), "command", json_text(command), "pid",
			  u64(m->process.pid), "processes", u64(side->nr_traces), "gpu",
			  m->devices.nr ? name_json(m->device_names.rows[0]) : json_null(),
			  "wall_ns", u64(wall_ns), "span_ns", u64(gpu.span_ns), "busy_ns",
			  u64(gpu.busy_ns), "idle_ns", u64(gpu.idle_ns), "kernel_ns",
			  u64(gpu.kernel_ns), "launches", u64(launches), "complete", is_complete);
	free(command);
	return value;
}

static json_t *sides_json(const struct page *p)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < p->cube->nr_sides; i++)
		json_array_append_new(array, side_json(p, i));
	return array;
}

static json_t *groups_json(const struct cube *c)
{
	json_t *object = json_object();

	COLUMN(object, "name", c->nr_groups,
	       c->groups[i].name ? name_json(c->groups[i].name) : json_null());
	COLUMN(object, "is_step", c->nr_groups, json_boolean(c->groups[i].is_step));
	COLUMN(object, "count", c->nr_groups, u64(c->groups[i].nr));
	return object;
}

static json_t *label_json(const struct page *p, const struct cube_node *node)
{
	char label[LABEL_MAX];

	if (node->nr_rest)
		snprintf(label, sizeof(label), "(%u smaller)", (unsigned int)node->nr_rest);
	else
		modules_label(p->source->modules, node->module, label, sizeof(label));
	return json_text(label);
}

static json_t *nodes_json(const struct page *p)
{
	const struct cube *c = p->cube;
	json_t *object = json_object();

	COLUMN(object, "parent", c->nr_nodes, u64(c->nodes[i].parent));
	COLUMN(object, "label", c->nr_nodes, label_json(p, &c->nodes[i]));
	COLUMN(object, "rest", c->nr_nodes, u64(c->nodes[i].nr_rest));
	COLUMN(object, "sort", c->nr_nodes,
	       json_integer(modules_node(p->source->modules, c->nodes[i].module)->sort));
	return object;
}

/* --- work ------------------------------------------------------------------------------------- */

static json_t *rule_json(const struct rule *rule)
{
	return rule ? json_pack("{s:s, s:o, s:o}", "how", rule_how_name(rule->how), "pattern",
				json_text(rule->pattern), "file", json_text(rule->file))
		    : json_null();
}

static json_t *kernel_json(const struct work *w)
{
	char *name = short_name(w->name->text);
	json_t *value =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "name",
			  json_text(name ? name : w->name->text), "full", name_json(w->name),
			  "mangled", w->mangled ? name_json(w->mangled) : json_null(), "kind",
			  json_text(w->kind), "sub", json_text(w->sub), "operator",
			  operator_name(w->op), "rule", rule_json(w->rule));

	free(name);
	return value;
}

/* Kernels once each; *ret_of: by entry, its kernel and 1. */
static json_t *kernels_json(const struct cube *c, uint32_t *ret_of)
{
	struct id_map ids = { 0 };
	json_t *array = json_array();

	for (size_t i = 0; i < c->nr_entries; i++) {
		const struct work *w = c->entries[i].work;
		uint32_t index = w ? id_map_find(&ids, (uintptr_t)w) : 0;

		if (w && !index) {
			json_array_append_new(array, kernel_json(w));
			index = (uint32_t)json_array_size(array);
			id_map_add(&ids, (uintptr_t)w, index);
		}
		ret_of[i] = index;
	}
	id_map_free(&ids);
	return array;
}

static json_t *problem_json(const struct cube_problem *problem)
{
	const struct assignment *a = problem->assignment;
	const struct attention *t = &a->attention;
	json_t *object = json_pack("{s:o}", "text", name_json(problem->text));

	if (a->op != OPERATOR_attention || !a->has_attention)
		return object;
	json_object_set_new(
		object, "attention",
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "role",
			  role_name(a->role), "backend", backend_name(t->backend), "exactness",
			  exactness_name(t->exactness), "type", type_name(t->type), "b", u64(t->b),
			  "h", u64(t->h), "h_kv", u64(t->h_kv), "s_q", u64(t->s_q), "s_k",
			  u64(t->s_k), "d", u64(t->d), "d_v", u64(t->d_v), "causal", t->causal));
	return object;
}

static json_t *problems_json(const struct cube *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->nr_problems; i++)
		json_array_append_new(array, problem_json(&c->problems[i]));
	return array;
}

/* What multiplies, for the roof that a point is below. */
static json_t *unit_json(const struct cube_entry *e)
{
	const struct cost *cost = &e->assignment->cost;

	if (!e->assignment->has_cost || e->cost.flops <= 0)
		return json_integer(-1);
	return json_integer(unit_of(cost->type, cost->compute, e->assignment->work->name->text));
}

static json_t *conflict_json(const struct assignment *a)
{
	return json_integer(a->has_conflict ? (json_int_t)a->conflicts_with : -1);
}

static json_t *entries_json(const struct cube *c, const uint32_t *kernels)
{
	const struct cube_entry *e = c->entries;
	json_t *object = json_object();

	COLUMN(object, "kernel", c->nr_entries, json_integer((json_int_t)kernels[i] - 1));
	COLUMN(object, "operator", c->nr_entries, json_integer(e[i].op));
	COLUMN(object, "evidence", c->nr_entries, json_integer(e[i].assignment->evidence));
	COLUMN(object, "conflict", c->nr_entries, conflict_json(e[i].assignment));
	COLUMN(object, "problem", c->nr_entries, json_integer((json_int_t)e[i].problem - 1));
	COLUMN(object, "rest", c->nr_entries, json_integer(e[i].is_rest));
	COLUMN(object, "unit", c->nr_entries, unit_json(&e[i]));
	COLUMN(object, "time", c->nr_entries, u64(e[i].time_ns));
	COLUMN(object, "launches", c->nr_entries, u64(e[i].launches));
	COLUMN(object, "min", c->nr_entries, u64(e[i].min_ns));
	COLUMN(object, "max", c->nr_entries, u64(e[i].max_ns));
	COLUMN(object, "attentions", c->nr_entries, u64(e[i].attentions));
	COLUMN(object, "calls", c->nr_entries, u64(e[i].cost.calls));
	COLUMN(object, "flops", c->nr_entries, count(e[i].cost.flops));
	COLUMN(object, "bytes", c->nr_entries, count(e[i].cost.bytes));
	COLUMN(object, "best_ns", c->nr_entries, count(1e9 * e[i].cost.seconds_min));
	COLUMN(object, "compute_ns", c->nr_entries, count(1e9 * e[i].cost.seconds_flops));
	COLUMN(object, "memory_ns", c->nr_entries, count(1e9 * e[i].cost.seconds_bytes));
	return object;
}

static json_t *rows_json(const struct cube *c)
{
	json_t *object = json_object();

	COLUMN(object, "side", c->nr_rows, u64(c->rows[i].side));
	COLUMN(object, "group", c->nr_rows, u64(c->rows[i].group));
	COLUMN(object, "node", c->nr_rows, u64(c->rows[i].node));
	COLUMN(object, "entry", c->nr_rows, u64(c->rows[i].entry));
	COLUMN(object, "time", c->nr_rows, u64(c->rows[i].time_ns));
	COLUMN(object, "launches", c->nr_rows, u64(c->rows[i].launches));
	return object;
}

/* --- phases ----------------------------------------------------------------------------------- */

/* Neighbours of one name, where there are too many phases for a row each. */
struct span_of_phases {
	size_t first, nr;
	uint64_t begin_ns, end_ns, busy_ns, launches;
};

static void add_phase(struct span_of_phases *to, const struct phase *phase)
{
	to->nr++;
	to->begin_ns = phase->begin_ns < to->begin_ns ? phase->begin_ns : to->begin_ns;
	to->end_ns = phase->end_ns > to->end_ns ? phase->end_ns : to->end_ns;
	to->busy_ns += phase->busy_ns;
	to->launches += phase->launches;
}

static struct span_of_phases *join_phases(const struct phases *p, size_t limit, size_t *ret_nr)
{
	const size_t most = p->nr / limit + 1;
	struct span_of_phases *spans = calloc(p->nr + 1, sizeof(*spans));
	size_t nr = 0;

	for (size_t i = 0; spans && i < p->nr; i++) {
		const struct phase *phase = &p->rows[i];
		const struct phase *last = nr ? &p->rows[spans[nr - 1].first] : NULL;

		if (!last || last->name != phase->name || last->trace != phase->trace ||
		    spans[nr - 1].nr == most)
			spans[nr++] = (struct span_of_phases){ .first = i, .begin_ns = UINT64_MAX };
		add_phase(&spans[nr - 1], phase);
	}
	*ret_nr = spans ? nr : 0;
	return spans;
}

static uint32_t side_of(const struct page *p, const struct trace *t)
{
	const struct run *run = p->source->run;

	for (size_t i = 0; i < run->nr; i++)
		if (run->traces[i] == t)
			return p->cube->side_of_trace[i];
	return 0;
}

static json_t *phases_json(const struct page *p)
{
	const struct phase *rows = p->source->phases->rows;
	json_t *object = json_object();
	struct span_of_phases *s;
	size_t nr;

	s = join_phases(p->source->phases, p->phases_max, &nr);
	nr = nr < 4 * p->phases_max ? nr : 4 * p->phases_max;
	COLUMN(object, "side", nr, u64(side_of(p, rows[s[i].first].trace)));
	COLUMN(object, "pid", nr, u64(rows[s[i].first].trace->model.process.pid));
	COLUMN(object, "group", nr, u64(p->cube->group_of_phase[s[i].first + 1]));
	COLUMN(object, "index", nr, u64(rows[s[i].first].index));
	COLUMN(object, "count", nr, u64(s[i].nr));
	COLUMN(object, "begin", nr, since_begin(p, rows[s[i].first].trace, s[i].begin_ns));
	COLUMN(object, "end", nr, since_begin(p, rows[s[i].first].trace, s[i].end_ns));
	COLUMN(object, "busy", nr, u64(s[i].busy_ns));
	COLUMN(object, "launches", nr, u64(s[i].launches));
	free(s);
	return object;
}

/* --- time ------------------------------------------------------------------------------------- */

/* In thousandths of the bin, what is not 0 at least 1; a negative number is so many zeros. */
static json_t *series_json(const struct timeline_lane *lane, enum operator op)
{
	json_t *array = json_array();
	json_int_t zeros = 0;

	for (size_t i = 0; i < lane->nr_bins; i++) {
		const double ns = lane->bins[i * NR_OPERATORS + op];
		const double share = 1000 * ns / (double)lane->width_ns;

		if (ns <= 0) {
			zeros++;
			continue;
		}
		if (zeros)
			json_array_append_new(array, json_integer(-zeros));
		zeros = 0;
		json_array_append_new(array,
				      json_integer(share < 1 ? 1 : (json_int_t)(share + 0.5)));
	}
	return array;
}

static json_t *lane_json(const struct page *p, const struct timeline_lane *lane)
{
	json_t *series = json_object();

	for (enum operator o = 0; o < NR_OPERATORS; o++) {
		json_t *array = series_json(lane, o);

		if (json_array_size(array))
			json_object_set_new(series, operator_name(o), array);
		else
			json_decref(array);
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "side",
			 u64(lane->side), "pid", u64(lane->trace->model.process.pid), "device",
			 u64(lane->device), "begin", since_begin(p, lane->trace, lane->begin_ns),
			 "end", since_begin(p, lane->trace, lane->end_ns), "width",
			 u64(lane->width_ns), "bins", u64(lane->nr_bins), "wait_for_launch",
			 u64(lane->wait_for_launch_ns), "wait_for_start",
			 u64(lane->wait_for_start_ns), "series", series);
}

static json_t *lanes_json(const struct page *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->timeline->nr_lanes; i++)
		json_array_append_new(array, lane_json(p, &p->timeline->lanes[i]));
	return array;
}

static json_t *streams_json(const struct timeline *t)
{
	json_t *object = json_object();

	COLUMN(object, "lane", t->nr_streams, u64(t->streams[i].lane));
	COLUMN(object, "context", t->nr_streams, u64(t->streams[i].context));
	COLUMN(object, "stream", t->nr_streams, u64(t->streams[i].stream));
	return object;
}

/* How long before it began a row's launch was made; null: not known. */
static json_t *ahead_json(const struct timeline_row *row)
{
	return row->launch_ns ? json_integer((json_int_t)(row->begin_ns - row->launch_ns))
			      : json_null();
}

static json_t *detail_json(const struct page *p, const struct timeline_detail *d)
{
	const struct timeline_row *rows = d->rows;
	const struct trace *t = p->timeline->lanes[p->timeline->streams[rows[0].stream].lane].trace;
	const struct phase *phase = d->phase ? &p->source->phases->rows[d->phase - 1] : NULL;
	json_t *object = json_object();

	json_object_set_new(object, "side", u64(d->side));
	json_object_set_new(object, "group",
			    phase ? u64(p->cube->group_of_phase[d->phase]) : json_null());
	json_object_set_new(object, "index", phase ? u64(phase->index) : json_null());
	json_object_set_new(object, "is_all", json_boolean(d->is_all));
	json_object_set_new(object, "left_out", u64(d->nr_left_out));
	json_object_set_new(object, "begin", since_begin(p, t, d->begin_ns));
	json_object_set_new(object, "end", since_begin(p, t, d->end_ns));
	COLUMN(object, "entry", d->nr, u64(p->cube->entry_of_item[rows[i].item]));
	COLUMN(object, "node", d->nr, u64(p->cube->node_of_item[rows[i].item]));
	COLUMN(object, "phase", d->is_all ? d->nr : 0,
	       u64(p->cube->group_of_phase[p->cube->phase_of_item[rows[i].item]]));
	COLUMN(object, "stream", d->nr, u64(rows[i].stream));
	COLUMN(object, "since", d->nr, u64(rows[i].begin_ns - rows[i ? i - 1 : 0].begin_ns));
	COLUMN(object, "first", 1, u64(rows[0].begin_ns - d->begin_ns));
	COLUMN(object, "duration", d->nr, u64(rows[i].duration_ns));
	COLUMN(object, "ahead", d->nr, ahead_json(&rows[i]));
	return object;
}

static json_t *details_json(const struct page *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->timeline->nr_details; i++)
		json_array_append_new(array, detail_json(p, &p->timeline->details[i]));
	return array;
}

static json_t *lengths_json(const struct length_bins *b)
{
	json_t *object = json_object();

	COLUMN(object, "side", b->nr, u64(b->rows[i].side));
	COLUMN(object, "group", b->nr, u64(b->rows[i].group));
	COLUMN(object, "node", b->nr, u64(b->rows[i].node));
	COLUMN(object, "s_q", b->nr, u64(b->rows[i].s_q));
	COLUMN(object, "s_k", b->nr, u64(b->rows[i].s_k));
	COLUMN(object, "role", b->nr, json_integer(b->rows[i].role));
	COLUMN(object, "begin", b->nr, u64(b->rows[i].begin_ns));
	COLUMN(object, "calls", b->nr, u64(b->rows[i].calls));
	json_object_set_new(object, "left_out", u64(b->nr_left_out));
	json_object_set_new(object, "is_rounded", json_boolean(b->is_rounded));
	return object;
}

/* --- the roof --------------------------------------------------------------------------------- */

/* Of the first device; further ones are of the same make. */
static json_t *peaks_json(const struct page *p)
{
	const struct model *m = &p->source->run->traces[0]->model;
	const struct name *name = m->devices.nr ? m->device_names.rows[0] : NULL;
	json_t *units = json_array();
	struct peaks peaks;

	peaks_of_device(name ? name->text : NULL, &peaks);
	peaks_override(&peaks, p->peaks);
	for (enum unit u = 0; u < NR_UNITS; u++)
		json_array_append_new(units, json_pack("{s:s, s:o, s:b}", "name", unit_name(u),
						       "flops", count(peaks.flops[u]),
						       "is_measured", peaks.is_measured[u]));
	return json_pack("{s:o, s:o, s:b}", "units", units, "bytes", count(peaks.bytes),
			 "is_measured", peaks.is_measured_bytes);
}

/* Launches that could not be kept apart by phase, for there were too many. */
static uint64_t nr_merged(const struct run *run)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < run->nr; i++)
		nr += run->traces[i]->pairs.nr_merged;
	return nr;
}

static json_t *chosen_json(const struct page *p)
{
	return json_pack("{s:o, s:o}", "focus", json_text(p->focus), "phases",
			 p->choice ? json_text(p->choice->name) : json_null());
}

/* What the report has in tables of its own, the page adds up from its rows. */
static json_t *facts_json(const struct report *r)
{
	static const char *const tables[] = { "operators", "kinds",   "attention", "kernels",
					      "graphs",    "modules", "phases",    "residual" };
	json_t *object = report_json(r);

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		json_object_del(object, tables[i]);
	return object;
}

json_t *page_json(const struct page *p)
{
	const struct profile *profile = p->source->profile;
	uint32_t *kernels = calloc(p->cube->nr_entries + 1, sizeof(*kernels));
	json_t *object = facts_json(p->report);

	if (!kernels) {
		json_decref(object);
		return NULL;
	}
	json_object_set_new(object, "version", json_string(TTI_VERSION));
	json_object_set_new(object, "time_ns", u64(profile->time_ns));
	json_object_set_new(object, "launches", u64(profile->launches));
	json_object_set_new(object, "is_host_time", json_boolean(profile->is_host_time));
	json_object_set_new(object, "by_marks", json_boolean(p->source->phases->by_marks));
	json_object_set_new(object, "period_launches", u64(p->source->phases->period_launches));
	json_object_set_new(object, "merged", u64(nr_merged(p->source->run)));
	json_object_set_new(object, "chosen", chosen_json(p));
	json_object_set_new(object, "vocabulary", vocabulary_json());
	json_object_set_new(object, "sides", sides_json(p));
	json_object_set_new(object, "groups", groups_json(p->cube));
	json_object_set_new(object, "nodes", nodes_json(p));
	json_object_set_new(object, "kernels", kernels_json(p->cube, kernels));
	json_object_set_new(object, "problems", problems_json(p->cube));
	json_object_set_new(object, "entries", entries_json(p->cube, kernels));
	json_object_set_new(object, "rows", rows_json(p->cube));
	json_object_set_new(object, "phases", phases_json(p));
	json_object_set_new(object, "lanes", lanes_json(p));
	json_object_set_new(object, "streams", streams_json(p->timeline));
	json_object_set_new(object, "details", details_json(p));
	json_object_set_new(object, "lengths", lengths_json(p->lengths));
	json_object_set_new(object, "peaks", peaks_json(p));
	free(kernels);
	return object;
}
