/* SPDX-License-Identifier: Apache-2.0 */
/*
 * new_graphs.c - captures NODES kernels once, and then, TIMES times, makes a graph of them,
 * launches it, and destroys it: as programs do whose shapes change at every step.
 */
#include "tests/programs/way/way.h"

static CUgraph capture(CUfunction f, CUstream stream, unsigned int nr_nodes)
{
	CUgraph graph = NULL;
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	for (unsigned int i = 1; i <= nr_nodes; i++)
		CHECK(launch(f, 1 + i % 100, 1, 1, stream));
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	return graph;
}

int main(int argc, char **argv)
{
	const unsigned int times = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;
	const unsigned int nr_nodes = argc > 2 ? (unsigned int)atoi(argv[2]) : 100;
	CUmodule module = NULL;
	CUstream stream = NULL;
	CUgraph graph;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuModuleLoadData(&module, "node" PARAMETERS));
	graph = capture(kernel_named(module, "node"), stream, nr_nodes);
	for (unsigned int i = 0; i < times; i++) {
		CUgraphExec exec = NULL;
		CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
		CHECK(cu.cuGraphLaunch(exec, stream));
		CHECK(cu.cuStreamSynchronize(stream));
		CHECK(cu.cuGraphExecDestroy(exec));
	}
	printf("%u graphs of %u nodes\n", times, nr_nodes);
	return 0;
}
