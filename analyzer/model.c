/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

/* Far beyond real runs; a small hostile file can decompress to any number of definitions. */
enum { ROWS_MAX = 1 << 20, NODES_MAX = 1 << 22, CLONES_MAX = 64 };

/* New nodes between two times of forgetting: hundreds of large graphs. */
enum { NODES_TURN = 1 << 19 };

/* Kept parameters and layouts together; a small hostile file can decompress to any amount. */
#define BLOB_BYTES_MAX ((size_t)256 << 20)

static const char *const problem_names[NR_PROBLEMS] = {
#define PROBLEM(name, what) #name,
#include "problems.def"
#undef PROBLEM
};

static const char *const problem_texts[NR_PROBLEMS] = {
#define PROBLEM(name, what) what,
#include "problems.def"
#undef PROBLEM
};

const char *problem_name(enum problem p)
{
	return problem_names[p];
}

const char *problem_text(enum problem p)
{
	return problem_texts[p];
}

/* Room for one more row, all zero; NULL: no memory. */
static void *append(void *rows, size_t *nr, size_t *size, size_t row_bytes)
{
	char **at = rows;

	if (*nr == *size) {
		const size_t bigger = *size ? 2 * *size : 64;
		char *p = realloc(*at, bigger * row_bytes);

		if (!p)
			return NULL;
		*at = p;
		*size = bigger;
	}
	memset(*at + *nr * row_bytes, 0, row_bytes);
	return *at + (*nr)++ * row_bytes;
}

#define APPEND(table)                                                            \
	((typeof((table).rows))append(&(table).rows, &(table).nr, &(table).size, \
				      sizeof(*(table).rows)))

int model_init(struct model *m, struct names *names, struct works *works)
{
	*m = (struct model){ .names = names, .works = works };
	if (!APPEND(m->strings) || !APPEND(m->kernels) || !APPEND(m->templates) ||
	    !APPEND(m->device_templates) || !APPEND(m->contexts) || !APPEND(m->nodes) ||
	    !APPEND(m->execs) || !APPEND(m->calls) || !APPEND(m->parameters) ||
	    !APPEND(m->frames) || !APPEND(m->symbols) || !APPEND(m->codes) ||
	    !APPEND(m->python_frames)) {
		model_clear(m);
		return -ENOMEM;
	}
	return 0;
}

void model_clear(struct model *m)
{
	for (size_t i = 0; i < m->kernels.nr; i++)
		free((uint64_t *)m->kernels.rows[i].layout.values);
	for (size_t i = 0; i < m->parameters.nr; i++)
		free(m->parameters.rows[i].bytes);
	free(m->calls.rows);
	free(m->parameters.rows);
	free(m->frames.rows);
	free(m->symbols.rows);
	free(m->codes.rows);
	free(m->python_frames.rows);
	free(m->objects.rows);
	windows_free(&m->windows);
	id_map_free(&m->call_ids);
	id_map_free(&m->parameter_ids);
	id_map_free(&m->frame_ids);
	id_map_free(&m->symbol_ids);
	id_map_free(&m->code_ids);
	id_map_free(&m->python_frame_ids);
	free(m->infos.rows);
	free(m->devices.rows);
	free(m->device_names.rows);
	free(m->strings.rows);
	free(m->kernels.rows);
	free(m->templates.rows);
	free(m->device_templates.rows);
	free(m->contexts.rows);
	free(m->nodes.rows);
	free(m->execs.rows);
	id_map_free(&m->string_ids);
	id_map_free(&m->kernel_ids);
	id_map_free(&m->template_ids);
	id_map_free(&m->device_template_ids);
	id_map_free(&m->context_ids);
	id_map_free(&m->node_ids);
	id_map_free(&m->exec_ids);
	id_map_free(&m->graph_ids);
	*m = (struct model){ 0 };
}

/* Whether a new definition may be kept; if not, says why in the counters. */
static bool may_define(struct model *m, const struct id_map *ids, uint64_t id, size_t nr)
{
	if (id_map_find(ids, id)) {
		m->problems[PROBLEM_redefined]++;
		return false;
	}
	if (nr > ROWS_MAX) {
		m->problems[PROBLEM_too_many]++;
		return false;
	}
	return true;
}

/* A new row of `table` under `id`, or a return from the function that defines. */
#define DEFINE(m, table, ids, id)                                                          \
	({                                                                                 \
		typeof((m)->table.rows) row_;                                              \
		if (!may_define(m, &(m)->ids, id, (m)->table.nr))                          \
			return 0;                                                          \
		row_ = APPEND((m)->table);                                                 \
		if (!row_ || id_map_add(&(m)->ids, id, (uint32_t)((m)->table.nr - 1)) < 0) \
			return -ENOMEM;                                                    \
		row_;                                                                      \
	})

static const struct name *intern(struct model *m, struct tti_str s)
{
	const struct name *name = names_intern(m->names, s.data ? s.data : "", s.size);

	if (!name)
		m->problems[PROBLEM_too_many]++;
	return name;
}

static const struct name *find_string(const struct model *m, uint64_t id)
{
	return m->strings.rows[id_map_find(&m->string_ids, id)];
}

static void take_process(struct model *m, const struct tti_process *process)
{
	if (m->has_process) {
		m->problems[PROBLEM_redefined]++;
		return;
	}
	m->has_process = true;
	m->process = *process;
	m->host = intern(m, process->host);
	m->program = intern(m, process->program);
	m->command = intern(m, process->command);
	m->rank = intern(m, process->rank);
	m->version = intern(m, process->version);
	/* The frame that these stand in does not stay. */
	m->process.host = m->process.program = m->process.command = m->process.rank =
		m->process.version = (struct tti_str){ 0 };
}

static int take_info(struct model *m, const struct tti_info *info)
{
	struct info *row;

	if (m->infos.nr > 4096) {
		m->problems[PROBLEM_too_many]++;
		return 0;
	}
	row = APPEND(m->infos);
	if (!row)
		return -ENOMEM;
	row->key = intern(m, info->key);
	row->value = intern(m, info->value);
	return 0;
}

static int take_device(struct model *m, const struct tti_device *device)
{
	struct tti_device *row;
	const struct name **name;

	if (m->devices.nr > 1024) {
		m->problems[PROBLEM_too_many]++;
		return 0;
	}
	row = APPEND(m->devices);
	name = APPEND(m->device_names);
	if (!row || !name)
		return -ENOMEM;
	*row = *device;
	*name = intern(m, device->name);
	row->name = row->uuid = (struct tti_str){ 0 };
	return 0;
}

static int take_string(struct model *m, const struct tti_string *string)
{
	const struct name **row = DEFINE(m, strings, string_ids, string->id);

	*row = intern(m, string->text);
	return 0;
}

/* A copy of bytes that will stay; NULL also where there are none, or there were too many. */
static void *keep_bytes(struct model *m, const void *bytes, size_t size)
{
	void *copy;

	if (!size)
		return NULL;
	if (size > BLOB_BYTES_MAX - m->blob_bytes) {
		m->problems[PROBLEM_too_many]++;
		return NULL;
	}
	copy = malloc(size);
	if (!copy)
		return NULL;
	m->blob_bytes += size;
	return memcpy(copy, bytes, size);
}

static int take_kernel(struct model *m, const struct tti_kernel *kernel)
{
	struct kernel *row = DEFINE(m, kernels, kernel_ids, kernel->id);

	row->name = find_string(m, kernel->name);
	row->layout.values = keep_bytes(m, kernel->parameters.values,
					kernel->parameters.size * sizeof(uint64_t));
	row->layout.size = row->layout.values ? kernel->parameters.size : 0;
	return 0;
}

static int take_template(struct model *m, const struct tti_template *t)
{
	struct host_template *row = DEFINE(m, templates, template_ids, t->id);

	row->definition = *t;
	row->api = find_string(m, t->api);
	row->kernel_index = id_map_find(&m->kernel_ids, t->kernel);
	row->kernel = m->kernels.rows[row->kernel_index].name;
	if (m->information == INFORMATION_full)
		row->call = id_map_find(&m->call_ids, t->call);
	if (m->information != INFORMATION_names) {
		row->stack = id_map_find(&m->frame_ids, t->stack);
		row->path = id_map_find(&m->python_frame_ids, t->path);
	}
	row->work = work_of_host(m->works, row);
	row->step = (uint8_t)step_of_work(row->work);
	return 0;
}

static int take_call(struct model *m, const struct call *call, uint64_t api)
{
	struct call *row = DEFINE(m, calls, call_ids, call->id);

	*row = *call;
	row->api = find_string(m, api);
	return 0;
}

static int take_parameters(struct model *m, const struct tti_parameters *p)
{
	struct parameters *row;

	if (m->information == INFORMATION_names)
		return 0;
	row = DEFINE(m, parameters, parameter_ids, p->id);
	row->kernel = id_map_find(&m->kernel_ids, p->kernel);
	row->bytes =
		p->bytes.size <= UINT16_MAX ? keep_bytes(m, p->bytes.data, p->bytes.size) : NULL;
	row->size = row->bytes ? (uint32_t)p->bytes.size : 0;
	return 0;
}

static int take_frame(struct model *m, const struct tti_frame *f)
{
	struct native_frame *row = DEFINE(m, frames, frame_ids, f->id);

	row->parent = id_map_find(&m->frame_ids, f->parent);
	row->address = f->address;
	row->nr_objects = (uint32_t)m->objects.nr;
	return 0;
}

static int take_symbol(struct model *m, const struct tti_symbol *symbol)
{
	const struct name **row = DEFINE(m, symbols, symbol_ids, symbol->address);

	*row = find_string(m, symbol->name);
	return 0;
}

static int take_code(struct model *m, const struct tti_code *code)
{
	struct tti_code *row = DEFINE(m, codes, code_ids, code->id);

	*row = *code;
	return 0;
}

static int take_python_frame(struct model *m, const struct tti_python_frame *f)
{
	struct python_frame *row = DEFINE(m, python_frames, python_frame_ids, f->id);
	const struct tti_code *code = &m->codes.rows[id_map_find(&m->code_ids, f->code)];

	row->parent = id_map_find(&m->python_frame_ids, f->parent);
	row->code = find_string(m, code->name);
	row->file = find_string(m, code->file);
	row->class_name = find_string(m, f->class);
	row->line = f->line;
	row->self = f->self;
	return 0;
}

static int take_object(struct model *m, const struct tti_object *object)
{
	struct loaded_object *row;

	if (m->objects.nr > ROWS_MAX) {
		m->problems[PROBLEM_too_many]++;
		return 0;
	}
	row = APPEND(m->objects);
	if (!row)
		return -ENOMEM;
	*row = (struct loaded_object){
		.begin = object->begin,
		.end = object->end,
		.bias = object->bias,
		.path = intern(m, object->path),
		.build_id = intern(m, object->build_id),
	};
	return 0;
}

static int take_device_template(struct model *m, const struct tti_device_template *t)
{
	struct device_template *row = DEFINE(m, device_templates, device_template_ids, t->id);

	row->definition = *t;
	row->kernel = find_string(m, t->name);
	row->min_ns = UINT64_MAX;
	return 0;
}

static int take_context(struct model *m, const struct tti_context *context)
{
	struct tti_context *row = DEFINE(m, contexts, context_ids, context->id);

	*row = *context;
	return 0;
}

static int take_graph_exec(struct model *m, const struct tti_graph_exec *exec)
{
	struct tti_graph_exec *row = DEFINE(m, execs, exec_ids, exec->id);

	*row = *exec;
	/* Of several with CUPTI's same id any one will do. */
	if (!exec->cupti || id_map_find(&m->graph_ids, exec->cupti))
		return 0;
	return id_map_add(&m->graph_ids, exec->cupti, (uint32_t)(m->execs.nr - 1));
}

static int take_graph_node(struct model *m, const struct tti_graph_node *definition)
{
	struct graph_node *node = model_node(m, definition->node);

	if (!node)
		return 0;
	if (node->is_defined)
		m->problems[PROBLEM_redefined]++;
	node->is_defined = true;
	node->origin = definition->origin;
	node->graph = definition->graph;
	return 0;
}

static void take_count(struct model *m, const struct tti_count *count)
{
	if (count->counter >= TTI_COUNTER_LIMIT)
		return; /* of a newer writer */
	m->has_counter[count->counter] = true;
	m->counters[count->counter] = count->value;
}

int model_take(struct model *m, uint64_t kind, const union record_fields *fields)
{
	struct call call;

	switch (kind) {
	case TTI_RECORD_PROCESS:
		take_process(m, &fields->process);
		return 0;
	case TTI_RECORD_MARK:
		return windows_take(&m->windows, &fields->mark);
	case TTI_RECORD_INFO:
		return take_info(m, &fields->info);
	case TTI_RECORD_DEVICE:
		return take_device(m, &fields->device);
	case TTI_RECORD_STRING:
		return take_string(m, &fields->string);
	case TTI_RECORD_KERNEL:
		return take_kernel(m, &fields->kernel);
	case TTI_RECORD_TEMPLATE:
		return take_template(m, &fields->template);
	case TTI_RECORD_CONTEXT:
		return take_context(m, &fields->context);
	case TTI_RECORD_THREAD:
		m->nr_threads++;
		return 0;
	case TTI_RECORD_DEVICE_TEMPLATE:
		return take_device_template(m, &fields->device_template);
	case TTI_RECORD_GRAPH_NODE:
		return take_graph_node(m, &fields->graph_node);
	case TTI_RECORD_GRAPH_EXEC:
		return take_graph_exec(m, &fields->graph_exec);
	case TTI_RECORD_GEMM:
		call_of_gemm(&call, &fields->gemm);
		return take_call(m, &call, fields->gemm.api);
	case TTI_RECORD_CONVOLUTION:
		call_of_convolution(&call, &fields->convolution);
		return take_call(m, &call, fields->convolution.api);
	case TTI_RECORD_SDPA:
		call_of_sdpa(&call, &fields->sdpa);
		return take_call(m, &call, fields->sdpa.api);
	case TTI_RECORD_OPERATION:
		call_of_operation(&call, &fields->operation);
		return take_call(m, &call, fields->operation.api);
	case TTI_RECORD_PARAMETERS:
		return take_parameters(m, &fields->parameters);
	case TTI_RECORD_FRAME:
		return take_frame(m, &fields->frame);
	case TTI_RECORD_SYMBOL:
		return take_symbol(m, &fields->symbol);
	case TTI_RECORD_CODE:
		return take_code(m, &fields->code);
	case TTI_RECORD_PYTHON_FRAME:
		return take_python_frame(m, &fields->python_frame);
	case TTI_RECORD_OBJECT:
		return take_object(m, &fields->object);
	case TTI_RECORD_COUNT:
		take_count(m, &fields->count);
		return 0;
	case TTI_RECORD_FINISH:
		m->has_finish = true;
		m->finish = fields->finish;
		return 0;
	default:
		return 0;
	}
}

struct graph_node *model_node(struct model *m, uint64_t id)
{
	const uint32_t index = id_map_find(&m->node_ids, id);
	struct graph_node *node;

	if (index) {
		node = &m->nodes.rows[index];
		node->turn = m->node_turn;
		return node;
	}
	if (m->nodes.nr > NODES_MAX) {
		m->problems[PROBLEM_too_many]++;
		return NULL;
	}
	node = APPEND(m->nodes);
	if (!node || id_map_add(&m->node_ids, id, (uint32_t)(m->nodes.nr - 1)) < 0)
		return NULL;
	node->node = id;
	node->turn = m->node_turn;
	node->min_ns = UINT64_MAX;
	return node;
}

/* The node that a call created, this one or what it was cloned from; NULL: not known. */
static const struct graph_node *created_node(const struct model *m, const struct graph_node *node)
{
	/* The chain comes from the file: it may be a ring. */
	for (int i = 0; i < CLONES_MAX; i++) {
		uint32_t index;

		if (node->site)
			return node;
		index = node->origin ? id_map_find(&m->node_ids, node->origin) : 0;
		if (!index)
			return NULL;
		node = &m->nodes.rows[index];
	}
	return NULL;
}

bool model_has_many_nodes(const struct model *m)
{
	return m->nodes.nr >= m->nodes_kept + NODES_TURN;
}

/* Moves those that stay together; their indexes change, and the map with them. */
static int keep_nodes(struct model *m, size_t *ret_nr)
{
	struct id_map ids = { 0 };
	size_t nr = 1;

	for (size_t i = 1; i < m->nodes.nr; i++) {
		const struct graph_node node = m->nodes.rows[i];

		if (node.turn != m->node_turn)
			continue;
		if (id_map_add(&ids, node.node, (uint32_t)nr) < 0) {
			id_map_free(&ids);
			return -ENOMEM;
		}
		m->nodes.rows[nr++] = node;
	}
	id_map_free(&m->node_ids);
	m->node_ids = ids;
	*ret_nr = nr;
	return 0;
}

int model_forget_nodes(struct model *m, int (*settle)(const struct graph_node *node, void *of),
		       void *of)
{
	int r = 0;

	for (size_t i = 1; i < m->nodes.nr && r == 0; i++) {
		struct graph_node *node = &m->nodes.rows[i];
		const struct graph_node *created = created_node(m, node);

		/* What it was cloned from may go. */
		node->site = created ? created->site : 0;
		node->segment = created ? created->segment : 0;
		if (node->turn != m->node_turn)
			r = settle(node, of);
	}
	if (r == 0)
		r = keep_nodes(m, &m->nodes.nr);
	m->nodes_kept = m->nodes.nr;
	m->node_turn++;
	return r;
}

uint32_t model_node_creator(const struct model *m, const struct graph_node *node)
{
	const struct graph_node *created = created_node(m, node);

	return created ? created->site : 0;
}

uint32_t model_node_segment(const struct model *m, const struct graph_node *node)
{
	const struct graph_node *created = created_node(m, node);

	return created ? created->segment : 0;
}

struct launch_facts model_launch_facts(const struct model *m, uint32_t host_template,
				       uint32_t parameters)
{
	const struct host_template *h = &m->templates.rows[host_template];
	const struct tti_template *t = &h->definition;
	const struct parameters *p = &m->parameters.rows[parameters];
	const struct kernel *kernel = &m->kernels.rows[p->kernel];

	return (struct launch_facts){
		.name = h->work ? h->work->name->text : "",
		.grid = { t->grid_x, t->grid_y, t->grid_z },
		.block = { t->block_x, t->block_y, t->block_z },
		.layout = kernel->layout.values,
		.nr_layout = kernel->layout.size,
		.bytes = p->bytes,
		.nr_bytes = p->size,
	};
}

const char *model_info(const struct model *m, const char *key)
{
	for (size_t i = 0; i < m->infos.nr; i++)
		if (m->infos.rows[i].key && m->infos.rows[i].value &&
		    !strcmp(m->infos.rows[i].key->text, key))
			return m->infos.rows[i].value->text;
	return NULL;
}
