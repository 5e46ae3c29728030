/* SPDX-License-Identifier: Apache-2.0 */
#include "definition.h"

#include "call.h"
#include "clock.h"
#include "hook.h"
#include "identity.h"
#include "object_map.h"
#include "parameters.h"
#include "python_code.h"
#include "python_path.h"
#include "stack.h"

static void put_string(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct tti_string r = { .id = id, .text = { content, size } };

	tti_put_record(b, TTI_RECORD_STRING, &r);
}

static void put_kernel(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct kernel_content *k = content;
	uint64_t parameters[2 * KERNEL_PARAMETERS_MAX];
	const struct tti_kernel r = {
		.id = id,
		.name = k->name,
		.registers = k->registers,
		.static_shared_bytes = k->static_shared_bytes,
		.local_bytes = k->local_bytes,
		.const_bytes = k->const_bytes,
		.max_threads = k->max_threads,
		.binary_version = k->binary_version,
		.ptx_version = k->ptx_version,
		.parameters = { parameters, 2 * k->nr_parameters },
	};

	(void)size;
	for (uint32_t i = 0; i < k->nr_parameters; i++) {
		parameters[2 * i] = k->parameters[i].offset;
		parameters[2 * i + 1] = k->parameters[i].size;
	}
	tti_put_record(b, TTI_RECORD_KERNEL, &r);
}

static void put_context(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct context_content *c = content;
	const struct tti_context r = {
		.id = id, .handle = c->handle, .device = c->device, .cupti = c->cupti
	};

	(void)size;
	tti_put_record(b, TTI_RECORD_CONTEXT, &r);
}

static void put_graph_exec(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct graph_exec_content *g = content;
	const struct tti_graph_exec r = { .id = id, .cupti = g->cupti, .handle = g->handle };

	(void)size;
	tti_put_record(b, TTI_RECORD_GRAPH_EXEC, &r);
}

static void put_object(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct object_content *o = content;
	const struct tti_object r = {
		.begin = o->begin,
		.end = o->end,
		.bias = o->bias,
		.path = { o->path, o->path_size },
		.build_id = { (const char *)o->build_id, o->build_id_size },
		.since_ns = clock_read_ns(CLOCK_MONOTONIC),
	};

	(void)id;
	(void)size;
	tti_put_record(b, TTI_RECORD_OBJECT, &r);
}

static void put_frame(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct frame_content *f = content;
	const struct tti_frame r = { .id = id, .parent = f->parent, .address = f->address };

	(void)size;
	tti_put_record(b, TTI_RECORD_FRAME, &r);
}

static void put_code(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct code_content *c = content;
	const struct tti_code r = {
		.id = id,
		.name = c->name,
		.file = c->file,
		.line = c->line > 0 ? (uint64_t)c->line : 0,
	};

	(void)size;
	tti_put_record(b, TTI_RECORD_CODE, &r);
}

static void put_python_frame(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct python_frame_content *f = content;
	const struct tti_python_frame r = {
		.id = id,
		.parent = f->parent,
		.code = f->code,
		.line = f->line,
		.class = f->class,
		.self = f->self,
	};

	(void)size;
	tti_put_record(b, TTI_RECORD_PYTHON_FRAME, &r);
}

static void put_template(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct template_content *t = content;
	const struct tti_template r = {
		.id = id,
		.op = t->op,
		.api = string_id(hook_symbol(t->api)),
		.kernel = t->kernel,
		.grid_x = t->grid[0],
		.grid_y = t->grid[1],
		.grid_z = t->grid[2],
		.block_x = t->block[0],
		.block_y = t->block[1],
		.block_z = t->block[2],
		.shared_bytes = t->shared_bytes,
		.stream = t->stream,
		.context = t->context,
		.flags = t->flags,
		.cluster_x = t->cluster[0],
		.cluster_y = t->cluster[1],
		.cluster_z = t->cluster[2],
		.bytes = t->bytes,
		.graph = t->graph_exec,
		.call = t->call,
		.stack = t->stack,
		.path = t->path,
	};

	(void)size;
	tti_put_record(b, TTI_RECORD_TEMPLATE, &r);
}

static void put_parameters(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct parameters_content *p = content;
	const struct tti_parameters r = {
		.id = id,
		.kernel = p->kernel,
		.bytes = { (const char *)p->bytes,
			   size - offsetof(struct parameters_content, bytes) },
	};

	tti_put_record(b, TTI_RECORD_PARAMETERS, &r);
}

static void put_device_template(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	const struct device_template_content *t = content;
	const struct tti_device_template r = {
		.id = id,
		.activity = t->activity,
		.name = t->name,
		.device = t->device,
		.context = t->context,
		.stream = t->stream,
		.grid_x = t->grid[0],
		.grid_y = t->grid[1],
		.grid_z = t->grid[2],
		.block_x = t->block[0],
		.block_y = t->block[1],
		.block_z = t->block[2],
		.static_shared_bytes = t->static_shared_bytes,
		.dynamic_shared_bytes = t->dynamic_shared_bytes,
		.registers = t->registers,
		.local_bytes = t->local_bytes,
		.copy_kind = t->copy_kind,
		.source_memory = t->source_memory,
		.target_memory = t->target_memory,
		.bytes = t->bytes,
		.graph = t->graph,
	};

	(void)size;
	tti_put_record(b, TTI_RECORD_DEVICE_TEMPLATE, &r);
}

static void (*const put[NR_INTERN_KINDS])(struct tti_buffer *, uint32_t, const void *, size_t) = {
	[INTERN_STRING] = put_string,     [INTERN_KERNEL] = put_kernel,
	[INTERN_CONTEXT] = put_context,   [INTERN_GRAPH_EXEC] = put_graph_exec,
	[INTERN_CALL] = call_put,         [INTERN_PARAMETERS] = put_parameters,
	[INTERN_OBJECT] = put_object,     [INTERN_FRAME] = put_frame,
	[INTERN_CODE] = put_code,         [INTERN_PYTHON_FRAME] = put_python_frame,
	[INTERN_TEMPLATE] = put_template, [INTERN_DEVICE_TEMPLATE] = put_device_template,
};

/*
 * The names of entry points become strings when a template first needs them: before the strings
 * are counted.
 */
static void intern_entry_points(enum intern_kind kind, uint32_t from, uint32_t to)
{
	for (uint32_t id = from; id <= to; id++) {
		size_t size;
		const void *content = intern_content(kind, id, &size);

		if (content && kind == INTERN_TEMPLATE)
			string_id(hook_symbol(((const struct template_content *)content)->api));
		if (content && kind == INTERN_CALL)
			string_id(hook_symbol(((const struct call_content *)content)->api));
	}
}

/*
 * Those of one table up to `last`.  One that a thread is still filling is passed over: nothing
 * in the file refers to it yet.  It, and what stands behind it, comes again the next time.
 */
static bool put_table(struct tti_buffer *b, enum intern_kind kind, uint32_t last, uint32_t *written)
{
	bool is_unbroken = true;

	for (uint32_t id = *written + 1; id <= last; id++) {
		size_t size;
		const void *content = intern_content(kind, id, &size);

		if (content)
			put[kind](b, id, content, size);
		if (b->full)
			return false;
		is_unbroken &= content != NULL;
		if (is_unbroken)
			*written = id;
	}
	return true;
}

bool definitions_put(struct tti_buffer *b, struct definitions_written *w)
{
	uint32_t last[NR_INTERN_KINDS];

	/* What refers is counted before what it refers to, so the latter is in the count. */
	for (int kind = NR_INTERN_KINDS - 1; kind >= 0; kind--) {
		last[kind] = intern_last(kind);
		if (kind == INTERN_TEMPLATE || kind == INTERN_CALL)
			intern_entry_points(kind, w->last[kind] + 1, last[kind]);
		if (kind == INTERN_FRAME && last[kind])
			object_map_refresh(); /* what these frames lie in is loaded by now */
	}
	for (int kind = 0; kind < NR_INTERN_KINDS; kind++)
		if (!put_table(b, kind, last[kind], &w->last[kind]))
			return false;
	return true;
}
