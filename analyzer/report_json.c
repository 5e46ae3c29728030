/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "report.h"
#include "report_modules.h"
#include "report_phases.h"
#include "report_stacks.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void set_u64(json_t *object, const char *key, uint64_t value)
{
	set(object, key, json_u64(value));
}

static json_t *name_json(const struct name *name)
{
	return name ? json_bytes(name->text, name->size) : json_null();
}

static json_t *command_json(const struct trace *t)
{
	char *command = report_command(t);
	json_t *value = json_text(command);

	free(command);
	return value;
}

static json_t *devices_json(const struct model *m)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->devices.nr; i++)
		json_array_append_new(array, name_json(m->device_names.rows[i]));
	return array;
}

static json_t *infos_json(const struct model *m)
{
	json_t *object = json_object();

	for (size_t i = 0; i < m->infos.nr; i++) {
		json_t *key = name_json(m->infos.rows[i].key);

		if (json_is_string(key))
			set(object, json_string_value(key), name_json(m->infos.rows[i].value));
		json_decref(key);
	}
	return object;
}

static json_t *run_json(const struct report *r)
{
	const struct trace *first = r->run->traces[0];
	const struct model *m = &first->model;
	json_t *object = json_object();

	set(object, "command", command_json(first));
	set(object, "host", name_json(m->host));
	set(object, "gpus", devices_json(m));
	set(object, "driver", json_text(model_info(m, "driver.version")));
	set(object, "cuda", json_text(model_info(m, "driver.cuda_version")));
	set(object, "recorder", name_json(m->version));
	if (model_info(m, "import.source")) {
		set(object, "imported_from", json_text(model_info(m, "import.source")));
		set(object, "lacks", json_text(model_info(m, "import.lacks")));
	}
	set_u64(object, "begin_realtime_ns", m->process.begin_realtime_ns);
	set_u64(object, "wall_ns", run_wall_ns(r->run));
	set_u64(object, "processes", r->run->nr);
	set(object, "timing", json_string(r->coverage.has_device_rows ? "device" : "host"));
	set(object, "damaged", json_boolean(r->run->is_damaged));
	return object;
}

static const char *ending_name(const struct trace *t)
{
	if (!t->model.has_finish)
		return NULL;
	switch (t->model.finish.reason) {
#define TTI_ENDING(id, NAME, name, what) \
	case id:                         \
		return name;
#include "ttitrace/enums.def"
#undef TTI_ENDING
	default:
		return "of a newer version";
	}
}

static json_t *process_json(const struct trace *t)
{
	const struct model *m = &t->model;
	struct run_gpu gpu;
	json_t *object = json_object();

	trace_gpu(t, &gpu);
	set(object, "path", json_text(t->path));
	set(object, "host", name_json(m->host));
	set_u64(object, "pid", m->process.pid);
	set_u64(object, "parent_pid", m->process.parent_pid);
	set(object, "rank", name_json(m->rank));
	set(object, "command", command_json(t));
	set(object, "gpus", devices_json(m));
	set_u64(object, "wall_ns", trace_wall_ns(t));
	set_u64(object, "launches", t->counted[TTI_COUNTER_LAUNCHES]);
	set_u64(object, "kernel_ns", gpu.kernel_ns);
	set_u64(object, "busy_ns", gpu.busy_ns);
	set_u64(object, "host_ns", t->host_ns);
	set(object, "ending", json_text(ending_name(t)));
	set(object, "complete", json_boolean(trace_is_complete(t)));
	set(object, "info", infos_json(m));
	return object;
}

static json_t *processes_json(const struct run *run)
{
	json_t *array = json_array();

	for (size_t i = 0; i < run->nr; i++)
		json_array_append_new(array, process_json(run->traces[i]));
	return array;
}

json_t *report_json_coverage(const struct run_coverage *c)
{
	json_t *object = json_object();

	for (int k = 0; k < TTI_COUNTER_LIMIT; k++) {
		char key[32];

		if (!counter_name(k) || counter_is_loss(k))
			continue;
		snprintf(key, sizeof(key), "%s", counter_name(k));
		for (char *at = key; *at; at++)
			*at = *at == '-' ? '_' : *at;
		set_u64(object, key, c->counted[k]);
	}
	set_u64(object, "matched", c->correlation.matched);
	set_u64(object, "launches_without_record", c->correlation.launches_without_record);
	set_u64(object, "records_without_launch",
		c->correlation.kernels_without_launch + c->correlation.nodes_without_launch);
	set_u64(object, "records_of_bodies", c->correlation.nodes_of_bodies);
	set_u64(object, "mismatched", c->mismatched);
	set_u64(object, "renamed", c->renamed);
	set_u64(object, "graph_launches_without_record", c->correlation.graphs_without_record);
	set_u64(object, "copies_without_record", c->correlation.copies_without_record);
	set_u64(object, "copy_records_without_call", c->correlation.copies_without_call);
	set_u64(object, "nodes_mismatched", c->nodes_mismatched);
	set_u64(object, "nodes_without_creator", c->nodes_without_creator);
	set(object, "complete", json_boolean(c->is_complete && c->has_device_rows));
	return object;
}

json_t *report_json_losses(const struct run_coverage *c)
{
	json_t *array = json_array();

	for (int k = 0; k < TTI_COUNTER_LIMIT; k++)
		if (c->lost[k])
			json_array_append_new(array,
					      json_pack("{s:s, s:o, s:s}", "cause", counter_name(k),
							"count", json_u64(c->lost[k]), "meaning",
							counter_meaning(k)));
	return array;
}

static json_t *gpu_json(const struct run_gpu *g)
{
	json_t *object = json_object();

	set_u64(object, "first_ns", g->first_ns);
	set_u64(object, "last_ns", g->last_ns);
	set_u64(object, "span_ns", g->span_ns);
	set_u64(object, "closed_ns", g->closed_ns);
	set_u64(object, "windows", g->nr_windows);
	set_u64(object, "busy_ns", g->busy_ns);
	set_u64(object, "idle_ns", g->idle_ns);
	set_u64(object, "late_ns", g->late_ns);
	set_u64(object, "kernel_ns", g->kernel_ns);
	set_u64(object, "copy_ns", g->copy_ns);
	return object;
}

static void set_sums(const struct report *r, json_t *object, const struct profile_row *row)
{
	set_u64(object, "time_ns", row->time_ns);
	set(object, "share", json_real(profile_share(r->profile, row)));
	set_u64(object, "launches", row->launches);
}

static json_t *rows_json(const struct report *r, enum axis axis, const char *key)
{
	const struct profile_table *table = &r->profile->axes[axis];
	json_t *array = json_array();

	for (size_t i = 0; i < table->nr; i++) {
		json_t *object = json_object();

		set(object, key, name_json(table->rows[i].key));
		set_sums(r, object, &table->rows[i]);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *kernel_json(const struct report *r, const struct profile_row *row)
{
	const struct work *w = row->work;
	json_t *object = json_object();

	set(object, "name", name_json(w->name));
	set(object, "mangled", w->mangled ? name_json(w->mangled) : json_string(""));
	set(object, "kind", json_text(w->kind));
	set(object, "sub", json_text(w->sub));
	set(object, "operator", json_text(operator_name(row->assignment->op)));
	set(object, "evidence", json_text(evidence_name(row->assignment->evidence)));
	set_u64(object, "launches", row->launches);
	set_u64(object, "time_ns", row->time_ns);
	set(object, "share", json_real(profile_share(r->profile, row)));
	set_u64(object, "min_ns", row->min_ns);
	set_u64(object, "max_ns", row->max_ns);
	set(object, "rule", w->rule ? json_text(w->rule->pattern) : json_null());
	return object;
}

static json_t *kernels_json(const struct report *r)
{
	const struct profile_table *table = &r->profile->axes[AXIS_kernel];
	json_t *array = json_array();

	for (size_t i = 0; i < table->nr; i++)
		json_array_append_new(array, kernel_json(r, &table->rows[i]));
	return array;
}

static json_t *attention_json(const struct report *r, const struct profile_row *row)
{
	const struct assignment *a = row->assignment;
	const struct attention *t = &a->attention;
	json_t *object = json_object();

	set(object, "name", name_json(row->key));
	set_sums(r, object, row);
	set_u64(object, "calls", row->attentions);
	if (!a->has_attention)
		return object;
	set(object, "role", json_text(role_name(a->role)));
	set(object, "backend", json_text(backend_name(t->backend)));
	set(object, "exactness", json_text(exactness_name(t->exactness)));
	set_u64(object, "b", t->b);
	set_u64(object, "h", t->h);
	set_u64(object, "h_kv", t->h_kv);
	set_u64(object, "s_q", t->s_q);
	set_u64(object, "s_k", t->s_k);
	set_u64(object, "d", t->d);
	set_u64(object, "d_v", t->d_v);
	set(object, "heads_in_batch", json_boolean(t->heads_in_batch));
	set(object, "causal", json_boolean(t->causal));
	set(object, "type", json_text(type_name(t->type)));
	return object;
}

static json_t *attentions_json(const struct report *r)
{
	const struct profile_table *table = &r->profile->axes[AXIS_attention];
	json_t *array = json_array();

	for (size_t i = 0; i < table->nr; i++)
		if (table->rows[i].assignment->op == OPERATOR_attention)
			json_array_append_new(array, attention_json(r, &table->rows[i]));
	return array;
}

static json_t *evidence_json(const struct report *r)
{
	const struct profile *p = r->profile;

	return json_pack("{s:b, s:b, s:b, s:b, s:o, s:o, s:o}", "library_calls", p->knowledge.calls,
			 "parameters", p->knowledge.parameters, "native_stacks",
			 p->knowledge.frames, "python_paths", p->knowledge.paths, "sources",
			 rows_json(r, AXIS_evidence, "name"), "conflicts", json_u64(p->conflicts),
			 "conflicts_ns", json_u64(p->conflicts_ns));
}

static json_t *graph_json(const struct trace *t, const struct tti_graph_exec *exec)
{
	const struct model *m = &t->model;
	uint64_t launches = 0, records = 0, time_ns = 0;
	json_t *object = json_object();

	for (size_t i = 1; i < m->templates.nr; i++)
		if (m->templates.rows[i].definition.op == TTI_OP_GRAPH_LAUNCH &&
		    m->templates.rows[i].definition.graph == exec->id)
			launches += m->templates.rows[i].count;
	for (size_t i = 1; i < m->device_templates.nr; i++)
		if (m->device_templates.rows[i].definition.graph == exec->cupti && exec->cupti) {
			records += m->device_templates.rows[i].count;
			time_ns += m->device_templates.rows[i].time_ns;
		}
	set_u64(object, "pid", m->process.pid);
	set_u64(object, "graph", exec->id);
	set_u64(object, "cupti", exec->cupti);
	set_u64(object, "launches", launches);
	set_u64(object, "records", records);
	set_u64(object, "time_ns", time_ns);
	return object;
}

/* A row for each executable graph; programs that make thousands of them get the first ones. */
static json_t *graphs_json(const struct run *run)
{
	enum { GRAPHS_MAX = 256 };
	json_t *array = json_array();

	for (size_t i = 0; i < run->nr; i++)
		for (size_t k = 1; k < run->traces[i]->model.execs.nr; k++)
			if (json_array_size(array) < GRAPHS_MAX)
				json_array_append_new(
					array, graph_json(run->traces[i],
							  &run->traces[i]->model.execs.rows[k]));
	return array;
}

static json_t *native_frames_json(const struct report *r)
{
	const struct knowledge *k = &r->profile->knowledge;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count", json_u64(k->nr_frames), "named",
			 json_u64(k->nr_frames_named), "objects_read", json_u64(r->objects.read),
			 "objects_missing", json_u64(r->objects.missing),
			 "objects_of_another_build", json_u64(r->objects.refused),
			 "objects_unreadable", json_u64(r->objects.unreadable));
}

json_t *report_json(const struct report *r)
{
	json_t *object = json_object();

	set(object, "run", run_json(r));
	set(object, "processes", processes_json(r->run));
	set(object, "coverage", report_json_coverage(&r->coverage));
	set(object, "losses", report_json_losses(&r->coverage));
	set(object, "gpu", gpu_json(&r->gpu));
	set(object, "evidence", evidence_json(r));
	set(object, "native_frames", native_frames_json(r));
	set(object, "operators", rows_json(r, AXIS_operator, "name"));
	set(object, "kinds", rows_json(r, AXIS_kind, "kind"));
	set(object, "attention", attentions_json(r));
	set(object, "kernels", kernels_json(r));
	set(object, "graphs", graphs_json(r->run));
	if (r->modules)
		set(object, "modules", report_modules_json(r->modules, r->depth));
	if (r->phases) {
		set(object, "phases", report_phases_json(r->phases));
		set(object, "residual", report_residual_json(r->phases));
	}
	if (r->stacks)
		set(object, "by",
		    json_pack("{s:s, s:o}", "axis", "stack", "rows", stacks_json(r->stacks)));
	else if (r->by < NR_AXES)
		set(object, "by",
		    json_pack("{s:s, s:o}", "axis", axis_name(r->by), "rows",
			      rows_json(r, r->by, "name")));
	return object;
}
