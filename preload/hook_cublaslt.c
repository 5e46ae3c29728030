/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cublaslt.c - matrix products by cuBLASLt, as a span with their problem.
 * Runs in: the application's thread.  No malloc, no lock, no system call, errno kept.
 *
 * The descriptors are opaque, live anywhere (also on the caller's stack) and change between
 * calls, so nothing is remembered about them: the library is asked.
 */
#include <cublasLt.h>

#include "call.h"
#include "hook.h"
#include "library.h"
#include "span.h"
#include "ttitrace/record.h"

struct real;

static uint32_t matmul_id(const struct real *lib, uint32_t id, cublasLtMatmulDesc_t operation,
			  cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
			  cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d);

#define MATMUL(operation, a, b, c, d) SPAN(matmul_id(lib, id, operation, a, b, c, d))

static struct library copies;

#define FAMILY       cublaslt
#define HOOK_DEF     "hook_cublaslt.def"
#define SONAMES      "libcublasLt.so"
#define PREFIX       "cublasLt"
#define ABSENT       CUBLAS_STATUS_NOT_SUPPORTED
#define COPIES       LIBRARY_COPIES
#define LIBRARY      &copies
#define COPY_OF(row) library_copy(&family_cublaslt, &copies, row, __builtin_return_address(0))
#include "hook_family.inc"

/* What cannot be read is 0, as is everything of a layout that is not there. */
static uint32_t operation_u32(const struct real *lib, cublasLtMatmulDesc_t d,
			      cublasLtMatmulDescAttributes_t attribute)
{
	uint32_t value = 0;
	size_t written;

	if (!d ||
	    lib->cublasLtMatmulDescGetAttribute(d, attribute, &value, sizeof(value), &written))
		return 0;
	return value;
}

static uint32_t layout_u32(const struct real *lib, cublasLtMatrixLayout_t l,
			   cublasLtMatrixLayoutAttribute_t attribute)
{
	uint32_t value = 0;
	size_t written;

	if (!l ||
	    lib->cublasLtMatrixLayoutGetAttribute(l, attribute, &value, sizeof(value), &written))
		return 0;
	return value;
}

static int64_t layout_i64(const struct real *lib, cublasLtMatrixLayout_t l,
			  cublasLtMatrixLayoutAttribute_t attribute)
{
	int64_t value = 0;
	size_t written;

	if (!l ||
	    lib->cublasLtMatrixLayoutGetAttribute(l, attribute, &value, sizeof(value), &written))
		return 0;
	return value;
}

static uint32_t matmul_id(const struct real *lib, uint32_t id, cublasLtMatmulDesc_t operation,
			  cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
			  cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d)
{
	const uint32_t transpose_a = operation_u32(lib, operation, CUBLASLT_MATMUL_DESC_TRANSA);
	const struct gemm_content content = {
		.kind = TTI_RECORD_GEMM,
		.api = HOOK_API(HOOK_CUBLASLT, id),
		.m = layout_i64(lib, d, CUBLASLT_MATRIX_LAYOUT_ROWS),
		.n = layout_i64(lib, d, CUBLASLT_MATRIX_LAYOUT_COLS),
		.k = layout_i64(lib, a,
				transpose_a == CUBLAS_OP_N ? CUBLASLT_MATRIX_LAYOUT_COLS
							   : CUBLASLT_MATRIX_LAYOUT_ROWS),
		.batch = layout_u32(lib, d, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT),
		.ld_a = layout_i64(lib, a, CUBLASLT_MATRIX_LAYOUT_LD),
		.ld_b = layout_i64(lib, b, CUBLASLT_MATRIX_LAYOUT_LD),
		.ld_d = layout_i64(lib, d, CUBLASLT_MATRIX_LAYOUT_LD),
		.transpose_a = transpose_a,
		.transpose_b = operation_u32(lib, operation, CUBLASLT_MATMUL_DESC_TRANSB),
		.type_a = layout_u32(lib, a, CUBLASLT_MATRIX_LAYOUT_TYPE),
		.type_b = layout_u32(lib, b, CUBLASLT_MATRIX_LAYOUT_TYPE),
		.type_c = layout_u32(lib, c, CUBLASLT_MATRIX_LAYOUT_TYPE),
		.type_d = layout_u32(lib, d, CUBLASLT_MATRIX_LAYOUT_TYPE),
		.compute = operation_u32(lib, operation, CUBLASLT_MATMUL_DESC_COMPUTE_TYPE),
		.epilogue = operation_u32(lib, operation, CUBLASLT_MATMUL_DESC_EPILOGUE),
		.order = layout_u32(lib, d, CUBLASLT_MATRIX_LAYOUT_ORDER),
	};

	return CALL_ID(&content);
}
