// SPDX-License-Identifier: Apache-2.0
// corners.cu - CUDA graphs and contexts where a tracer could go wrong: CASE.  Kernels count
// themselves on the device; at the end each is printed with how often it has run.
#include <cuda.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#define CHECK(call)                                                                          \
	do {                                                                                 \
		const auto r = (call);                                                       \
		if (r != 0) {                                                                \
			std::fprintf(stderr, "%d: %s gave %d\n", __LINE__, #call, int(r)); \
			std::exit(3);                                                        \
		}                                                                            \
	} while (0)

enum { ALPHA, BETA, SLOW, KERNELS };
static const char *const names[KERNELS] = { "alpha", "beta", "slow" };
static unsigned long long totals[KERNELS]; // of counters that are gone
static unsigned long long *counters;

__global__ void alpha(unsigned long long *c)
{
	if (blockIdx.x == 0)
		atomicAdd(c + ALPHA, 1ull);
}

__global__ void beta(unsigned long long *c)
{
	if (blockIdx.x == 0)
		atomicAdd(c + BETA, 1ull);
}

__global__ void slow(unsigned long long *c, long long clocks)
{
	const long long begin = clock64();
	while (clock64() - begin < clocks)
		;
	atomicAdd(c + SLOW, 1ull);
}

static void counters_make()
{
	CHECK(cudaMalloc(&counters, sizeof(totals)));
	CHECK(cudaMemset(counters, 0, sizeof(totals)));
}

static void counters_take()
{
	unsigned long long now[KERNELS];
	CHECK(cudaMemcpy(now, counters, sizeof(now), cudaMemcpyDeviceToHost));
	for (int i = 0; i < KERNELS; i++)
		totals[i] += now[i];
	CHECK(cudaMemset(counters, 0, sizeof(totals)));
}

static cudaGraph_t captured(cudaStream_t s, int n)
{
	cudaGraph_t graph;
	CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
	for (int i = 0; i < n; i++) {
		alpha<<<1, 1, 0, s>>>(counters);
		beta<<<2, 1, 0, s>>>(counters);
	}
	CHECK(cudaStreamEndCapture(s, &graph));
	return graph;
}

static void replay(cudaGraph_t graph, cudaStream_t s, int times)
{
	cudaGraphExec_t exec;
	CHECK(cudaGraphInstantiate(&exec, graph, 0));
	for (int i = 0; i < times; i++)
		CHECK(cudaGraphLaunch(exec, s));
	CHECK(cudaStreamSynchronize(s));
	CHECK(cudaGraphExecDestroy(exec));
}

// A graph in a graph in a graph.
static void nested(cudaStream_t s)
{
	cudaGraph_t inner = captured(s, 3), middle, outer;
	cudaGraphNode_t a, b;
	CHECK(cudaGraphCreate(&middle, 0));
	CHECK(cudaGraphAddChildGraphNode(&a, middle, nullptr, 0, inner));
	CHECK(cudaGraphAddChildGraphNode(&b, middle, &a, 1, inner));
	CHECK(cudaGraphCreate(&outer, 0));
	CHECK(cudaGraphAddChildGraphNode(&a, outer, nullptr, 0, middle));
	CHECK(cudaGraphDestroy(inner));
	replay(outer, s, 10);
}

// The original is gone when its clone runs, and the clone when its exec does.
static void cloned(cudaStream_t s)
{
	cudaGraph_t graph = captured(s, 4), clone;
	cudaGraphExec_t exec;
	CHECK(cudaGraphClone(&clone, graph));
	CHECK(cudaGraphDestroy(graph));
	CHECK(cudaGraphInstantiate(&exec, clone, 0));
	CHECK(cudaGraphDestroy(clone));
	for (int i = 0; i < 20; i++)
		CHECK(cudaGraphLaunch(exec, s));
	CHECK(cudaStreamSynchronize(s));
	CHECK(cudaGraphExecDestroy(exec));
}

static cudaGraph_t by_hand(void (*kernel)(unsigned long long *), unsigned int blocks,
			   cudaGraphNode_t *ret_node)
{
	void *params[] = { &counters };
	cudaKernelNodeParams p = {};
	cudaGraph_t graph;
	p.func = (void *)kernel;
	p.gridDim = dim3(blocks);
	p.blockDim = dim3(1);
	p.kernelParams = params;
	CHECK(cudaGraphCreate(&graph, 0));
	CHECK(cudaGraphAddKernelNode(ret_node, graph, nullptr, 0, &p));
	return graph;
}

// A node runs another kernel after an update, by node and by graph.
static void updated(cudaStream_t s)
{
	cudaGraphNode_t node, other;
	cudaGraph_t graph = by_hand(alpha, 1, &node), later = by_hand(alpha, 3, &other);
	void *params[] = { &counters };
	cudaKernelNodeParams p = {};
	cudaGraphExecUpdateResultInfo info;
	cudaGraphExec_t exec;
	CHECK(cudaGraphInstantiate(&exec, graph, 0));
	for (int i = 0; i < 5; i++)
		CHECK(cudaGraphLaunch(exec, s));
	p.func = (void *)beta;
	p.gridDim = dim3(1);
	p.blockDim = dim3(1);
	p.kernelParams = params;
	CHECK(cudaGraphExecKernelNodeSetParams(exec, node, &p));
	for (int i = 0; i < 7; i++)
		CHECK(cudaGraphLaunch(exec, s));
	CHECK(cudaGraphExecUpdate(exec, later, &info));
	for (int i = 0; i < 11; i++)
		CHECK(cudaGraphLaunch(exec, s));
	CHECK(cudaStreamSynchronize(s));
}

// Ids, handles and addresses come again.
static void recycled(cudaStream_t s)
{
	for (int i = 0; i < 200; i++) {
		cudaGraph_t graph = captured(s, 1 + i % 3);
		replay(graph, s, 2);
		CHECK(cudaGraphDestroy(graph));
	}
}

__global__ void gate(cudaGraphConditionalHandle handle, int *rounds)
{
	cudaGraphSetConditional(handle, --*rounds > 0);
}

// A loop and a branch that the device decides on.
static void conditional(cudaStream_t s)
{
	const int rounds = 9;
	int *left;
	cudaGraph_t graph;
	cudaGraphNode_t node;
	cudaGraphConditionalHandle handle;
	cudaGraphNodeParams p = {};
	CHECK(cudaMalloc(&left, sizeof(*left)));
	CHECK(cudaGraphCreate(&graph, 0));
	CHECK(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
	p.type = cudaGraphNodeTypeConditional;
	p.conditional.handle = handle;
	p.conditional.type = cudaGraphCondTypeWhile;
	p.conditional.size = 1;
#if CUDART_VERSION >= 13000
	CHECK(cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &p));
#else
	CHECK(cudaGraphAddNode(&node, graph, nullptr, 0, &p));
#endif
	CHECK(cudaStreamBeginCaptureToGraph(s, p.conditional.phGraph_out[0], nullptr, nullptr, 0,
					    cudaStreamCaptureModeThreadLocal));
	alpha<<<1, 1, 0, s>>>(counters);
	gate<<<1, 1, 0, s>>>(handle, left);
	CHECK(cudaStreamEndCapture(s, nullptr));
	cudaGraphExec_t exec;
	CHECK(cudaGraphInstantiate(&exec, graph, 0));
	for (int i = 0; i < 3; i++) {
		CHECK(cudaMemcpy(left, &rounds, sizeof(rounds), cudaMemcpyHostToDevice));
		CHECK(cudaGraphLaunch(exec, s));
		CHECK(cudaStreamSynchronize(s));
	}
	std::printf("gate %d launches\n", 3 * rounds);
}

// Everything goes, and begins anew.
static void reset(cudaStream_t)
{
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 50; k++)
			alpha<<<1, 1>>>(counters);
		if (i == 2)
			totals[ALPHA] += 50; // nobody waits for the last ones
		else
			counters_take();
		CHECK(cudaDeviceReset());
		counters_make();
	}
}

// Contexts of their own, destroyed while their kernels run.
static void destroyed(cudaStream_t)
{
	CUdevice device;
	CUcontext before;
	CHECK(cuDeviceGet(&device, 0));
	CHECK(cuCtxGetCurrent(&before));
	for (int i = 0; i < 4; i++) {
		CUcontext context;
		unsigned long long *c;
#if CUDA_VERSION >= 13000
		CHECK(cuCtxCreate(&context, nullptr, 0, device));
#else
		CHECK(cuCtxCreate(&context, 0, device));
#endif
		CHECK(cudaMalloc(&c, sizeof(totals)));
		for (int k = 0; k < 20; k++)
			slow<<<1, 1>>>(c, 1000000);
		CHECK(cuCtxDestroy(context));
		totals[SLOW] += 20;
	}
	CHECK(cuCtxSetCurrent(before));
}

// A context with some of the multiprocessors.
static void green(cudaStream_t)
{
	CUdevice device;
	CUdevResource all, part, rest;
	CUdevResourceDesc description;
	CUgreenCtx context;
	CUstream s;
	unsigned int groups = 1;
	CHECK(cuDeviceGet(&device, 0));
	CHECK(cuDeviceGetDevResource(device, &all, CU_DEV_RESOURCE_TYPE_SM));
	CHECK(cuDevSmResourceSplitByCount(&part, &groups, &all, &rest, 0, 16));
	CHECK(cuDevResourceGenerateDesc(&description, &part, 1));
	CHECK(cuGreenCtxCreate(&context, description, device, CU_GREEN_CTX_DEFAULT_STREAM));
	CHECK(cuGreenCtxStreamCreate(&s, context, CU_STREAM_NON_BLOCKING, 0));
	for (int k = 0; k < 100; k++) {
		alpha<<<1, 1, 0, s>>>(counters);
		beta<<<1, 1>>>(counters);
	}
	CHECK(cuStreamSynchronize(s));
	replay(captured(s, 2), s, 5);
}

// Several at once, each with a thread.
static void contexts(cudaStream_t)
{
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([] {
			CUdevice device;
			CUcontext context;
			unsigned long long *c;
			CHECK(cuDeviceGet(&device, 0));
#if CUDA_VERSION >= 13000
			CHECK(cuCtxCreate(&context, nullptr, 0, device));
#else
			CHECK(cuCtxCreate(&context, 0, device));
#endif
			CHECK(cudaMalloc(&c, sizeof(totals)));
			for (int k = 0; k < 300; k++)
				beta<<<1, 1>>>(c);
			CHECK(cuCtxSynchronize());
		});
	for (auto &t : threads)
		t.join();
	totals[BETA] += 4 * 300;
}

// Memory from a pool, in the order of the stream.
static void pool(cudaStream_t s)
{
	for (int i = 0; i < 100; i++) {
		void *p;
		CHECK(cudaMallocAsync(&p, 1 << 20, s));
		CHECK(cudaMemsetAsync(p, 0, 1 << 20, s));
		alpha<<<1, 1, 0, s>>>(counters);
		CHECK(cudaFreeAsync(p, s));
	}
	CHECK(cudaStreamSynchronize(s));
}

static const struct {
	const char *name;
	void (*run)(cudaStream_t);
} cases[] = { { "nested", nested },     { "cloned", cloned },     { "updated", updated },
	      { "recycled", recycled }, { "conditional", conditional }, { "reset", reset },
	      { "destroyed", destroyed }, { "green", green },     { "contexts", contexts },
	      { "pool", pool } };

int main(int argc, char **argv)
{
	cudaStream_t s;
	counters_make();
	CHECK(cudaStreamCreate(&s));
	alpha<<<1, 1>>>(counters);
	for (const auto &c : cases)
		if (argc > 1 && !std::strcmp(c.name, argv[1]))
			c.run(s);
	CHECK(cudaDeviceSynchronize());
	counters_take();
	CHECK(cudaDeviceSynchronize());
	for (int i = 0; i < KERNELS; i++)
		if (totals[i])
			std::printf("%s %llu launches\n", names[i], totals[i]);
	return 0;
}
