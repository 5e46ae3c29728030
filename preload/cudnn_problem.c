/* SPDX-License-Identifier: Apache-2.0 */
#include "cudnn_problem.h"

#include <cublas_v2.h>
#include <cudnn.h>
#include <stdbool.h>
#include <string.h>

#include "ttitrace/record.h"

/* Of cudnnBackendDescriptorType_t; older headers lack it. */
#define OPERATION_SDPA_FORWARD 41u

/* tti_sdpa.flags */
enum { SDPA_RAGGED = 1, SDPA_HAS_LENGTHS = 2 };

struct graph {
	const struct descriptor *const *operations;
	uint32_t n;
};

static const struct descriptor *find(const struct graph *g, uint32_t type)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->operations[i]->type == type)
			return g->operations[i];
	return NULL;
}

static uint32_t count(const struct graph *g, uint32_t type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n; i++)
		n += g->operations[i]->type == type;
	return n;
}

static uint32_t convolution_id(uint32_t api, const struct graph *g, const struct descriptor *c,
			       uint32_t direction)
{
	const struct tensor *t = c->tensors;
	struct convolution_content content = {
		.kind = TTI_RECORD_CONVOLUTION,
		.api = api,
		.direction = direction,
		.type_x = t[ROLE_X].type,
		.type_w = t[ROLE_W].type,
		.type_y = t[ROLE_Y].type,
		.compute = c->compute,
		.x = t[ROLE_X].dims,
		.w = t[ROLE_W].dims,
		.y = t[ROLE_Y].dims,
		.x_strides = t[ROLE_X].strides,
		.y_strides = t[ROLE_Y].strides,
		.pads = c->pads,
		.post_pads = c->post_pads,
		.strides = c->strides,
		.dilations = c->dilations,
	};

	for (uint32_t i = 0; i < g->n; i++)
		if (g->operations[i]->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
			content.pointwise.values[content.pointwise.size++] = g->operations[i]->mode;
	return CALL_ID(&content);
}

/*
 * Lengths of the sequences of a batch, in a graph that masks by hand: whole numbers, one for each
 * of them, that some comparison reads.
 */
static bool has_lengths(const struct graph *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct tensor *t = &g->operations[i]->tensors[ROLE_W];
		const uint64_t *d = t->dims.values;

		if (g->operations[i]->has_lengths)
			return true;
		if (g->operations[i]->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR &&
		    !t->is_virtual && !t->is_by_value && t->dims.size == 4 &&
		    t->type == CUDNN_DATA_INT32 && d[1] == 1 && d[2] == 1 && d[3] == 1)
			return true;
	}
	return false;
}

static bool is_ragged(const struct graph *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		for (int role = 0; role < NR_TENSOR_ROLES; role++)
			if (g->operations[i]->tensors[role].is_ragged)
				return true;
	return false;
}

static void exchange_last(struct call_list *l)
{
	const uint64_t last = l->values[l->size - 1];

	l->values[l->size - 1] = l->values[l->size - 2];
	l->values[l->size - 2] = last;
}

static uint32_t sdpa_id(uint32_t api, const struct graph *g, const struct tensor *q,
			const struct tensor *k, const struct tensor *v, const struct tensor *o,
			bool is_product)
{
	struct sdpa_content content = {
		.kind = TTI_RECORD_SDPA,
		.api = api,
		.type = q->type,
		.flags = (is_ragged(g) ? SDPA_RAGGED : 0) | (has_lengths(g) ? SDPA_HAS_LENGTHS : 0),
		.q = q->dims,
		.k = k->dims,
		.v = v->dims,
		.o = o->dims,
	};
	const uint64_t *qs = q->dims.values, *ks = k->dims.values;

	/* As the second matrix of a product it is D, S; D is the one that Q has too. */
	if (is_product ||
	    (k->dims.size == 4 && q->dims.size == 4 && ks[3] != qs[3] && ks[2] == qs[3]))
		exchange_last(&content.k);
	return CALL_ID(&content);
}

/* Two products, the second of which takes what has the shape of the first one's result. */
static uint32_t chain_id(uint32_t api, const struct graph *g)
{
	const struct descriptor *first = NULL, *second = NULL;
	const struct tensor *c, *a;

	for (uint32_t i = 0; i < g->n; i++)
		if (g->operations[i]->type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) {
			first = first ? first : g->operations[i];
			second = g->operations[i];
		}
	c = &first->tensors[ROLE_Y];
	a = &second->tensors[ROLE_X];
	if (c->dims.size != 4 || first->tensors[ROLE_W].dims.size != 4 ||
	    memcmp(&c->dims, &a->dims, sizeof(c->dims)) != 0 || !c->is_virtual)
		return 0;
	return sdpa_id(api, g, &first->tensors[ROLE_X], &first->tensors[ROLE_W],
		       &second->tensors[ROLE_W], &second->tensors[ROLE_Y], true);
}

/* cudaDataType of a cudnnDataType_t. */
static uint32_t cuda_type(uint32_t type)
{
	static const uint8_t types[] = {
		[CUDNN_DATA_FLOAT] = CUDA_R_32F,
		[CUDNN_DATA_DOUBLE] = CUDA_R_64F,
		[CUDNN_DATA_HALF] = CUDA_R_16F,
		[CUDNN_DATA_INT8] = CUDA_R_8I,
		[CUDNN_DATA_INT32] = CUDA_R_32I,
		[CUDNN_DATA_UINT8] = CUDA_R_8U,
		[CUDNN_DATA_BFLOAT16] = CUDA_R_16BF,
		[CUDNN_DATA_INT64] = CUDA_R_64I,
		[CUDNN_DATA_FP8_E4M3] = 28 /* E4M3 */,
		[CUDNN_DATA_FP8_E5M2] = 29 /* E5M2 */,
		[16] = 33 /* FP4_E2M1 */,
	};

	return type < sizeof(types) ? types[type] : 0;
}

static uint32_t compute_type(uint32_t type)
{
	return type == CUDNN_DATA_HALF     ? CUBLAS_COMPUTE_16F
	       : type == CUDNN_DATA_DOUBLE ? CUBLAS_COMPUTE_64F
	       : type == CUDNN_DATA_INT32  ? CUBLAS_COMPUTE_32I
					   : CUBLAS_COMPUTE_32F;
}

/* The last dimension but `i`, 0: there is none. */
static uint64_t from_end(const struct call_list *l, uint64_t i)
{
	return i < l->size ? l->values[l->size - 1 - i] : 0;
}

/* Row major unless the last stride says that rows lie one element apart. */
static bool is_transposed(const struct tensor *t)
{
	return from_end(&t->strides, 0) != 1 && from_end(&t->strides, 1) == 1;
}

static int64_t leading(const struct tensor *t)
{
	return (int64_t)from_end(&t->strides, is_transposed(t) ? 0 : 1);
}

static uint32_t product_id(uint32_t api, const struct descriptor *p)
{
	const struct tensor *a = &p->tensors[ROLE_X], *b = &p->tensors[ROLE_W];
	const struct tensor *c = &p->tensors[ROLE_Y];
	struct gemm_content content = {
		.kind = TTI_RECORD_GEMM,
		.api = api,
		.m = (int64_t)from_end(&c->dims, 1),
		.n = (int64_t)from_end(&c->dims, 0),
		.k = (int64_t)from_end(&a->dims, 0),
		.batch = 1,
		.ld_a = leading(a),
		.ld_b = leading(b),
		.ld_d = leading(c),
		.transpose_a = is_transposed(a),
		.transpose_b = is_transposed(b),
		.type_a = cuda_type(a->type),
		.type_b = cuda_type(b->type),
		.type_c = cuda_type(c->type),
		.type_d = cuda_type(c->type),
		.compute = compute_type(p->compute),
		.epilogue = 1,
		.order = 1, /* CUBLASLT_ORDER_ROW */
	};

	for (uint64_t i = 2; i < c->dims.size; i++)
		content.batch *= (int64_t)from_end(&c->dims, i);
	return CALL_ID(&content);
}

/* The first tensor that goes in and the last that comes out. */
static uint32_t operation_id(uint32_t api, const struct graph *g)
{
	struct operation_content content = { .kind = TTI_RECORD_OPERATION, .api = api };

	for (uint32_t i = 0; i < g->n; i++) {
		const struct descriptor *d = g->operations[i];

		content.operations.values[i] = d->type;
		content.modes.values[i] = d->mode;
		if (!content.x.size) {
			content.x = d->tensors[ROLE_X].dims;
			content.type = d->tensors[ROLE_X].type;
		}
		if (d->tensors[ROLE_Y].dims.size)
			content.y = d->tensors[ROLE_Y].dims;
	}
	content.operations.size = content.modes.size = g->n;
	return CALL_ID(&content);
}

static uint32_t convolution_of(uint32_t api, const struct graph *g)
{
	static const uint32_t types[] = {
		/* by direction, as records.def has it */
		CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
		CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
		CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
	};

	for (uint32_t direction = 0; direction < 3; direction++) {
		const struct descriptor *c = find(g, types[direction]);

		if (c)
			return convolution_id(api, g, c, direction);
	}
	return 0;
}

static uint32_t attention_of(uint32_t api, const struct graph *g)
{
	const struct descriptor *s = find(g, OPERATION_SDPA_FORWARD);

	if (s)
		return sdpa_id(api, g, &s->tensors[ROLE_X], &s->tensors[ROLE_W],
			       &s->tensors[ROLE_V], &s->tensors[ROLE_Y], false);
	if (count(g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) == 2)
		return chain_id(api, g);
	return 0;
}

uint32_t problem_id(uint32_t api, const struct descriptor *const *operations, uint32_t n)
{
	const struct graph g = { .operations = operations, .n = n };
	uint32_t id = convolution_of(api, &g);

	if (!id)
		id = attention_of(api, &g);
	if (!id && count(&g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) == 1)
		id = product_id(api, find(&g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR));
	return id ? id : operation_id(api, &g);
}

uint32_t problem_without_shapes_id(uint32_t api, uint32_t call)
{
	static const struct {
		uint32_t kind, operation;
	} kinds[] = {
		{ TTI_RECORD_CONVOLUTION, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR },
		{ TTI_RECORD_SDPA, OPERATION_SDPA_FORWARD },
		{ TTI_RECORD_GEMM, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR },
	};
	struct operation_content content = { .kind = TTI_RECORD_OPERATION, .api = api };
	size_t size;
	const struct call_content *c = intern_content(INTERN_CALL, call, &size);

	if (!c)
		return 0;
	if (c->kind == TTI_RECORD_OPERATION) {
		content.operations = ((const struct operation_content *)c)->operations;
		content.modes = ((const struct operation_content *)c)->modes;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == c->kind)
			content.operations =
				(struct call_operations){ .size = 1,
							  .values = { kinds[i].operation } };
	return CALL_ID(&content);
}
