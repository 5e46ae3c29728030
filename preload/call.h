/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - the problem of a library call, as it is interned: INTERN_CALL.  intern() compares
 * bytewise, so there is no padding, and what is unused is 0.
 */
#ifndef PRELOAD_CALL_H
#define PRELOAD_CALL_H

#include <stdint.h>

#include "intern.h"
#include "ttitrace/encode.h"

/* Every kind begins so. */
struct call_content {
	uint32_t kind; /* TTI_RECORD_GEMM, _CONVOLUTION, _SDPA, _OPERATION */
	uint32_t api;  /* HOOK_API */
};

struct gemm_content {
	uint32_t kind, api;
	int64_t m, n, k, batch;
	int64_t ld_a, ld_b, ld_d;
	uint32_t transpose_a, transpose_b;
	uint32_t type_a, type_b, type_c, type_d;
	uint32_t compute, epilogue, order, zero;
};
_Static_assert(sizeof(struct gemm_content) == 104, "no padding");

#define CALL_LIST_MAX 8u

struct call_list {
	uint64_t size;
	uint64_t values[CALL_LIST_MAX];
};

/* One number for each operation of a graph; what is beyond is left out. */
#define CALL_OPERATIONS_MAX 32u

struct call_operations {
	uint64_t size;
	uint64_t values[CALL_OPERATIONS_MAX];
};

struct convolution_content {
	uint32_t kind, api;
	uint32_t direction;
	uint32_t type_x, type_w, type_y, compute, zero;
	struct call_list x, w, y, x_strides, y_strides;
	struct call_list pads, post_pads, strides, dilations;
	struct call_operations pointwise;
};

struct sdpa_content {
	uint32_t kind, api;
	uint32_t type, flags;
	struct call_list q, k, v, o;
};

struct operation_content {
	uint32_t kind, api;
	uint32_t type, zero;
	struct call_list x, y;
	struct call_operations operations, modes;
};

/* The id of a problem, 0: the tables are full. */
#define CALL_ID(content) intern(INTERN_CALL, content, sizeof(*(content)))

/* Writer: the record of an interned problem. */
void call_put(struct tti_buffer *b, uint32_t id, const void *content, size_t size);

#endif
