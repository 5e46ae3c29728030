/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - the problem of a library call, kept after its record is gone. */
#ifndef ANALYZER_CALL_H
#define ANALYZER_CALL_H

#include <stdbool.h>

#include "names.h"
#include "ttitrace/record.h"
#include "types.h"

enum { CALL_DIMS_MAX = 8 };

enum call_kind { CALL_NONE, CALL_GEMM, CALL_CONVOLUTION, CALL_SDPA, CALL_OPERATION };

struct dims {
	uint32_t nr; /* 0 also where the record had more than CALL_DIMS_MAX */
	uint64_t v[CALL_DIMS_MAX];
};

struct gemm_problem {
	uint64_t m, n, k, batch;
	uint64_t transpose_a, transpose_b, compute, epilogue, ld_a, ld_b, ld_d;
	enum type type_a, type_b, type_c, type_d;
};

struct convolution_problem {
	uint64_t direction;
	struct dims x, w, y, x_strides, pads, strides, dilations;
	enum type type_x, type_w, type_y;
	uint64_t compute;
};

struct sdpa_problem {
	struct dims q, k, v, o;
	enum type type;
	uint64_t flags;
	bool causal;
};

struct operation_problem {
	struct dims operations, x, y, modes;
	enum type type;
};

struct call {
	enum call_kind kind; /* all zero: not a call */
	uint64_t id;
	const struct name *api;
	union {
		struct gemm_problem gemm;
		struct convolution_problem convolution;
		struct sdpa_problem sdpa;
		struct operation_problem operation;
	};
};

void call_of_gemm(struct call *ret, const struct tti_gemm *record);
void call_of_convolution(struct call *ret, const struct tti_convolution *record);
void call_of_sdpa(struct call *ret, const struct tti_sdpa *record);
void call_of_operation(struct call *ret, const struct tti_operation *record);

/* The problem in one line: "gemm m=320 n=8192 k=320 f16"; cut where it is longer. */
void call_text(const struct call *c, char *ret, size_t size);

#endif
