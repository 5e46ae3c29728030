/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graphs.c - graphs captured and graphs made by hand, replayed many times.
 *
 * The grid's x names the launch that created a node; y is 1 in the first graph, 2 in the second
 * and so on.  REPLAYS is the first argument.
 */
#include "tests/programs/way/way.h"

#include <time.h>

#define NR_NODES 5

static CUfunction f;
static CUstream stream, side;
static CUevent forked, joined;

/* Some nodes on a second stream, drawn into the capture by events. */
static CUgraph capture(unsigned int y)
{
	const struct timespec a_while = { .tv_nsec = 150000000 };
	CUgraph graph = NULL;
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	CHECK(launch(f, 1, y, 1, stream));
	CHECK(cu.cuEventRecord(forked, stream));
	CHECK(cu.cuStreamWaitEvent(side, forked, 0));
	CHECK(launch(f, 2, y, 1, side));
	CHECK(launch(f, 3, y, 1, stream));
	/* Time for a tracer's threads to do something that is forbidden now. */
	nanosleep(&a_while, NULL);
	CHECK(cu.cuEventRecord(joined, side));
	CHECK(cu.cuStreamWaitEvent(stream, joined, 0));
	CHECK(launch(f, 4, y, 1, stream));
	CHECK(launch(f, 5, y, 1, stream));
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	return graph;
}

static CUgraph make_by_hand(unsigned int y)
{
	CUgraph graph = NULL;
	CUgraphNode node = NULL;
	CHECK(cu.cuGraphCreate(&graph, 0));
	for (unsigned int x = 1; x <= NR_NODES; x++) {
		void *pointer = NULL;
		int number = 0;
		void *params[] = { &pointer, &number };
		const CUDA_KERNEL_NODE_PARAMS p = { .func = f,
						    .gridDimX = x,
						    .gridDimY = y,
						    .gridDimZ = 1,
						    .blockDimX = 32,
						    .blockDimY = 1,
						    .blockDimZ = 1,
						    .kernelParams = params };
		CUgraphNode before = node;
		CHECK(cu.cuGraphAddKernelNode_v2(&node, graph, before ? &before : NULL,
						 before != NULL, &p));
	}
	return graph;
}

static void replay(CUgraph graph, int replays)
{
	CUgraphExec exec = NULL;
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	for (int i = 0; i < replays; i++)
		CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuGraphExecDestroy(exec));
	CHECK(cu.cuGraphDestroy(graph));
}

int main(int argc, char **argv)
{
	const int replays = argc > 1 ? atoi(argv[1]) : 50;
	CUmodule module = NULL;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuStreamCreate(&side, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuEventCreate(&forked, CU_EVENT_DISABLE_TIMING));
	CHECK(cu.cuEventCreate(&joined, CU_EVENT_DISABLE_TIMING));
	CHECK(cu.cuModuleLoadData(&module, "node" PARAMETERS));
	f = kernel_named(module, "node");
	/* Each graph is destroyed before the next is made: the handles come back. */
	replay(capture(1), replays);
	replay(capture(2), replays);
	replay(make_by_hand(3), replays);
	printf("%d nodes ran\n", 3 * NR_NODES * replays);
	return 0;
}
