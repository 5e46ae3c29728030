/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_cudnn_shim.c - libcudnn.so.9: exports what its parts export, and finds it there by dlsym.
 * Whoever answers that look-up with himself runs in circles.
 */
#include "tests/fake/library/fake_library.h"

#include <cudnn.h>
#include <dlfcn.h>

static void *part(const char *symbol)
{
	static void *library;
	if (!library)
		library = dlopen("libcudnn_graph.so.9", RTLD_NOW | RTLD_LOCAL);
	return library ? dlsym(library, symbol) : NULL;
}

#define PASS(ret, sym, params, args)                                    \
	FAKE_EXPORT ret sym params                                      \
	{                                                               \
		static __typeof__(&sym) real;                           \
		if (!real)                                              \
			real = (__typeof__(&sym))part(#sym);            \
		return real ? real args : CUDNN_STATUS_NOT_INITIALIZED; \
	}
#define HOOK(ret, sym, params, args, ...) PASS(ret, sym, params, args)
#define ASK                               PASS
#include "preload/hook_cudnn.def"

PASS(cudnnStatus_t, cudnnCreate, (cudnnHandle_t * h), (h))
PASS(cudnnStatus_t, cudnnBackendFinalize, (cudnnBackendDescriptor_t d), (d))
PASS(cudnnStatus_t, cudnnCreateTensorDescriptor, (cudnnTensorDescriptor_t * t), (t))
PASS(cudnnStatus_t, cudnnCreateFilterDescriptor, (cudnnFilterDescriptor_t * f), (f))
PASS(cudnnStatus_t, cudnnCreateConvolutionDescriptor, (cudnnConvolutionDescriptor_t * c), (c))
PASS(cudnnStatus_t, cudnnCreateActivationDescriptor, (cudnnActivationDescriptor_t * a), (a))
PASS(cudnnStatus_t, cudnnSetTensorNdDescriptor,
     (cudnnTensorDescriptor_t t, cudnnDataType_t type, int n, const int dims[],
      const int strides[]),
     (t, type, n, dims, strides))
PASS(cudnnStatus_t, cudnnSetFilterNdDescriptor,
     (cudnnFilterDescriptor_t f, cudnnDataType_t type, cudnnTensorFormat_t format, int n,
      const int dims[]),
     (f, type, format, n, dims))
PASS(cudnnStatus_t, cudnnSetConvolutionNdDescriptor,
     (cudnnConvolutionDescriptor_t c, int n, const int pads[], const int strides[],
      const int dilations[], cudnnConvolutionMode_t mode, cudnnDataType_t compute),
     (c, n, pads, strides, dilations, mode, compute))
PASS(cudnnStatus_t, cudnnSetActivationDescriptor,
     (cudnnActivationDescriptor_t a, cudnnActivationMode_t mode, cudnnNanPropagation_t nan,
      double coefficient),
     (a, mode, nan, coefficient))
