/* SPDX-License-Identifier: Apache-2.0 */
#include "op_problem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Columns of op_problems.def. */
enum { NONE = -1, ALWAYS = -2 };

/* Beyond any tensor: products of a few of them stay below 2^64. */
#define DIM_MAX (1ull << 40)

struct op_row {
	const char *name;
	enum call_kind kind;
	int a, b, type;                                            /* GEMM_OP */
	bool b_is_rows;                                            /* GEMM_OP */
	int stride, padding, dilation, transposed, output_padding; /* CONVOLUTION_OP */
	int heads, sequence, causal;                               /* ATTENTION_OP */
};

static const struct op_row op_rows[] = {
#define GEMM_OP(in_name, in_a, in_b, in_b_is_rows, in_type) \
	{ .name = in_name,                                  \
	  .kind = CALL_GEMM,                                \
	  .a = in_a,                                        \
	  .b = in_b,                                        \
	  .b_is_rows = in_b_is_rows,                        \
	  .type = in_type },
#define CONVOLUTION_OP(in_name, in_stride, in_padding, in_dilation, in_transposed, in_output) \
	{ .name = in_name,                                                                    \
	  .kind = CALL_CONVOLUTION,                                                           \
	  .stride = in_stride,                                                                \
	  .padding = in_padding,                                                              \
	  .dilation = in_dilation,                                                            \
	  .transposed = in_transposed,                                                        \
	  .output_padding = in_output },
#define ATTENTION_OP(in_name, in_heads, in_sequence, in_causal) \
	{ .name = in_name,                                      \
	  .kind = CALL_SDPA,                                    \
	  .heads = in_heads,                                    \
	  .sequence = in_sequence,                              \
	  .causal = in_causal },
#include "op_problems.def"
#undef GEMM_OP
#undef CONVOLUTION_OP
#undef ATTENTION_OP
};

/* c10::ScalarType as its numbers stand among an operation's inputs, and as it is written. */
static const struct {
	const char *text;
	int number; /* NONE: it is not the type of a result */
	enum type type;
} op_types[] = {
	{ "float", 6, TYPE_f32 },
	{ "c10::Half", 5, TYPE_f16 },
	{ "c10::BFloat16", 15, TYPE_bf16 },
	{ "double", 7, TYPE_f64 },
	{ "signed char", NONE, TYPE_i8 },
	{ "unsigned char", NONE, TYPE_u8 },
	{ "int", 3, TYPE_i32 },
	{ "c10::Float8_e4m3fn", 24, TYPE_f8e4m3 },
	{ "c10::Float8_e4m3fnuz", NONE, TYPE_f8e4m3 },
	{ "c10::Float8_e5m2", 23, TYPE_f8e5m2 },
	{ "c10::Float8_e5m2fnuz", NONE, TYPE_f8e5m2 },
	{ "c10::complex<float>", NONE, TYPE_c32 },
	{ "c10::complex<double>", NONE, TYPE_c64 },
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum type op_type(const char *text, size_t size)
{
	for (size_t i = 0; i < LENGTH(op_types); i++)
		if (strlen(op_types[i].text) == size && !memcmp(op_types[i].text, text, size))
			return op_types[i].type;
	return TYPE_none;
}

static const struct op_row *find_row(const char *name)
{
	for (size_t i = 0; i < LENGTH(op_rows); i++)
		if (!strcmp(op_rows[i].name, name))
			return &op_rows[i];
	return NULL;
}

bool op_has_problem(const char *name)
{
	return find_row(name) != NULL;
}

uint64_t op_problem_record(enum call_kind kind)
{
	switch (kind) {
	case CALL_GEMM:
		return TTI_RECORD_GEMM;
	case CALL_CONVOLUTION:
		return TTI_RECORD_CONVOLUTION;
	default:
		return TTI_RECORD_SDPA;
	}
}

/* --- inputs ----------------------------------------------------------------------------------- */

static const struct op_input *input(const struct op_facts *facts, int index)
{
	return index >= 0 && (uint32_t)index < facts->nr_inputs ? &facts->inputs[index] : NULL;
}

static bool has_honest_dims(const struct op_input *in, uint32_t min, uint32_t max)
{
	if (!in || in->nr_dims < min || in->nr_dims > max || !in->type)
		return false;
	for (uint32_t i = 0; i < in->nr_dims; i++)
		if (!in->dims[i] || in->dims[i] > DIM_MAX)
			return false;
	return true;
}

/* "[1, 2]", or one number; how many, 0 if there is anything else. */
static uint32_t parse_list(const char *text, uint64_t *ret, uint32_t max)
{
	uint32_t nr = 0;

	for (text += *text == '['; nr < max;) {
		char *end;

		errno = 0;
		ret[nr] = strtoull(text, &end, 10);
		if (end == text || errno || *text == '-' || ret[nr] > DIM_MAX)
			return 0;
		nr++;
		text = end + strspn(end, ", ");
		if (!*text || *text == ']')
			return nr;
	}
	return 0;
}

/* One number for each spatial dimension. */
static bool spatial_list(const struct op_facts *facts, int index, uint32_t nr, uint64_t *ret)
{
	const struct op_input *in = input(facts, index);
	const uint32_t given = in ? parse_list(in->concrete, ret, nr) : 0;

	for (uint32_t i = given; given == 1 && i < nr; i++)
		ret[i] = ret[0];
	return given == nr || given == 1;
}

static bool is_true(const struct op_facts *facts, int index)
{
	const struct op_input *in = input(facts, index);

	return index == ALWAYS || (in && !strcmp(in->concrete, "True"));
}

static struct tti_list put_list(struct op_problem *p, size_t index, const uint64_t *values,
				uint32_t nr)
{
	memcpy(p->lists[index], values, nr * sizeof(*values));
	return (struct tti_list){ .values = p->lists[index], .size = nr };
}

/* --- matrix products -------------------------------------------------------------------------- */

struct matrix {
	uint64_t rows, columns, batch, leading;
	bool is_transposed; /* its columns are in one piece in memory */
};

static struct matrix matrix_of(const struct op_input *in, bool is_swapped)
{
	const uint32_t last = in->nr_dims - 1;
	struct matrix m = { .rows = in->dims[last - 1], .columns = in->dims[last], .batch = 1 };

	for (uint32_t i = 0; i + 2 < in->nr_dims; i++)
		m.batch *= in->dims[i];
	m.leading = m.columns;
	if (in->nr_strides == in->nr_dims) {
		m.is_transposed = in->strides[last] != 1 && in->strides[last - 1] == 1;
		m.leading = in->strides[m.is_transposed ? last : last - 1];
	}
	if (is_swapped) {
		const uint64_t rows = m.rows;

		m.rows = m.columns;
		m.columns = rows;
		m.is_transposed = !m.is_transposed;
	}
	return m;
}

static enum type result_type(const struct op_facts *facts, int index, enum type type)
{
	const struct op_input *in = input(facts, index);

	for (size_t i = 0; in && in->concrete[0] && i < LENGTH(op_types); i++)
		if (op_types[i].number == strtol(in->concrete, NULL, 10))
			return op_types[i].type;
	return type;
}

/* Row-major A B is column-major B^T A^T: B comes first, and stands as it is. */
static void make_gemm(const struct op_row *row, const struct op_facts *facts,
		      struct op_problem *ret)
{
	const struct op_input *const in_a = input(facts, row->a), *const in_b =
									  input(facts, row->b);
	struct matrix a, b;
	enum type type_d;

	if (!has_honest_dims(in_a, 2, 4) || !has_honest_dims(in_b, 2, 4))
		return;
	a = matrix_of(in_a, false);
	b = matrix_of(in_b, row->b_is_rows);
	if (row->b_is_rows) {
		a.rows *= a.batch;
		a.batch = 1;
	}
	type_d = result_type(facts, row->type, in_a->type);
	if (a.columns != b.rows || a.batch != b.batch)
		return;
	ret->kind = CALL_GEMM;
	ret->gemm = (struct tti_gemm){
		.m = b.columns,
		.n = a.rows,
		.k = a.columns,
		.batch = a.batch,
		.transpose_a = b.is_transposed,
		.transpose_b = a.is_transposed,
		.type_a = type_to_cuda(in_b->type),
		.type_b = type_to_cuda(in_a->type),
		.type_c = type_to_cuda(type_d),
		.type_d = type_to_cuda(type_d),
		.epilogue = 1,
		.ld_a = b.leading,
		.ld_b = a.leading,
		.ld_d = b.columns,
	};
}

/* --- convolutions ----------------------------------------------------------------------------- */

struct spatial {
	uint64_t stride[OP_DIMS_MAX], padding[OP_DIMS_MAX], dilation[OP_DIMS_MAX];
	uint64_t output_padding[OP_DIMS_MAX];
	bool is_transposed;
};

/* 0: nothing would come out. */
static uint64_t output_size(const struct spatial *s, uint32_t i, uint64_t x, uint64_t w)
{
	const uint64_t reach = s->dilation[i] * (w - 1) + 1, padded = x + 2 * s->padding[i];
	uint64_t all;

	if (!s->is_transposed)
		return s->stride[i] && padded >= reach ? (padded - reach) / s->stride[i] + 1 : 0;
	all = (x - 1) * s->stride[i] + reach + s->output_padding[i];
	return all > 2 * s->padding[i] ? all - 2 * s->padding[i] : 0;
}

static bool read_spatial(const struct op_row *row, const struct op_facts *facts, uint32_t nr,
			 struct spatial *ret)
{
	*ret = (struct spatial){ .is_transposed = is_true(facts, row->transposed) };
	return spatial_list(facts, row->stride, nr, ret->stride) &&
	       spatial_list(facts, row->padding, nr, ret->padding) &&
	       spatial_list(facts, row->dilation, nr, ret->dilation) &&
	       (!ret->is_transposed ||
		spatial_list(facts, row->output_padding, nr, ret->output_padding));
}

/* w is (outputs, inputs by group), of a transposed one (inputs, outputs by group). */
static bool make_result(const struct spatial *s, const struct op_input *x, const struct op_input *w,
			uint64_t *ret)
{
	const uint64_t inputs = s->is_transposed ? w->dims[0] : w->dims[1];

	if (x->dims[1] % inputs)
		return false;
	ret[0] = x->dims[0];
	ret[1] = s->is_transposed ? w->dims[1] * (x->dims[1] / inputs) : w->dims[0];
	if (s->is_transposed && x->dims[1] == inputs)
		ret[1] = w->dims[1]; /* with groups more: those stand among the inputs alone */
	for (uint32_t i = 2; i < x->nr_dims; i++) {
		ret[i] = output_size(s, i - 2, x->dims[i], w->dims[i]);
		if (!ret[i] || ret[i] > DIM_MAX)
			return false;
	}
	return true;
}

static void make_convolution(const struct op_row *row, const struct op_facts *facts,
			     struct op_problem *ret)
{
	const struct op_input *const x = input(facts, 0), *const w = input(facts, 1);
	uint64_t y[OP_DIMS_MAX];
	struct spatial s;
	uint32_t nr;

	if (!has_honest_dims(x, 3, 5) || !has_honest_dims(w, x->nr_dims, x->nr_dims))
		return;
	nr = x->nr_dims - 2;
	if (!read_spatial(row, facts, nr, &s) || !make_result(&s, x, w, y))
		return;
	ret->kind = CALL_CONVOLUTION;
	/* A transposed one is the gradient of one whose y is its input. */
	ret->convolution = (struct tti_convolution){
		.direction = s.is_transposed,
		.x = put_list(ret, 0, s.is_transposed ? y : x->dims, x->nr_dims),
		.w = put_list(ret, 1, w->dims, x->nr_dims),
		.y = put_list(ret, 2, s.is_transposed ? x->dims : y, x->nr_dims),
		.pads = put_list(ret, 3, s.padding, nr),
		.post_pads = put_list(ret, 3, s.padding, nr),
		.strides = put_list(ret, 4, s.stride, nr),
		.dilations = put_list(ret, 5, s.dilation, nr),
		.type_x = type_to_cudnn(x->type),
		.type_w = type_to_cudnn(w->type),
		.type_y = type_to_cudnn(x->type),
	};
	if (!s.is_transposed && x->nr_strides == x->nr_dims)
		ret->convolution.x_strides = put_list(ret, 6, x->strides, x->nr_dims);
}

/* --- attention -------------------------------------------------------------------------------- */

static struct tti_list bhsd(const struct op_row *row, struct op_problem *p, size_t index,
			    const struct op_input *in)
{
	const uint64_t dims[] = { in->dims[0], in->dims[row->heads], in->dims[row->sequence],
				  in->dims[3] };

	return put_list(p, index, dims, 4);
}

static void make_attention(const struct op_row *row, const struct op_facts *facts,
			   struct op_problem *ret)
{
	const struct op_input *in[3];
	struct tti_list q, k, v;

	for (int i = 0; i < 3; i++) {
		in[i] = input(facts, i);
		if (!has_honest_dims(in[i], 4, 4))
			return;
	}
	q = bhsd(row, ret, 0, in[0]);
	k = bhsd(row, ret, 1, in[1]);
	v = bhsd(row, ret, 2, in[2]);
	if (q.values[3] != k.values[3] || k.values[2] != v.values[2] || k.values[1] != v.values[1])
		return;
	ret->kind = CALL_SDPA;
	ret->sdpa = (struct tti_sdpa){
		.q = q,
		.k = k,
		.v = v,
		.o = put_list(ret, 3,
			      (uint64_t[]){ q.values[0], q.values[1], q.values[2], v.values[3] },
			      4),
		.type = type_to_cudnn(in[0]->type),
		.causal = is_true(facts, row->causal),
	};
}

void op_problem_make(const char *name, const struct op_facts *facts, struct op_problem *ret)
{
	const struct op_row *row = find_row(name);

	memset(ret, 0, sizeof(*ret)); /* padding too: problems are compared as bytes */
	if (!row)
		return;
	if (row->kind == CALL_GEMM)
		make_gemm(row, facts, ret);
	else if (row->kind == CALL_CONVOLUTION)
		make_convolution(row, facts, ret);
	else
		make_attention(row, facts, ret);
}
