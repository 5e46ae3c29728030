/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_cublas.c - matrix products; those with long k go to cuBLASLt by its public entry point.
 * FAKE_VERSION is what the handles of one build are good for: another one refuses them.
 */
#include "tests/fake/library/fake_library.h"

#include <cublasLt.h>
#include <cublas_v2.h>
#include <stdlib.h>

#ifndef FAKE_VERSION
#define FAKE_VERSION 13
#endif

typedef struct __half __half;
typedef struct __nv_bfloat16 __nv_bfloat16;
#define HOOK(ret, sym, params, args, ...) ret sym params;
#include "preload/hook_cublas.def"
#undef HOOK

struct cublasContext {
	int version;
	CUstream stream;
};

FAKE_EXPORT cublasStatus_t cublasCreate_v2(cublasHandle_t *h)
{
	*h = calloc(1, sizeof(**h));
	(*h)->version = FAKE_VERSION;
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasSetStream_v2(cublasHandle_t h, cudaStream_t stream)
{
	h->stream = stream;
	return CUBLAS_STATUS_SUCCESS;
}

FAKE_EXPORT cublasStatus_t cublasDestroy_v2(cublasHandle_t h)
{
	free(h);
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t by_cublaslt(cublasHandle_t h, int64_t m, int64_t n, int64_t k)
{
	cublasLtMatrixLayoutOpaque_t a, b, d;
	cublasLtMatmulDesc_t operation = NULL;
	cublasLtMatrixLayoutInit(&a, CUDA_R_16F, (uint64_t)m, (uint64_t)k, m);
	cublasLtMatrixLayoutInit(&b, CUDA_R_16F, (uint64_t)k, (uint64_t)n, k);
	cublasLtMatrixLayoutInit(&d, CUDA_R_16F, (uint64_t)m, (uint64_t)n, m);
	cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F);
	const cublasStatus_t r = cublasLtMatmul(NULL, operation, NULL, NULL, &a, NULL, &b, NULL,
						NULL, &d, NULL, &d, NULL, NULL, 0, h->stream);
	cublasLtMatmulDescDestroy(operation);
	return r;
}

static cublasStatus_t product(cublasHandle_t h, int64_t m, int64_t n, int64_t k)
{
	if (!h || h->version != FAKE_VERSION)
		return CUBLAS_STATUS_NOT_INITIALIZED;
	if (m < 0 || n < 0 || k < 0)
		return CUBLAS_STATUS_INVALID_VALUE;
	if (k >= 4096)
		return by_cublaslt(h, m, n, k);
	return library_launch("fake_gemm", (uint64_t)m, (uint64_t)n, h->stream)
		       ? CUBLAS_STATUS_SUCCESS
		       : CUBLAS_STATUS_EXECUTION_FAILED;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define GEMM(ta, tb, m, n, k, ...)    product(h, m, n, k)
#define GEMV(t, m, n, ...)            product(h, m, 1, n)
#define GROUPED(ta, tb, m, n, k, ...) product(h, m[0], n[0], k[0])
#define HOOK(ret, sym, params, args, ...) \
	FAKE_EXPORT ret sym params        \
	{                                 \
		return __VA_ARGS__;       \
	}
#include "preload/hook_cublas.def"
