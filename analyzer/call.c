/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <inttypes.h>
#include <stdio.h>

static struct dims dims_of(struct tti_list list)
{
	struct dims d = { 0 };

	if (list.size > CALL_DIMS_MAX)
		return d;
	for (size_t i = 0; i < list.size; i++)
		d.v[d.nr++] = list.values[i];
	return d;
}

void call_of_gemm(struct call *ret, const struct tti_gemm *r)
{
	*ret = (struct call){
		.kind = CALL_GEMM,
		.id = r->id,
		.gemm = { .m = r->m,
			  .n = r->n,
			  .k = r->k,
			  .batch = r->batch ? r->batch : 1,
			  .transpose_a = r->transpose_a,
			  .transpose_b = r->transpose_b,
			  .compute = r->compute,
			  .epilogue = r->epilogue,
			  .ld_a = r->ld_a,
			  .ld_b = r->ld_b,
			  .ld_d = r->ld_d,
			  .type_a = type_by_cuda(r->type_a),
			  .type_b = type_by_cuda(r->type_b),
			  .type_c = type_by_cuda(r->type_c),
			  .type_d = type_by_cuda(r->type_d) },
	};
}

void call_of_convolution(struct call *ret, const struct tti_convolution *r)
{
	*ret = (struct call){
		.kind = CALL_CONVOLUTION,
		.id = r->id,
		.convolution = { .direction = r->direction,
				 .x = dims_of(r->x),
				 .w = dims_of(r->w),
				 .y = dims_of(r->y),
				 .x_strides = dims_of(r->x_strides),
				 .pads = dims_of(r->pads),
				 .strides = dims_of(r->strides),
				 .dilations = dims_of(r->dilations),
				 .type_x = type_by_cudnn(r->type_x),
				 .type_w = type_by_cudnn(r->type_w),
				 .type_y = type_by_cudnn(r->type_y),
				 .compute = r->compute },
	};
}

void call_of_sdpa(struct call *ret, const struct tti_sdpa *r)
{
	*ret = (struct call){
		.kind = CALL_SDPA,
		.id = r->id,
		.sdpa = { .q = dims_of(r->q),
			  .k = dims_of(r->k),
			  .v = dims_of(r->v),
			  .o = dims_of(r->o),
			  .type = type_by_cudnn(r->type),
			  .flags = r->flags,
			  .causal = r->causal != 0 },
	};
}

void call_of_operation(struct call *ret, const struct tti_operation *r)
{
	*ret = (struct call){
		.kind = CALL_OPERATION,
		.id = r->id,
		.operation = { .operations = dims_of(r->operations),
			       .x = dims_of(r->x),
			       .y = dims_of(r->y),
			       .modes = dims_of(r->modes),
			       .type = type_by_cudnn(r->type) },
	};
}

/* --- as text ---------------------------------------------------------------------------------- */

static void dims_text(const struct dims *d, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (uint32_t i = 0; i < d->nr && used < size; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s%" PRIu64, i ? "x" : "",
					 d->v[i]);
}

static void gemm_text(const struct gemm_problem *g, char *ret, size_t size)
{
	static const char ops[] = "NTC?";
	char batch[32] = "";

	if (g->batch > 1)
		snprintf(batch, sizeof(batch), " batch=%" PRIu64, g->batch);
	snprintf(ret, size, "gemm m=%" PRIu64 " n=%" PRIu64 " k=%" PRIu64 "%s %c%c %s", g->m, g->n,
		 g->k, batch, ops[g->transpose_a < 3 ? g->transpose_a : 3],
		 ops[g->transpose_b < 3 ? g->transpose_b : 3], type_name(g->type_a));
}

static void convolution_text(const struct convolution_problem *c, char *ret, size_t size)
{
	static const char *const directions[] = { "", " dgrad", " wgrad", " ?" };
	char x[96], w[96], y[96];

	dims_text(&c->x, x, sizeof(x));
	dims_text(&c->w, w, sizeof(w));
	dims_text(&c->y, y, sizeof(y));
	snprintf(ret, size, "convolution%s x=%s w=%s y=%s %s",
		 directions[c->direction < 3 ? c->direction : 3], x, w, y, type_name(c->type_x));
}

static void sdpa_text(const struct sdpa_problem *s, char *ret, size_t size)
{
	char q[96], k[96], v[96];

	dims_text(&s->q, q, sizeof(q));
	dims_text(&s->k, k, sizeof(k));
	dims_text(&s->v, v, sizeof(v));
	snprintf(ret, size, "sdpa q=%s k=%s v=%s %s", q, k, v, type_name(s->type));
}

static void operation_text(const struct operation_problem *o, char *ret, size_t size)
{
	char operations[96], x[96];

	dims_text(&o->operations, operations, sizeof(operations));
	dims_text(&o->x, x, sizeof(x));
	snprintf(ret, size, "operation %s x=%s %s", operations, x, type_name(o->type));
}

void call_text(const struct call *c, char *ret, size_t size)
{
	switch (c->kind) {
	case CALL_GEMM:
		gemm_text(&c->gemm, ret, size);
		return;
	case CALL_CONVOLUTION:
		convolution_text(&c->convolution, ret, size);
		return;
	case CALL_SDPA:
		sdpa_text(&c->sdpa, ret, size);
		return;
	case CALL_OPERATION:
		operation_text(&c->operation, ret, size);
		return;
	case CALL_NONE:
		break;
	}
	snprintf(ret, size, "(no library call)");
}
