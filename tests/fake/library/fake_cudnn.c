/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_cudnn.c - backend descriptors as far as plans need them, and convolutions without plans.
 * Built as libcudnn_graph.so.9: programs see fake_cudnn_shim.c in front of it.
 */
#include "tests/fake/library/fake_library.h"

#include <cublasLt.h>
#include <cudnn.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* What a plan will do, collected from the operations on the way. */
struct work {
	uint32_t convolutions, products, attentions;
	uint64_t mark; /* second dimension of the first tensor: becomes the grid */
};

struct backend {
	uint32_t type;
	bool is_final;
	int64_t dims[CUDNN_DIM_MAX];
	struct work work;
};

FAKE_EXPORT cudnnStatus_t cudnnCreate(cudnnHandle_t *h)
{
	*h = calloc(1, 64);
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t create(uint32_t type, cudnnBackendDescriptor_t *ret)
{
	struct backend *b = calloc(1, sizeof(*b));
	b->type = type;
	*ret = b;
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t destroy(cudnnBackendDescriptor_t d)
{
	/* Whoever follows a descriptor that is gone must be seen to. */
	memset(d, 0xdd, sizeof(struct backend));
	free(d);
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d)
{
	((struct backend *)d)->is_final = true;
	return CUDNN_STATUS_SUCCESS;
}

static void work_add(struct work *to, const struct backend *operation)
{
	to->convolutions += operation->type >= 10 && operation->type <= 12;
	to->products += operation->type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR;
	to->attentions += operation->type == 41;
	if (!to->mark)
		to->mark = operation->work.mark;
}

static cudnnStatus_t set(cudnnBackendDescriptor_t d, uint32_t name, uint32_t type, int64_t count,
			 const void *elements)
{
	struct backend *b = d;
	const struct backend *const *others = elements;
	if (b->is_final)
		return CUDNN_STATUS_BAD_PARAM;
	if (name == CUDNN_ATTR_TENSOR_DIMENSIONS) {
		memcpy(b->dims, elements, (size_t)count * 8);
		b->work.mark = (uint64_t)b->dims[1];
	}
	for (int64_t i = 0; type == CUDNN_TYPE_BACKEND_DESCRIPTOR && i < count; i++) {
		if (!others[i]->is_final)
			return CUDNN_STATUS_BAD_PARAM;
		if (name == CUDNN_ATTR_OPERATIONGRAPH_OPS)
			work_add(&b->work, others[i]);
		else if (others[i]->work.mark && !b->work.mark)
			b->work = others[i]->work;
	}
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t get(const struct backend *b, uint32_t type, int64_t requested, int64_t *count,
			 void *elements)
{
	struct backend **others = elements;
	if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR || !b->is_final)
		return CUDNN_STATUS_BAD_PARAM;
	if (count)
		*count = 1;
	if (requested >= 1 && others) {
		others[0]->work = b->work;
		others[0]->is_final = true;
	}
	return CUDNN_STATUS_SUCCESS;
}

/* As the engines do: by name, and without a NEEDED entry. */
static bool by_cublaslt(uint64_t mark)
{
	cublasLtMatrixLayoutOpaque_t a = { .data = { 0, 0, mark, 8, mark, 1 } };
	cublasLtMatmulDescOpaque_t operation = { .data = { 0 } };
	void *library = dlopen("libcublasLt.so.13", RTLD_NOW | RTLD_LOCAL);
	__typeof__(&cublasLtMatmul) matmul = library ? dlsym(library, "cublasLtMatmul") : NULL;
	return matmul && matmul(NULL, &operation, NULL, NULL, &a, NULL, &a, NULL, NULL, &a, NULL,
				&a, NULL, NULL, 0, NULL) == CUBLAS_STATUS_SUCCESS;
}

static bool run(const struct work *w)
{
	const uint64_t x = w->mark;
	if (w->convolutions)
		return library_launch("nchwToNhwcKernel", x, 1, NULL) &&
		       library_launch("sm90_xmma_fprop_implicit_gemm_f16f16", x, 1, NULL) &&
		       library_launch("nhwcToNchwKernel", x, 1, NULL);
	if (w->attentions || w->products == 2)
		return library_launch("cudnn_generated_fort_native_sdpa_sm90_flash_fprop", x, 1,
				      NULL);
	if (w->products)
		return by_cublaslt(x);
	return library_launch("cudnn_generated_layer_norm_fwd", x, 1, NULL);
}

static cudnnStatus_t execute(cudnnBackendDescriptor_t plan)
{
	const struct backend *b = plan;
	if (!b->is_final)
		return CUDNN_STATUS_BAD_PARAM;
	return run(&b->work) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

static cudnnStatus_t populate(cudnnBackendDescriptor_t plan, cudaGraph_t graph)
{
	const struct backend *b = plan;
	return library_add_node("sm90_xmma_fprop_implicit_gemm_f16f16", b->work.mark, 1, graph)
		       ? CUDNN_STATUS_SUCCESS
		       : CUDNN_STATUS_EXECUTION_FAILED;
}

/* The older interface. */

struct cudnnTensorStruct {
	cudnnDataType_t type;
	int n, dims[CUDNN_DIM_MAX], strides[CUDNN_DIM_MAX];
};
struct cudnnFilterStruct {
	cudnnDataType_t type;
	int n, dims[CUDNN_DIM_MAX];
};
struct cudnnConvolutionStruct {
	int n, pads[CUDNN_DIM_MAX], strides[CUDNN_DIM_MAX], dilations[CUDNN_DIM_MAX];
	cudnnDataType_t compute;
};
struct cudnnActivationStruct {
	cudnnActivationMode_t mode;
};

#define CREATE(symbol, type)                        \
	FAKE_EXPORT cudnnStatus_t symbol(type *ret) \
	{                                           \
		*ret = calloc(1, sizeof(**ret));    \
		return CUDNN_STATUS_SUCCESS;        \
	}
CREATE(cudnnCreateTensorDescriptor, cudnnTensorDescriptor_t)
CREATE(cudnnCreateFilterDescriptor, cudnnFilterDescriptor_t)
CREATE(cudnnCreateConvolutionDescriptor, cudnnConvolutionDescriptor_t)
CREATE(cudnnCreateActivationDescriptor, cudnnActivationDescriptor_t)

FAKE_EXPORT cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t t,
						     cudnnDataType_t type, int n, const int dims[],
						     const int strides[])
{
	t->type = type;
	t->n = n;
	memcpy(t->dims, dims, (size_t)n * sizeof(*dims));
	memcpy(t->strides, strides, (size_t)n * sizeof(*strides));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnGetTensorNdDescriptor(const cudnnTensorDescriptor_t t, int requested,
						     cudnnDataType_t *type, int *n, int dims[],
						     int strides[])
{
	if (requested < t->n)
		return CUDNN_STATUS_BAD_PARAM;
	*type = t->type;
	*n = t->n;
	memcpy(dims, t->dims, (size_t)t->n * sizeof(*dims));
	memcpy(strides, t->strides, (size_t)t->n * sizeof(*strides));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t f,
						     cudnnDataType_t type,
						     cudnnTensorFormat_t format, int n,
						     const int dims[])
{
	(void)format;
	f->type = type;
	f->n = n;
	memcpy(f->dims, dims, (size_t)n * sizeof(*dims));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnGetFilterNdDescriptor(const cudnnFilterDescriptor_t f, int requested,
						     cudnnDataType_t *type,
						     cudnnTensorFormat_t *format, int *n,
						     int dims[])
{
	if (requested < f->n)
		return CUDNN_STATUS_BAD_PARAM;
	*type = f->type;
	*format = CUDNN_TENSOR_NCHW;
	*n = f->n;
	memcpy(dims, f->dims, (size_t)f->n * sizeof(*dims));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t c, int n,
							  const int pads[], const int strides[],
							  const int dilations[],
							  cudnnConvolutionMode_t mode,
							  cudnnDataType_t compute)
{
	(void)mode;
	c->n = n;
	c->compute = compute;
	memcpy(c->pads, pads, (size_t)n * sizeof(*pads));
	memcpy(c->strides, strides, (size_t)n * sizeof(*strides));
	memcpy(c->dilations, dilations, (size_t)n * sizeof(*dilations));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnGetConvolutionNdDescriptor(const cudnnConvolutionDescriptor_t c,
							  int requested, int *n, int pads[],
							  int strides[], int dilations[],
							  cudnnConvolutionMode_t *mode,
							  cudnnDataType_t *compute)
{
	if (requested > CUDNN_DIM_MAX - 2)
		return CUDNN_STATUS_NOT_SUPPORTED;
	*n = c->n;
	*mode = CUDNN_CROSS_CORRELATION;
	*compute = c->compute;
	memcpy(pads, c->pads, (size_t)c->n * sizeof(*pads));
	memcpy(strides, c->strides, (size_t)c->n * sizeof(*strides));
	memcpy(dilations, c->dilations, (size_t)c->n * sizeof(*dilations));
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t a,
						       cudnnActivationMode_t mode,
						       cudnnNanPropagation_t nan,
						       double coefficient)
{
	(void)nan, (void)coefficient;
	a->mode = mode;
	return CUDNN_STATUS_SUCCESS;
}

FAKE_EXPORT cudnnStatus_t cudnnGetActivationDescriptor(const cudnnActivationDescriptor_t a,
						       cudnnActivationMode_t *mode,
						       cudnnNanPropagation_t *nan,
						       double *coefficient)
{
	*mode = a->mode;
	*nan = CUDNN_NOT_PROPAGATE_NAN;
	*coefficient = 0;
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t convolve(cudnnTensorDescriptor_t x)
{
	const struct work w = { .convolutions = 1, .mark = (uint64_t)x->dims[1] };
	return run(&w) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define backend_created(rc, type, d)                         create(type, d)
#define backend_destroyed(d)                                 destroy(d)
#define backend_set(rc, api, d, name, type, count, elements) set(d, name, type, count, elements)
#define backend_got(rc, d, type, requested, count, elements) \
	get(d, type, requested, count, elements)
#define BEFORE(action)                 action
#define AFTER(action)                  action
#define PLAN(plan, pack)               (graph ? populate(plan, graph) : execute(plan))
#define CONVOLUTION(direction, x, ...) convolve(x)
#define ASK(ret, sym, params, args)
/* The graph is a parameter of those rows alone that make nodes. */
#pragma GCC diagnostic ignored "-Wshadow"
static cudaGraph_t graph = NULL;
#define HOOK(ret, sym, params, args, ...) \
	FAKE_EXPORT ret sym params        \
	{                                 \
		return __VA_ARGS__;       \
	}
#include "preload/hook_cudnn.def"
