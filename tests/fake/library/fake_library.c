/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake/library/fake_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

typedef CUresult (*getproc)(const char *name, void **pfn, int version, cuuint64_t flags,
			    CUdriverProcAddressQueryResult *status);

/* All kernels that the stand-ins launch: a pointer and a number. */
static const char image[] = "fake_gemm 8 4\n"
			    "splitKreduce_kernel 8 4\n"
			    "nvjet_hsh_128x128_64x5_TNN 8 4\n"
			    "gemv2T_kernel_val 8 4\n"
			    "nchwToNhwcKernel 8 4\n"
			    "sm90_xmma_fprop_implicit_gemm_f16f16 8 4\n"
			    "nhwcToNchwKernel 8 4\n"
			    "cudnn_generated_fort_native_sdpa_sm90_flash_fprop 8 4\n"
			    "cudnn_generated_layer_norm_fwd 8 4\n";

static __typeof__(&cuLaunchKernel) launch;
static __typeof__(&cuGraphAddKernelNode_v2) add_node;
static __typeof__(&cuModuleGetFunction) get_function;
static CUmodule module;

/* A static cudart, in short. */
static void start(void)
{
	CUdriverProcAddressQueryResult status;
	CUresult (*load)(CUmodule *, const void *) = NULL;
	void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	getproc get = driver ? (getproc)dlsym(driver, "cuGetProcAddress_v2") : NULL;
	if (!get)
		return;
	get("cuLaunchKernel", (void **)&launch, CUDA_VERSION, 0, &status);
	get("cuGraphAddKernelNode", (void **)&add_node, CUDA_VERSION, 0, &status);
	get("cuModuleGetFunction", (void **)&get_function, CUDA_VERSION, 0, &status);
	get("cuModuleLoadData", (void **)&load, CUDA_VERSION, 0, &status);
	if (load)
		load(&module, image);
}

static CUfunction kernel_find(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CUfunction f = NULL;
	pthread_once(&once, start);
	return module && get_function(&f, module, name) == CUDA_SUCCESS ? f : NULL;
}

bool library_launch(const char *kernel, uint64_t x, uint64_t y, CUstream stream)
{
	CUfunction f = kernel_find(kernel);
	void *pointer = (void *)(uintptr_t)(x << 8);
	int number = (int)y;
	void *params[] = { &pointer, &number };
	return f && launch(f, (unsigned int)x, (unsigned int)y, 1, 128, 1, 1, 0, stream, params,
			   NULL) == CUDA_SUCCESS;
}

bool library_add_node(const char *kernel, uint64_t x, uint64_t y, CUgraph graph)
{
	void *pointer = NULL;
	int number = 1;
	void *params[] = { &pointer, &number };
	CUgraphNode node = NULL;
	const CUDA_KERNEL_NODE_PARAMS p = { .func = kernel_find(kernel),
					    .gridDimX = (unsigned int)x,
					    .gridDimY = (unsigned int)y,
					    .gridDimZ = 1,
					    .blockDimX = 128,
					    .blockDimY = 1,
					    .blockDimZ = 1,
					    .kernelParams = params };
	return p.func && add_node(&node, graph, NULL, 0, &p) == CUDA_SUCCESS;
}
