/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c - every kind of launch, the driver reached in the WAY of the first argument.  The second
 * is how many kernels the one call makes that can make several (1 or 2).
 */
#include "tests/programs/way/way.h"

#include <string.h>

static void launch_plainly(CUfunction f, CUstream stream)
{
	for (unsigned int i = 1; i <= 3; i++)
		CHECK(launch(f, i, 1, 1, stream));
}

/* Parameters packed in one buffer, as the older interface has it. */
static void launch_packed(CUfunction f, CUstream stream)
{
	struct {
		void *pointer;
		int number;
	} packed = { &packed, 7 };
	size_t size = sizeof(packed);
	void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE,
			  &size, CU_LAUNCH_PARAM_END };
	CHECK(cu.cuLaunchKernel(f, 4, 4, 1, 64, 1, 1, 0, stream, NULL, extra));
}

static void launch_extended(CUfunction f, CUstream stream)
{
	void *pointer = NULL;
	int number = 1;
	void *params[] = { &pointer, &number };
	CUlaunchAttribute cluster = { .id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION };
	CUlaunchConfig c = { .gridDimX = 8,
			     .gridDimY = 2,
			     .gridDimZ = 1,
			     .blockDimX = 128,
			     .blockDimY = 1,
			     .blockDimZ = 1,
			     .sharedMemBytes = 1024,
			     .hStream = stream };
	CHECK(cu.cuLaunchKernelEx(&c, f, params, NULL));
	cluster.value.clusterDim.x = 2;
	cluster.value.clusterDim.y = 1;
	cluster.value.clusterDim.z = 1;
	c.attrs = &cluster;
	c.numAttrs = 1;
	CHECK(cu.cuLaunchKernelEx(&c, f, params, NULL));
}

static void launch_cooperative(CUfunction f, CUstream stream, unsigned int nr_listed)
{
	void *pointer = NULL;
	int number = 1;
	void *params[] = { &pointer, &number };
	CUDA_LAUNCH_PARAMS list[2] = { { .function = f,
					 .gridDimX = 5,
					 .gridDimY = 1,
					 .gridDimZ = 1,
					 .blockDimX = 32,
					 .blockDimY = 1,
					 .blockDimZ = 1,
					 .hStream = stream,
					 .kernelParams = params } };
	list[1] = list[0];
	list[1].gridDimX = 6;
	CHECK(cu.cuLaunchCooperativeKernel(f, 16, 1, 1, 32, 2, 1, 0, stream, params));
	CHECK(cu.cuLaunchCooperativeKernelMultiDevice(list, nr_listed, 0));
}

static void launch_graph(CUfunction f, CUstream stream)
{
	CUgraph graph = NULL;
	CUgraphExec exec = NULL;
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	for (unsigned int i = 1; i <= 3; i++)
		CHECK(launch(f, 10 + i, 1, 1, stream));
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuGraphExecDestroy(exec));
	CHECK(cu.cuGraphDestroy(graph));
}

static void copy_and_fill(CUstream stream)
{
	char text[32] = "through the device and back";
	char back[32] = "";
	CUdeviceptr memory = 0;
	CHECK(cu.cuMemAlloc_v2(&memory, sizeof(text)));
	CHECK(cu.cuMemsetD8Async(memory, 0, sizeof(text), stream));
	CHECK(cu.cuMemcpyHtoD_v2(memory, text, sizeof(text)));
	CHECK(cu.cuMemcpyDtoHAsync_v2(back, memory, sizeof(back), stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuMemFree_v2(memory));
	printf("%s\n", back);
}

/* Handles of type CUkernel are launched as they are: PyTorch and cuDNN do it. */
static void launch_from_library(CUstream stream)
{
	CUlibrary library = NULL;
	CUkernel kernel = NULL;
	CHECK(cu.cuLibraryLoadData(&library, "from_library" PARAMETERS, NULL, NULL, 0, NULL, NULL,
				   0));
	CHECK(cu.cuLibraryGetKernel(&kernel, library, "from_library"));
	CHECK(launch((CUfunction)kernel, 21, 1, 1, stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuLibraryUnload(library));
}

int main(int argc, char **argv)
{
	CUmodule module = NULL;
	CUstream stream = NULL;
	driver_open(argc > 1 ? argv[1] : "getproc");
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuModuleLoadData(&module, "plain" PARAMETERS "extended" PARAMETERS
					   "cooperative" PARAMETERS "captured" PARAMETERS));
	CHECK(cu.cuProfilerStart());
	launch_plainly(kernel_named(module, "plain"), NULL);
	launch_packed(kernel_named(module, "plain"), stream);
	launch_extended(kernel_named(module, "extended"), stream);
	launch_cooperative(kernel_named(module, "cooperative"), stream,
			   argc > 2 ? (unsigned int)atoi(argv[2]) : 1);
	launch_from_library(stream);
	launch_graph(kernel_named(module, "captured"), stream);
	copy_and_fill(stream);
	CHECK(cu.cuProfilerStop());
	printf("refused with %d\n", (int)launch(kernel_named(module, "plain"), 0, 1, 1, stream));
	CHECK(cu.cuCtxSynchronize());
	return 0;
}
