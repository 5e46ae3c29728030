/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cublas.c - matrix products by cuBLAS, as a span with their problem.
 * Runs in: the application's thread.  No malloc, no lock, no system call, errno kept.  alpha and
 * beta may be device pointers, and so may the arrays of matrices: none is read.
 */
#include <cublas_v2.h>

#include "call.h"
#include "hook.h"
#include "library.h"
#include "span.h"
#include "ttitrace/record.h"

/*
 * cublas_v2.h shows C++ alone the entry points with these types.  They are declared from the
 * rows; where the header declares one too, the two must agree.
 */
typedef struct __half __half;
typedef struct __nv_bfloat16 __nv_bfloat16;
#define HOOK(ret, sym, params, args, ...) ret sym params;
#include "hook_cublas.def"
#undef HOOK

/* What an array of groups has in all places, 0: it differs. */
static int64_t common(const void *array, size_t element_bytes, int64_t n)
{
	const int32_t *narrow = array;
	const int64_t *wide = array;
	int64_t value = 0;

	for (int64_t i = 0; i < n; i++) {
		const int64_t v = element_bytes == sizeof(*wide) ? wide[i] : narrow[i];

		if (i && v != value)
			return 0;
		value = v;
	}
	return value;
}

static int64_t sum(const void *array, size_t element_bytes, int64_t n)
{
	const int32_t *narrow = array;
	const int64_t *wide = array;
	int64_t total = 0;

	for (int64_t i = 0; i < n; i++)
		total += element_bytes == sizeof(*wide) ? wide[i] : narrow[i];
	return total;
}

#define GEMM(ta_, tb_, m_, n_, k_, batch_, a_, b_, c_, compute_, lda_, ldb_, ldc_)    \
	SPAN(CALL_ID((&(const struct gemm_content){ .kind = TTI_RECORD_GEMM,          \
						    .api = HOOK_API(HOOK_CUBLAS, id), \
						    .m = (m_),                        \
						    .n = (n_),                        \
						    .k = (k_),                        \
						    .batch = (batch_),                \
						    .ld_a = (lda_),                   \
						    .ld_b = (ldb_),                   \
						    .ld_d = (ldc_),                   \
						    .transpose_a = (uint32_t)(ta_),   \
						    .transpose_b = (uint32_t)(tb_),   \
						    .type_a = (uint32_t)(a_),         \
						    .type_b = (uint32_t)(b_),         \
						    .type_c = (uint32_t)(c_),         \
						    .type_d = (uint32_t)(c_),         \
						    .compute = (uint32_t)(compute_),  \
						    .epilogue = 1 })))

/* y = op(A) x is a product with one column; the increments are the distances of its elements. */
#define GEMV(t, m, n, batch, a, x, y, compute, lda, incx, incy)                                 \
	GEMM(t, CUBLAS_OP_N, (t) == CUBLAS_OP_N ? (m) : (n), 1, (t) == CUBLAS_OP_N ? (n) : (m), \
	     batch, a, x, y, compute, lda, incx, incy)

/* Groups that differ in a number have 0 there; the batch counts all products. */
#define SAME(array) common(array, sizeof(*(array)), nr_groups)
#define GROUPED(ta, tb, m, n, k, sizes, a, b, c, compute, lda, ldb, ldc)                      \
	GEMM(SAME(ta), SAME(tb), SAME(m), SAME(n), SAME(k),                                   \
	     sum(sizes, sizeof(*(sizes)), nr_groups), a, b, c, compute, SAME(lda), SAME(ldb), \
	     SAME(ldc))

static struct library copies;

#define FAMILY       cublas
#define HOOK_DEF     "hook_cublas.def"
#define SONAMES      "libcublas.so"
#define PREFIX       "cublas"
#define ABSENT       CUBLAS_STATUS_NOT_SUPPORTED
#define COPIES       LIBRARY_COPIES
#define LIBRARY      &copies
#define COPY_OF(row) library_copy(&family_cublas, &copies, row, __builtin_return_address(0))
#include "hook_family.inc"
