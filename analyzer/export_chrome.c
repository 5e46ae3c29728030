/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON that torch.profiler writes, as its users' tools want it: categories, External ids,
 * correlation, flows, device properties.  Calls have the names of the runtime, which those tools
 * look for; args.api says what was really called.  Times are microseconds of CLOCK_MONOTONIC.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "export_formats.h"
#include "json_text.h"

enum {
	GPU_PIDS = 1000,      /* apart, of processes */
	PHASE_TID = 10000000, /* no thread has it */
};

/* What all events of a subject have in common; NULL: not needed yet. */
struct caption {
	char *gpu, *op;
};

struct chrome {
	const struct export *export;
	FILE *out;
	bool has_events;
	struct caption *captions; /* by subject */
	size_t nr_captions;
};

/* --- numbers ---------------------------------------------------------------------------------- */

/* GPUs are processes of their own, with their ordinals as numbers. */
static uint64_t gpu_pid(const struct subject *s)
{
	return s->device_ordinal % GPU_PIDS + (uint64_t)s->trace_index * GPU_PIDS;
}

static uint64_t pid_of(const struct chrome *c, uint32_t trace)
{
	return c->export->analysis->run.traces[trace]->model.process.pid;
}

static void begin_event(struct chrome *c, const char *text)
{
	fputs_unlocked(c->has_events ? ",\n{" : "\n{", c->out);
	fputs_unlocked(text, c->out);
	c->has_events = true;
}

static void put_place(struct chrome *c, uint64_t pid, uint64_t tid)
{
	fputs_unlocked(",\"pid\":", c->out);
	put_digits(pid, c->out);
	fputs_unlocked(",\"tid\":", c->out);
	put_digits(tid, c->out);
}

static void put_times(struct chrome *c, uint64_t begin_ns, uint64_t ns)
{
	fputs_unlocked(",\"ts\":", c->out);
	put_us(begin_ns, c->out);
	fputs_unlocked(",\"dur\":", c->out);
	put_us(ns, c->out);
}

static void put_number(const char *key, uint64_t value, FILE *out)
{
	fprintf(out, ",\"%s\":%" PRIu64, key, value);
}

static void put_text(const char *key, const char *text, FILE *out)
{
	if (!text)
		return;
	fprintf(out, ",\"%s\":", key);
	json_put_text(text, out);
}

/* --- captions --------------------------------------------------------------------------------- */

/* CUpti_ActivityMemoryKind */
static const char *memory_name(uint64_t kind)
{
	static const char *const names[] = { "Unknown",       "Pageable",      "Pinned",
					     "Device",        "Array",         "Managed",
					     "Device Static", "Managed Static" };

	return names[kind < sizeof(names) / sizeof(*names) ? kind : 0];
}

/* CUpti_ActivityMemcpyKind */
static const char *direction(uint64_t kind)
{
	static const char *const names[] = { "Unknown", "HtoD", "DtoH", "HtoA", "AtoH", "AtoA",
					     "AtoD",    "DtoA", "DtoD", "HtoH", "PtoP" };

	return names[kind < sizeof(names) / sizeof(*names) ? kind : 0];
}

static void put_gpu_name(const struct subject *s, FILE *out)
{
	const struct tti_device_template *d = &s->device->definition;

	switch (d->activity) {
	case TTI_ACTIVITY_COPY:
		fprintf(out,
			"\"ph\":\"X\",\"cat\":\"gpu_memcpy\",\"name\":\"Memcpy %s (%s -> %s)\"",
			direction(d->copy_kind), memory_name(d->source_memory),
			memory_name(d->target_memory));
		return;
	case TTI_ACTIVITY_FILL:
		fprintf(out, "\"ph\":\"X\",\"cat\":\"gpu_memset\",\"name\":\"Memset (%s)\"",
			memory_name(d->target_memory));
		return;
	default:
		fputs("\"ph\":\"X\",\"cat\":\"kernel\",\"name\":", out);
		json_put_text(s->kernel ? s->kernel : "", out);
	}
}

static void put_launch_facts(const struct subject *s, FILE *out)
{
	const struct tti_device_template *d = &s->device->definition;

	if (d->activity == TTI_ACTIVITY_COPY || d->activity == TTI_ACTIVITY_FILL) {
		put_number("bytes", d->bytes, out);
		return;
	}
	fprintf(out,
		",\"grid\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "],\"block\":[%" PRIu64 ",%" PRIu64
		",%" PRIu64 "]",
		d->grid_x, d->grid_y, d->grid_z, d->block_x, d->block_y, d->block_z);
	put_number("registers per thread", d->registers, out);
	put_number("shared memory", d->static_shared_bytes + d->dynamic_shared_bytes, out);
}

static void put_meaning(const struct subject *s, FILE *out)
{
	const struct assignment *a = &s->assignment;

	put_text("operator", operator_name(a->op), out);
	put_text("kind", a->work->kind, out);
	put_text("module", s->module, out);
	put_text("library call", s->library_call, out);
	put_text("python", s->python, out);
	if (a->has_attention) {
		put_text("attention role", s->role, out);
		put_number("queries", a->attention.s_q, out);
		put_number("keys", a->attention.s_k, out);
	}
	if (a->has_cost)
		fprintf(out, ",\"FLOPs\":%.17g", a->cost.flops);
}

/* Up to the times, and its arguments up to what each row has of its own. */
static void put_gpu_caption(const struct subject *s, FILE *out)
{
	put_gpu_name(s, out);
	fprintf(out, ",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64, gpu_pid(s), s->stream);
	fprintf(out,
		",\"args\":{\"device\":%" PRIu64 ",\"context\":%" PRIu64 ",\"stream\":%" PRIu64,
		s->device_ordinal, s->context, s->stream);
	put_launch_facts(s, out);
	put_meaning(s, out);
}

/* The operation of PyTorch where the native stack says it, else what was asked for. */
static void put_op_caption(const struct subject *s, FILE *out)
{
	char name[160];

	if (s->operation)
		snprintf(name, sizeof(name), "aten::%s", s->operation);
	else
		snprintf(name, sizeof(name), "ttitrace::%s", operator_name(s->assignment.op));
	fputs("\"ph\":\"X\",\"cat\":\"cpu_op\",\"name\":", out);
	json_put_text(name, out);
	fputs(",\"args\":{\"Ev Idx\":0", out);
	put_meaning(s, out);
}

static char *caption(struct chrome *c, const struct subject *s, bool is_gpu)
{
	char **text;
	size_t size;
	FILE *out;

	if (s->index >= c->nr_captions) {
		const size_t nr = 2 * (size_t)s->index + 256;
		struct caption *captions = realloc(c->captions, nr * sizeof(*captions));

		if (!captions)
			return NULL;
		memset(captions + c->nr_captions, 0, (nr - c->nr_captions) * sizeof(*captions));
		c->captions = captions;
		c->nr_captions = nr;
	}
	text = is_gpu ? &c->captions[s->index].gpu : &c->captions[s->index].op;
	if (*text)
		return *text;
	out = open_memstream(text, &size);
	if (!out)
		return NULL;
	if (is_gpu)
		put_gpu_caption(s, out);
	else
		put_op_caption(s, out);
	if (fclose(out)) {
		free(*text);
		*text = NULL;
	}
	return *text;
}

/* --- rows ------------------------------------------------------------------------------------- */

static const char *runtime_name(const struct subject *s)
{
	switch (s->host->definition.op) {
	case TTI_OP_LAUNCH:
		return s->host->definition.flags & TTI_TEMPLATE_COOPERATIVE
			       ? "cudaLaunchCooperativeKernel"
			       : "cudaLaunchKernel";
	case TTI_OP_GRAPH_LAUNCH:
		return "cudaGraphLaunch";
	case TTI_OP_COPY:
		return "cudaMemcpyAsync";
	case TTI_OP_FILL:
		return "cudaMemsetAsync";
	default:
		return s->api ? s->api : "call";
	}
}

static void put_call(struct chrome *c, const struct row *row)
{
	const struct subject *s = row->subject;
	const uint64_t pid = pid_of(c, s->trace_index);
	const char *op = s->is_work && s->site ? caption(c, s, false) : NULL;

	if (op) {
		begin_event(c, op);
		put_number("External id", row->launch, c->out);
		putc_unlocked('}', c->out);
		put_place(c, pid, row->tid);
		put_times(c, row->host_begin_ns, row->host_ns);
		putc_unlocked('}', c->out);
	}
	begin_event(c, "\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":");
	json_put_text(runtime_name(s), c->out);
	put_place(c, pid, row->tid);
	put_times(c, row->host_begin_ns, row->host_ns);
	fputs_unlocked(",\"args\":{\"cbid\":0", c->out);
	put_number("External id", row->launch, c->out);
	put_number("correlation", row->launch, c->out);
	put_text("api", s->api, c->out);
	if (row->result)
		put_number("CUresult", row->result, c->out);
	fputs_unlocked("}}", c->out);
}

static void put_flow(struct chrome *c, const struct row *row, bool is_end, uint64_t pid,
		     uint64_t tid, uint64_t time_ns)
{
	begin_event(c, is_end ? "\"ph\":\"f\",\"bp\":\"e\",\"cat\":\"ac2g\",\"name\":\"ac2g\""
			      : "\"ph\":\"s\",\"cat\":\"ac2g\",\"name\":\"ac2g\"");
	put_number("id", row->launch, c->out);
	put_place(c, pid, tid);
	fputs_unlocked(",\"ts\":", c->out);
	put_us(time_ns, c->out);
	putc_unlocked('}', c->out);
}

static int put_work(struct chrome *c, const struct row *row)
{
	const struct subject *s = row->subject;
	const char *text = caption(c, s, true);

	if (!text)
		return -ENOMEM;
	begin_event(c, text);
	if (row->launch) {
		put_number("External id", row->launch, c->out);
		put_number("correlation", row->launch, c->out);
	}
	if (row->node)
		put_number("graph node id", row->node, c->out);
	if (row->phase) {
		put_text("phase", row->phase->name->text, c->out);
		put_number("phase index", row->phase->index, c->out);
	}
	putc_unlocked('}', c->out);
	put_times(c, row->gpu_begin_ns, row->gpu_ns);
	putc_unlocked('}', c->out);
	return 0;
}

static int put_row(void *context, const struct row *row)
{
	struct chrome *c = context;
	const struct subject *s = row->subject;
	const bool has_call = row->has_host && !row->is_repeat;
	const bool is_graph = has_call && s->host && s->host->definition.op == TTI_OP_GRAPH_LAUNCH;
	int r = 0;

	if (has_call)
		put_call(c, row);
	if (has_call && (row->has_gpu || is_graph))
		put_flow(c, row, false, pid_of(c, s->trace_index), row->tid, row->host_begin_ns);
	if (row->has_gpu)
		r = put_work(c, row);
	if (row->has_gpu && row->launch)
		put_flow(c, row, true, gpu_pid(s), s->stream, row->gpu_begin_ns);
	return r < 0 ? diag_set(c->export->diag, r, "no memory")
		     : output_check(c->out, c->export->diag);
}

static void put_name(struct chrome *c, const char *what, uint64_t pid, uint64_t tid,
		     const char *name)
{
	begin_event(c, "\"ph\":\"M\",\"ts\":0,\"name\":");
	json_put_text(what, c->out);
	put_place(c, pid, tid);
	fputs_unlocked(",\"args\":{\"name\":", c->out);
	json_put_text(name, c->out);
	fputs_unlocked("}}", c->out);
}

static int put_thread(void *context, uint32_t trace, uint64_t tid, const char *name)
{
	struct chrome *c = context;

	put_name(c, "thread_name", pid_of(c, trace), tid, name);
	return 0;
}

static int put_mark(void *context, uint32_t trace, uint64_t tid, uint64_t time_ns, const char *text)
{
	struct chrome *c = context;

	begin_event(c, "\"ph\":\"i\",\"s\":\"t\",\"cat\":\"mark\",\"name\":");
	json_put_text(text, c->out);
	put_place(c, pid_of(c, trace), tid);
	fputs_unlocked(",\"ts\":", c->out);
	put_us(time_ns, c->out);
	putc_unlocked('}', c->out);
	return 0;
}

/* --- head and tail ---------------------------------------------------------------------------- */

static void put_device(struct chrome *c, const struct tti_device *d, const char *name, uint64_t id)
{
	fprintf(c->out, "{\"id\":%" PRIu64 ",\"name\":", id);
	json_put_text(name, c->out);
	put_number("totalGlobalMem", d->memory_bytes, c->out);
	put_number("computeMajor", d->compute_major, c->out);
	put_number("computeMinor", d->compute_minor, c->out);
	put_number("numSms", d->multiprocessors, c->out);
	putc_unlocked('}', c->out);
}

static void put_devices(struct chrome *c)
{
	const struct run *run = &c->export->analysis->run;
	bool has_one = false;

	fputs(",\n\"deviceProperties\":[", c->out);
	for (size_t i = 0; i < run->nr; i++)
		for (size_t k = 0; k < run->traces[i]->model.devices.nr; k++) {
			const struct model *m = &run->traces[i]->model;
			const struct name *name = m->device_names.rows[k];

			if (has_one)
				putc_unlocked(',', c->out);
			put_device(c, &m->devices.rows[k], sheet_text(run, name ? name->text : ""),
				   m->devices.rows[k].ordinal % GPU_PIDS + i * GPU_PIDS);
			has_one = true;
		}
	putc_unlocked(']', c->out);
}

/* Of the first process; tools want a file for each rank. */
static void put_head(struct chrome *c)
{
	const struct run *run = &c->export->analysis->run;
	const struct model *m = &run->traces[0]->model;
	const char *rank = m->rank ? m->rank->text : "";

	fputs("{\"schemaVersion\":1,\"displayTimeUnit\":\"ms\",\"producer\":\"ttitrace\"", c->out);
	put_devices(c);
	fprintf(c->out, ",\n\"distributedInfo\":{\"rank\": %" PRIu64 "}",
		(uint64_t)strtoull(rank, NULL, 10));
	if (m->process.begin_realtime_ns > m->process.begin_ns)
		put_number("baseTimeNanoseconds",
			   m->process.begin_realtime_ns - m->process.begin_ns, c->out);
	fputs(",\n\"traceEvents\":[", c->out);
}

static void put_processes(struct chrome *c)
{
	const struct run *run = &c->export->analysis->run;

	for (size_t i = 0; i < run->nr; i++) {
		const struct model *m = &run->traces[i]->model;
		char gpu[64];

		put_name(c, "process_name", m->process.pid, 0,
			 sheet_text(run, m->program ? m->program->text : ""));
		for (size_t k = 0; k < m->devices.nr; k++) {
			snprintf(gpu, sizeof(gpu), "GPU %" PRIu64, m->devices.rows[k].ordinal);
			put_name(c, "process_name",
				 m->devices.rows[k].ordinal % GPU_PIDS + i * GPU_PIDS, 0, gpu);
		}
	}
}

static void put_phases(struct chrome *c)
{
	const struct phases *p = &c->export->analysis->phases;

	for (size_t i = 0; i < p->nr; i++) {
		const struct phase *phase = &p->rows[i];
		const uint64_t pid = phase->trace->model.process.pid;
		char name[256];

		if (!i || p->rows[i - 1].trace != phase->trace)
			put_name(c, "thread_name", pid, PHASE_TID, "phases");
		snprintf(name, sizeof(name), "%s %" PRIu32, phase->name->text, phase->index);
		begin_event(c, "\"ph\":\"X\",\"cat\":\"user_annotation\",\"name\":");
		json_put_text(sheet_text(p->run, name), c->out);
		put_place(c, pid, PHASE_TID);
		put_times(c, phase->begin_ns,
			  phase->end_ns > phase->begin_ns ? phase->end_ns - phase->begin_ns : 0);
		putc_unlocked('}', c->out);
	}
}

int export_chrome(const struct export *e)
{
	struct chrome c = { .export = e, .out = e->out };
	const struct row_sink sink = {
		.row = put_row, .thread = put_thread, .mark = put_mark, .context = &c
	};
	int r;

	put_head(&c);
	put_processes(&c);
	put_phases(&c);
	r = rows_each(e->analysis, &sink, e->diag);
	fputs("\n]}\n", c.out);
	for (size_t i = 0; i < c.nr_captions; i++) {
		free(c.captions[i].gpu);
		free(c.captions[i].op);
	}
	free(c.captions);
	return r;
}
