/* SPDX-License-Identifier: Apache-2.0 */
/* fake_cublaslt.c - matrix products; long ones are split along k. */
#include "tests/fake/library/fake_library.h"

#include <cublasLt.h>
#include <stdlib.h>
#include <string.h>

/* Attributes lie in the opaque words by number; those beyond are not kept. */
static cublasStatus_t word_get(const uint64_t *words, size_t nr, unsigned int attribute, void *out,
			       size_t size, size_t *written)
{
	if (!words || attribute >= nr || size > 8)
		return CUBLAS_STATUS_INVALID_VALUE;
	memcpy(out, &words[attribute], size);
	if (written)
		*written = size;
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t word_set(uint64_t *words, size_t nr, unsigned int attribute, const void *in,
			       size_t size)
{
	if (!words || attribute >= nr || size > 8)
		return CUBLAS_STATUS_INVALID_VALUE;
	words[attribute] = 0;
	memcpy(&words[attribute], in, size);
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t l, size_t size,
							     cudaDataType type, uint64_t rows,
							     uint64_t cols, int64_t ld)
{
	memset(l, 0, size);
	l->data[CUBLASLT_MATRIX_LAYOUT_TYPE] = type;
	l->data[CUBLASLT_MATRIX_LAYOUT_ROWS] = rows;
	l->data[CUBLASLT_MATRIX_LAYOUT_COLS] = cols;
	l->data[CUBLASLT_MATRIX_LAYOUT_LD] = (uint64_t)ld;
	l->data[CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT] = 1;
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType type,
						      uint64_t rows, uint64_t cols, int64_t ld)
{
	*l = malloc(sizeof(**l));
	return cublasLtMatrixLayoutInit_internal(*l, sizeof(**l), type, rows, cols, ld);
}

FAKE_EXPORT cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
	free(l);
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l,
							    cublasLtMatrixLayoutAttribute_t a,
							    const void *in, size_t size)
{
	return word_set(l->data, 8, a, in, size);
}

FAKE_EXPORT cublasStatus_t cublasLtMatrixLayoutGetAttribute(cublasLtMatrixLayout_t l,
							    cublasLtMatrixLayoutAttribute_t a,
							    void *out, size_t size, size_t *written)
{
	return word_get(l->data, 8, a, out, size, written);
}

FAKE_EXPORT cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d,
						    cublasComputeType_t compute,
						    cudaDataType_t scale)
{
	*d = calloc(1, sizeof(**d));
	(*d)->data[CUBLASLT_MATMUL_DESC_COMPUTE_TYPE] = compute;
	(*d)->data[CUBLASLT_MATMUL_DESC_SCALE_TYPE] = scale;
	(*d)->data[CUBLASLT_MATMUL_DESC_EPILOGUE] = CUBLASLT_EPILOGUE_DEFAULT;
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
	free(d);
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
							  cublasLtMatmulDescAttributes_t a,
							  const void *in, size_t size)
{
	return word_set(d->data, 32, a, in, size);
}

FAKE_EXPORT cublasStatus_t cublasLtMatmulDescGetAttribute(cublasLtMatmulDesc_t d,
							  cublasLtMatmulDescAttributes_t a,
							  void *out, size_t size, size_t *written)
{
	return word_get(d->data, 32, a, out, size, written);
}

static cublasStatus_t matmul(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
			     cublasLtMatrixLayout_t d, CUstream stream)
{
	if (!operation || !a || !d)
		return CUBLAS_STATUS_INVALID_VALUE;
	const uint64_t rows = d->data[CUBLASLT_MATRIX_LAYOUT_ROWS];
	const uint64_t k = operation->data[CUBLASLT_MATMUL_DESC_TRANSA]
				   ? a->data[CUBLASLT_MATRIX_LAYOUT_ROWS]
				   : a->data[CUBLASLT_MATRIX_LAYOUT_COLS];
	bool ran = library_launch("nvjet_hsh_128x128_64x5_TNN", rows, 1, stream);
	if (k >= 4096)
		ran &= library_launch("splitKreduce_kernel", rows, 1, stream);
	return ran ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define MATMUL(operation, a, b, c, d) matmul(operation, a, d, s)
#define ASK(ret, sym, params, args)
#define HOOK(ret, sym, params, args, ...) \
	FAKE_EXPORT ret sym params        \
	{                                 \
		return __VA_ARGS__;       \
	}
#include "preload/hook_cublaslt.def"
