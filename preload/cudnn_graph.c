/* SPDX-License-Identifier: Apache-2.0 */
#include "cudnn_graph.h"

#include <stddef.h>
#include <string.h>

#include "cudnn_problem.h"
#include "descriptor.h"
#include "intern.h"
#include "life.h"

#define OPERATIONGRAPH_OPS 801u

enum keep { KEEP_NUMBER, KEEP_NUMBERS, KEEP_TENSOR, KEEP_PART, KEEP_MARK };

struct attribute {
	uint16_t number;
	uint8_t keep; /* enum keep */
	uint8_t role; /* enum tensor_role */
	uint32_t offset;
};

static const struct attribute attributes[] = {
#define NUMBER(number, name, field) { number, KEEP_NUMBER, 0, offsetof(struct descriptor, field) },
#define NUMBERS(number, name, field) \
	{ number, KEEP_NUMBERS, 0, offsetof(struct descriptor, field) },
#define TENSOR(number, name, role) { number, KEEP_TENSOR, role, 0 },
#define PART(number, name)         { number, KEEP_PART, 0, 0 },
#define MARK(number, name, field)  { number, KEEP_MARK, 0, offsetof(struct descriptor, field) },
#include "cudnn_attribute.def"
#undef NUMBER
#undef NUMBERS
#undef TENSOR
#undef PART
#undef MARK
};

static const struct attribute *attribute_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].number == number)
			return &attributes[i];
	return NULL;
}

/* Truth values have one byte, int64_t eight, enumerations and the rest four. */
static void keep_number(uint32_t *field, uint32_t type, const void *elements)
{
	if (type == CUDNN_TYPE_BOOLEAN)
		*field = *(const uint8_t *)elements;
	else if (type == CUDNN_TYPE_INT64)
		*field = (uint32_t) * (const int64_t *)elements;
	else
		*field = *(const uint32_t *)elements;
}

static void keep_numbers(struct call_list *field, int64_t count, const void *elements)
{
	field->size = (uint64_t)count < CALL_LIST_MAX ? (uint64_t)count : CALL_LIST_MAX;
	memset(field->values, 0, sizeof(field->values));
	memcpy(field->values, elements, field->size * sizeof(field->values[0]));
}

static void keep_part(struct descriptor *d, const struct descriptor *part)
{
	d->mode = part->mode;
	d->compute = part->compute;
	d->pads = part->pads;
	d->post_pads = part->post_pads;
	d->strides = part->strides;
	d->dilations = part->dilations;
}

static void keep(struct descriptor *d, const struct attribute *a, uint32_t type, int64_t count,
		 const void *elements)
{
	void *field = (char *)d + a->offset;
	const struct descriptor *other = NULL;

	if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
		other = descriptor_find(*(const cudnnBackendDescriptor_t *)elements);
	if (a->keep == KEEP_NUMBER)
		keep_number(field, type, elements);
	else if (a->keep == KEEP_NUMBERS && type == CUDNN_TYPE_INT64)
		keep_numbers(field, count, elements);
	else if (a->keep == KEEP_TENSOR && other)
		d->tensors[a->role] = other->tensors[ROLE_X];
	else if (a->keep == KEEP_PART && other)
		keep_part(d, other);
	else if (a->keep == KEEP_MARK)
		*(uint32_t *)field = 1;
}

static void keep_operations(struct descriptor *graph, uint32_t api, int64_t count,
			    const cudnnBackendDescriptor_t *handles)
{
	const struct descriptor *operations[CALL_OPERATIONS_MAX];
	uint32_t n = 0;

	for (int64_t i = 0; i < count && n < CALL_OPERATIONS_MAX; i++) {
		operations[n] = descriptor_find(handles[i]);
		n += operations[n] != NULL;
	}
	/* One that we do not know could be the one that matters. */
	if (n == count || n == CALL_OPERATIONS_MAX)
		graph->call = problem_id(api, operations, n);
}

/* From a graph to an engine, from there to a configuration, from there to a plan. */
static bool is_carrier(const struct descriptor *d)
{
	return d->type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR ||
	       d->type == CUDNN_BACKEND_ENGINE_DESCRIPTOR ||
	       d->type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR ||
	       d->type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR ||
	       d->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
}

void backend_created(cudnnStatus_t rc, uint32_t type, const cudnnBackendDescriptor_t *d)
{
	struct descriptor *known;

	if (rc != CUDNN_STATUS_SUCCESS || !life_may_record() || !intern_init())
		return;
	known = descriptor_add(*d);
	if (known)
		known->type = type;
}

void backend_destroyed(cudnnBackendDescriptor_t d)
{
	descriptor_remove(d);
}

void backend_set(cudnnStatus_t rc, uint32_t api, cudnnBackendDescriptor_t d, uint32_t attribute,
		 uint32_t type, int64_t count, const void *elements)
{
	struct descriptor *known = rc == CUDNN_STATUS_SUCCESS ? descriptor_find(d) : NULL;
	const struct attribute *a;

	if (!known || count < 1 || !elements)
		return;
	a = attribute_find(attribute);
	if (a) {
		keep(known, a, type, count, elements);
	} else if (attribute == OPERATIONGRAPH_OPS) {
		keep_operations(known, api, count, elements);
	} else if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR && is_carrier(known)) {
		const struct descriptor *from =
			descriptor_find(*(const cudnnBackendDescriptor_t *)elements);

		if (from && is_carrier(from) && from->call)
			known->call = from->call;
	}
}

/* A heuristic fills in configurations; nobody ever tells them what graph they are for. */
void backend_got(cudnnStatus_t rc, cudnnBackendDescriptor_t d, uint32_t type, int64_t requested,
		 const int64_t *count, const void *elements)
{
	const cudnnBackendDescriptor_t *handles = elements;
	const struct descriptor *known;
	int64_t n = count && *count < requested ? *count : requested;

	if (rc != CUDNN_STATUS_SUCCESS || type != CUDNN_TYPE_BACKEND_DESCRIPTOR || !elements)
		return;
	known = descriptor_find(d);
	for (int64_t i = 0; known && is_carrier(known) && known->call && i < n; i++) {
		struct descriptor *to = descriptor_find(handles[i]);

		if (to && is_carrier(to))
			to->call = known->call;
	}
}

uint32_t backend_plan_id(uint32_t api, cudnnBackendDescriptor_t plan,
			 cudnnBackendDescriptor_t variant_pack)
{
	const struct descriptor *p = descriptor_find(plan), *pack = descriptor_find(variant_pack);

	/* The plan's shapes do not hold for this execution. */
	if (p && pack && pack->is_overridden)
		return problem_without_shapes_id(api, p->call);
	return p ? p->call : 0;
}
