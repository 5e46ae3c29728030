/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activity.c - Runs in: the writer.
 *
 * The structs are those of CUPTI 12.0: later ones, up to 13.0, only append to them (the offsets
 * used here were compared), so one reader serves every version.
 */
#include "activity.h"

#include <cupti.h>
#include <string.h>

#include "activity_buffer.h"
#include "counter.h"
#include "cupti.h"
#include "cupti_share.h"
#include "identity.h"
#include "window.h"

/* The smallest record we ask for has more bytes than this. */
#define RECORD_BYTES_MIN    64u

#define TEMPLATES_OF_GRAPHS 65536u

/* CUPTI keeps one name per kernel: its address, checked, saves hashing the text for each row. */
#define NAME_SLOTS 4096u

static struct {
	const char *name;
	uint32_t id;
} names[NAME_SLOTS];

static bool is_text(uint32_t id, const char *text)
{
	size_t size;
	const char *known = intern_content(INTERN_STRING, id, &size);

	return known && strlen(text) == size && memcmp(known, text, size) == 0;
}

static uint32_t name_id(const char *name)
{
	const size_t slot = ((uintptr_t)name >> 4) * 0x9e3779b97f4a7c15u >> 52;

	if (!name)
		return 0;
	if (names[slot].name != name || !is_text(names[slot].id, name)) {
		names[slot].name = name;
		names[slot].id = string_id(name);
	}
	return names[slot].id;
}

/*
 * A program may make a new graph at every step.  Templates are for ever, so from some number of
 * them on they do not tell one graph from another; the node still does.
 */
static uint32_t template_id(const struct device_template_content *c)
{
	struct device_template_content of_any = *c;

	if (!c->graph || intern_last(INTERN_DEVICE_TEMPLATE) < TEMPLATES_OF_GRAPHS)
		return intern(INTERN_DEVICE_TEMPLATE, c, sizeof(*c));
	of_any.graph = 0;
	return intern(INTERN_DEVICE_TEMPLATE, &of_any, sizeof(of_any));
}

static void add(struct gpu_rows *rows, const struct device_template_content *c, uint64_t begin,
		uint64_t end, uint32_t correlation, uint64_t node)
{
	const uint32_t i = rows->nr_rows;

	if (!window_keeps(correlation))
		return;
	rows->nr_rows++;
	if (!begin || end < begin)
		counter_add_shared(TTI_COUNTER_NO_TIMESTAMP, 1);
	counter_add_shared(c->activity == TTI_ACTIVITY_KERNEL ? TTI_COUNTER_KERNEL_RECORDS
							      : TTI_COUNTER_COPY_RECORDS,
			   1);
	if (c->activity == TTI_ACTIVITY_KERNEL && node)
		counter_add_shared(TTI_COUNTER_NODE_RECORDS, 1);
	rows->column[tti_column_gpu_template][i] = template_id(c);
	rows->column[tti_column_gpu_duration_ns][i] = end < begin ? 0 : end - begin;
	rows->column[tti_column_gpu_begin_ns][i] = begin;
	rows->column[tti_column_gpu_correlation][i] = correlation;
	rows->column[tti_column_gpu_node][i] = node;
}

static void add_kernel(struct gpu_rows *rows, const CUpti_ActivityKernel8 *k)
{
	const struct device_template_content c = {
		.activity = TTI_ACTIVITY_KERNEL,
		.name = name_id(k->name),
		.device = k->deviceId,
		.context = k->contextId,
		.stream = k->streamId,
		.graph = k->graphId,
		.grid = { (uint32_t)k->gridX, (uint32_t)k->gridY, (uint32_t)k->gridZ },
		.block = { (uint32_t)k->blockX, (uint32_t)k->blockY, (uint32_t)k->blockZ },
		.static_shared_bytes = (uint32_t)k->staticSharedMemory,
		.dynamic_shared_bytes = (uint32_t)k->dynamicSharedMemory,
		.registers = k->registersPerThread,
		.local_bytes = k->localMemoryPerThread,
	};

	add(rows, &c, k->start, k->end, k->correlationId, k->graphNodeId);
}

/* The two records of copies have the same fields in other places. */
#define COPY_TEMPLATE(m)                                                                     \
	{                                                                                    \
		.activity = TTI_ACTIVITY_COPY, .bytes = (m)->bytes, .device = (m)->deviceId, \
		.context = (m)->contextId, .stream = (m)->streamId, .graph = (m)->graphId,   \
		.copy_kind = (m)->copyKind, .source_memory = (m)->srcKind,                   \
		.target_memory = (m)->dstKind                                                \
	}

static void add_copy(struct gpu_rows *rows, const CUpti_ActivityMemcpy5 *m)
{
	const struct device_template_content c = COPY_TEMPLATE(m);

	add(rows, &c, m->start, m->end, m->correlationId, m->graphNodeId);
}

static void add_peer_copy(struct gpu_rows *rows, const CUpti_ActivityMemcpyPtoP4 *m)
{
	const struct device_template_content c = COPY_TEMPLATE(m);

	add(rows, &c, m->start, m->end, m->correlationId, m->graphNodeId);
}

static void add_fill(struct gpu_rows *rows, const CUpti_ActivityMemset4 *m)
{
	const struct device_template_content c = {
		.activity = TTI_ACTIVITY_FILL,
		.bytes = m->bytes,
		.device = m->deviceId,
		.context = m->contextId,
		.stream = m->streamId,
		.graph = m->graphId,
		.target_memory = m->memoryKind,
	};

	add(rows, &c, m->start, m->end, m->correlationId, m->graphNodeId);
}

static void add_record(struct gpu_rows *rows, const CUpti_Activity *record)
{
	switch (record->kind) {
	case CUPTI_ACTIVITY_KIND_KERNEL:
	case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
		add_kernel(rows, (const void *)record);
		break;
	case CUPTI_ACTIVITY_KIND_MEMCPY:
		add_copy(rows, (const void *)record);
		break;
	case CUPTI_ACTIVITY_KIND_MEMCPY2:
		add_peer_copy(rows, (const void *)record);
		break;
	case CUPTI_ACTIVITY_KIND_MEMSET:
		add_fill(rows, (const void *)record);
		break;
	default:
		/* Another client of CUPTI has asked for more than we. */
		if (!share_is_shared())
			counter_add_shared(TTI_COUNTER_UNKNOWN_RECORD, 1);
	}
}

void activity_collect(struct gpu_rows *rows)
{
	size_t valid;

	for (uint8_t *buffer; (buffer = activity_buffer_take(&valid));) {
		void *record = NULL;

		if (valid / RECORD_BYTES_MIN > TTI_BATCH_ROWS_MAX - rows->nr_rows)
			break;
		while (rows->nr_rows < TTI_BATCH_ROWS_MAX &&
		       cupti_next_record(buffer, valid, &record))
			add_record(rows, record);
		activity_buffer_release(buffer);
	}
}
