/* SPDX-License-Identifier: Apache-2.0 */
/* errnos.c - says whether errno is what it was after many kinds of calls, the first ones above all.
 */
#include "tests/programs/way/way.h"

#include <dlfcn.h>
#include <errno.h>

#define KEEPS(call)                                                    \
	do {                                                           \
		errno = 77;                                            \
		(void)(call);                                          \
		if (errno != 77) {                                     \
			printf("%s spoils errno: %d\n", #call, errno); \
			spoilt++;                                      \
		}                                                      \
	} while (0)

int main(void)
{
	CUmodule module = NULL;
	CUstream stream = NULL;
	CUgraph graph = NULL;
	CUgraphExec exec = NULL;
	CUdeviceptr memory = 0;
	char text[64] = "";
	int spoilt = 0;
	driver_open("getproc");
	void *library = dlopen("libcuda.so.1", RTLD_NOW);
	KEEPS(dlsym(library, "cuLaunchKernel"));
	KEEPS(cu.cuInit(0));
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuModuleLoadData(&module, "quiet" PARAMETERS));
	CHECK(cu.cuMemAlloc_v2(&memory, sizeof(text)));
	CUfunction f = kernel_named(module, "quiet");
	for (unsigned int i = 1; i <= 20000; i++)
		KEEPS(launch(f, i, 1, 1, stream));
	KEEPS(launch(f, 0, 1, 1, stream));
	KEEPS(launch(NULL, 1, 1, 1, stream));
	KEEPS(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	KEEPS(launch(f, 1, 1, 1, stream));
	KEEPS(cu.cuStreamEndCapture(stream, &graph));
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	KEEPS(cu.cuGraphLaunch(exec, stream));
	KEEPS(cu.cuMemcpyHtoDAsync_v2(memory, text, sizeof(text), stream));
	KEEPS(cu.cuMemsetD8Async(memory, 0, sizeof(text), stream));
	KEEPS(cu.cuStreamSynchronize(stream));
	KEEPS(cu.cuModuleUnload(module));
	printf("%d spoilt\n", spoilt);
	return spoilt != 0;
}
