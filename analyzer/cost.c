/* SPDX-License-Identifier: Apache-2.0 */
#include "cost.h"

#include <string.h>

/* As if nothing were known, where the type is not. */
static double bytes_of(enum type t)
{
	return type_bytes(t);
}

static double product(const struct dims *d, uint32_t from)
{
	double p = 1;

	for (uint32_t i = from; i < d->nr; i++)
		p *= (double)d->v[i];
	return p;
}

static bool gemm_cost(const struct gemm_problem *g, struct cost *ret)
{
	const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
	const double batch = (double)g->batch;
	/* Row-major y = x W^T is column-major A = W; with a batch neither is a weight. */
	const double a = bytes_of(g->type_a) * m * k * batch;

	*ret = (struct cost){
		.flops = 2 * m * n * k * batch,
		.bytes = a + batch * (bytes_of(g->type_b) * k * n + bytes_of(g->type_d) * m * n),
		.parameter_bytes = g->batch == 1 ? a : 0,
		.type = g->type_a,
		.compute = g->compute,
	};
	return m > 0 && n > 0 && k > 0;
}

static bool convolution_cost(const struct convolution_problem *c, struct cost *ret)
{
	const double weights = bytes_of(c->type_w) * product(&c->w, 0);

	if (c->x.nr < 3 || c->w.nr != c->x.nr || c->y.nr != c->x.nr)
		return false;
	/* Of a transposed convolution y is what it reads: the products are the same. */
	*ret = (struct cost){
		.flops = 2 * product(&c->y, 0) * product(&c->w, 1),
		.bytes = bytes_of(c->type_x) * product(&c->x, 0) + weights +
			 bytes_of(c->type_y) * product(&c->y, 0),
		.parameter_bytes = weights,
		.type = c->type_x,
	};
	return ret->flops > 0;
}

static enum backend backend_of(const struct call *c)
{
	const char *api = c->api ? c->api->text : "";

#define SDPA_BACKEND(part, backend) \
	if (strstr(api, part))      \
		return BACKEND_##backend;
#include "sdpa_backends.def"
#undef SDPA_BACKEND
	return BACKEND_cudnn;
}

bool attention_of_sdpa(const struct call *c, struct attention *ret)
{
	const struct sdpa_problem *s = &c->sdpa;

	if (s->q.nr != 4 || s->k.nr != 4 || s->v.nr != 4)
		return false;
	*ret = (struct attention){
		.b = s->q.v[0],
		.h = s->q.v[1],
		.s_q = s->q.v[2],
		.d = s->q.v[3],
		.h_kv = s->k.v[1],
		.causal = s->causal,
		.type = s->type,
		.backend = backend_of(c),
		.exactness = s->flags ? EXACTNESS_upper_bound : EXACTNESS_exact,
	};
	/* K may stand transposed in the graph: its D is that of Q. */
	ret->s_k = s->k.v[3] == ret->d && s->v.v[2] == s->k.v[2] ? s->k.v[2] : s->v.v[2];
	ret->d_v = s->v.v[3];
	return ret->b && ret->h && ret->s_q && ret->s_k && ret->d;
}

bool cost_of_call(const struct call *c, struct cost *ret)
{
	struct attention a;

	switch (c->kind) {
	case CALL_GEMM:
		return gemm_cost(&c->gemm, ret);
	case CALL_CONVOLUTION:
		return convolution_cost(&c->convolution, ret);
	case CALL_SDPA:
		return attention_of_sdpa(c, &a) && cost_of_attention(&a, PART_none, ret);
	default:
		return false;
	}
}

static double fused_bytes(const struct attention *a, double e)
{
	const double q = (double)(a->b * a->h) * (double)a->s_q;
	const double k = (double)(a->b * a->h_kv) * (double)a->s_k;
	const double d = (double)a->d, d_v = (double)a->d_v;

	return e * (q * d + k * d + k * d_v + q * d_v);
}

bool cost_of_attention(const struct attention *a, enum attention_part part, struct cost *ret)
{
	const double rows = (double)a->b * (double)a->h * (double)a->s_q;
	const double scores = rows * (double)a->s_k;
	const double e = bytes_of(a->type);
	const double d = (double)a->d, d_v = (double)a->d_v;
	const double keys = (double)a->b * (double)a->h_kv * (double)a->s_k;

	if (a->exactness == EXACTNESS_unknown || scores <= 0 || d <= 0)
		return false;
	*ret = (struct cost){ .type = a->type };
	switch (part) {
	case PART_none:
		ret->flops = 2 * scores * (d + d_v);
		ret->bytes = fused_bytes(a, e);
		break;
	case PART_scores:
		ret->flops = 2 * scores * d;
		ret->bytes = e * (rows * d + keys * d + scores);
		break;
	case PART_softmax:
		ret->bytes = 2 * e * scores;
		break;
	case PART_values:
		ret->flops = 2 * scores * d_v;
		ret->bytes = e * (scores + keys * d_v + rows * d_v);
		break;
	}
	return true;
}
