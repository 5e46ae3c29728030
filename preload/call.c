/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - Runs in: the writer. */
#include "call.h"

#include "hook.h"
#include "identity.h"
#include "ttitrace/record.h"

#define LIST(list)                         \
	{                                  \
		(list).values, (list).size \
	}

static uint64_t api_string(uint32_t api)
{
	return string_id(hook_symbol(api));
}

static void put_gemm(struct tti_buffer *b, uint32_t id, const struct gemm_content *c)
{
	const struct tti_gemm r = {
		.id = id,
		.api = api_string(c->api),
		.m = (uint64_t)c->m,
		.n = (uint64_t)c->n,
		.k = (uint64_t)c->k,
		.batch = (uint64_t)c->batch,
		.transpose_a = c->transpose_a,
		.transpose_b = c->transpose_b,
		.type_a = c->type_a,
		.type_b = c->type_b,
		.type_c = c->type_c,
		.type_d = c->type_d,
		.compute = c->compute,
		.epilogue = c->epilogue,
		.order = c->order,
		.ld_a = (uint64_t)c->ld_a,
		.ld_b = (uint64_t)c->ld_b,
		.ld_d = (uint64_t)c->ld_d,
	};

	tti_put_record(b, TTI_RECORD_GEMM, &r);
}

static void put_convolution(struct tti_buffer *b, uint32_t id, const struct convolution_content *c)
{
	const struct tti_convolution r = {
		.id = id,
		.api = api_string(c->api),
		.direction = c->direction,
		.x = LIST(c->x),
		.w = LIST(c->w),
		.y = LIST(c->y),
		.x_strides = LIST(c->x_strides),
		.y_strides = LIST(c->y_strides),
		.pads = LIST(c->pads),
		.post_pads = LIST(c->post_pads),
		.strides = LIST(c->strides),
		.dilations = LIST(c->dilations),
		.type_x = c->type_x,
		.type_w = c->type_w,
		.type_y = c->type_y,
		.compute = c->compute,
		.pointwise = LIST(c->pointwise),
	};

	tti_put_record(b, TTI_RECORD_CONVOLUTION, &r);
}

static void put_sdpa(struct tti_buffer *b, uint32_t id, const struct sdpa_content *c)
{
	const struct tti_sdpa r = {
		.id = id,
		.api = api_string(c->api),
		.q = LIST(c->q),
		.k = LIST(c->k),
		.v = LIST(c->v),
		.o = LIST(c->o),
		.type = c->type,
		.flags = c->flags,
	};

	tti_put_record(b, TTI_RECORD_SDPA, &r);
}

static void put_operation(struct tti_buffer *b, uint32_t id, const struct operation_content *c)
{
	const struct tti_operation r = {
		.id = id,
		.api = api_string(c->api),
		.operations = LIST(c->operations),
		.x = LIST(c->x),
		.y = LIST(c->y),
		.type = c->type,
		.modes = LIST(c->modes),
	};

	tti_put_record(b, TTI_RECORD_OPERATION, &r);
}

void call_put(struct tti_buffer *b, uint32_t id, const void *content, size_t size)
{
	(void)size;
	switch (((const struct call_content *)content)->kind) {
	case TTI_RECORD_GEMM:
		put_gemm(b, id, content);
		break;
	case TTI_RECORD_CONVOLUTION:
		put_convolution(b, id, content);
		break;
	case TTI_RECORD_SDPA:
		put_sdpa(b, id, content);
		break;
	default:
		put_operation(b, id, content);
	}
}
