/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marked.cu - 16 threads launch 10,000 kernels each, in two contexts, on several streams, by four
 * routes.  No two launches have the same grid, so a launch can be told from every other one by what
 * the GPU saw of it.  Every kernel counts its runs: what is printed last is what really happened.
 *
 *	nvcc -arch=native -o marked marked.cu -lcuda
 *	nvcc -arch=native -cudart shared -o marked-shared marked.cu -lcuda
 *	nvcc -arch=native -default-stream per-thread -o marked-ptds marked.cu -lcuda
 */
#include <cuda.h>
#include <cuda_runtime.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#define CHECK(call)                                                                              \
	do {                                                                                     \
		const int rc = (int)(call);                                                      \
		if (rc) {                                                                        \
			fprintf(stderr, "%s:%d: %s: error %d\n", __FILE__, __LINE__, #call, rc); \
			exit(1);                                                                 \
		}                                                                                \
	} while (0)

enum { NR_THREADS = 16, NR_STREAMS = 3, NR_CONTEXTS = 2, BLOCK = 32, MAX_BLOCKS = 4096 };

enum route { ROUTE_RUNTIME, ROUTE_EX, ROUTE_COOPERATIVE, ROUTE_DRIVER, NR_ROUTES };

static const char *const route_names[NR_ROUTES] = { "marked_runtime", "marked_ex",
						    "marked_cooperative", "marked_driver" };

__device__ static void count_run(unsigned long long *runs)
{
	if (blockIdx.x + blockIdx.y + blockIdx.z + threadIdx.x == 0)
		atomicAdd(runs, 1ull);
}

/* One kernel per route, so that each route has a name in the trace. */
extern "C" __global__ void marked_runtime(unsigned long long *runs)
{
	count_run(runs + ROUTE_RUNTIME);
}
extern "C" __global__ void marked_ex(unsigned long long *runs)
{
	count_run(runs + ROUTE_EX);
}
extern "C" __global__ void marked_cooperative(unsigned long long *runs)
{
	count_run(runs + ROUTE_COOPERATIVE);
}
extern "C" __global__ void marked_driver(unsigned long long *runs)
{
	count_run(runs + ROUTE_DRIVER);
}

struct context {
	CUcontext handle;
	unsigned long long *runs; /* one counter per route, on the GPU */
};

static std::atomic<unsigned long long> launched[NR_ROUTES];

static unsigned blocks_in(dim3 grid)
{
	return grid.x * grid.y * grid.z;
}

/* All grids of at most MAX_BLOCKS blocks: more than enough for one each, and all of them small. */
static std::vector<dim3> all_grids(void)
{
	std::vector<dim3> grids;
	for (unsigned x = 1; x <= MAX_BLOCKS; x++)
		for (unsigned y = 1; x * y <= MAX_BLOCKS; y++)
			for (unsigned z = 1; x * y * z <= MAX_BLOCKS; z++)
				grids.push_back(dim3(x, y, z));
	return grids;
}

/* A cooperative launch must fit on the GPU at once; others take the plain route. */
static unsigned cooperative_limit(void)
{
	int blocks_per_sm, nr_sms;
	CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_per_sm, marked_cooperative,
							    BLOCK, 0));
	CHECK(cudaDeviceGetAttribute(&nr_sms, cudaDevAttrMultiProcessorCount, 0));
	return blocks_per_sm * nr_sms;
}

static void launch(enum route route, CUfunction driver_kernel, dim3 grid, cudaStream_t stream,
		   unsigned long long *runs)
{
	void *params[] = { &runs };
	cudaLaunchConfig_t config = {};

	switch (route) {
	case ROUTE_RUNTIME:
		marked_runtime<<<grid, BLOCK, 0, stream>>>(runs);
		CHECK(cudaGetLastError());
		break;
	case ROUTE_EX:
		config.gridDim = grid;
		config.blockDim = dim3(BLOCK);
		config.stream = stream;
		CHECK(cudaLaunchKernelEx(&config, marked_ex, runs));
		break;
	case ROUTE_COOPERATIVE:
		CHECK(cudaLaunchCooperativeKernel((void *)marked_cooperative, grid, dim3(BLOCK),
						  params, 0, stream));
		break;
	default:
		CHECK(cuLaunchKernel(driver_kernel, grid.x, grid.y, grid.z, BLOCK, 1, 1, 0, stream,
				     params, NULL));
		break;
	}
	launched[route]++;
}

static void launch_all(const struct context *context, const dim3 *grids, int nr_launches,
		       unsigned max_cooperative)
{
	cudaStream_t streams[NR_STREAMS] = { 0 }; /* the first is the default stream */
	cudaKernel_t driver_kernel;               /* a CUkernel: good in every context */

	CHECK(cuCtxSetCurrent(context->handle));
	for (int i = 1; i < NR_STREAMS; i++)
		CHECK(cudaStreamCreateWithFlags(&streams[i], cudaStreamNonBlocking));
	CHECK(cudaGetKernel(&driver_kernel, (const void *)marked_driver));

	for (int i = 0; i < nr_launches; i++) {
		enum route route = (enum route)(i % NR_ROUTES);
		if (route == ROUTE_COOPERATIVE && blocks_in(grids[i]) > max_cooperative)
			route = ROUTE_RUNTIME;
		launch(route, (CUfunction)driver_kernel, grids[i], streams[i % NR_STREAMS],
		       context->runs);
	}
	for (int i = 1; i < NR_STREAMS; i++)
		CHECK(cudaStreamSynchronize(streams[i]));
	CHECK(cudaStreamSynchronize(streams[0]));
}

/* The device's primary context, and one made for us. */
static void open_contexts(struct context *contexts)
{
	CUdevice device;

	CHECK(cuInit(0));
	CHECK(cuDeviceGet(&device, 0));
	CHECK(cuDevicePrimaryCtxRetain(&contexts[0].handle, device));
#if CUDA_VERSION >= 13000
	CHECK(cuCtxCreate(&contexts[1].handle, NULL, 0, device));
#else
	CHECK(cuCtxCreate(&contexts[1].handle, 0, device));
#endif
	for (int i = 0; i < NR_CONTEXTS; i++) {
		CHECK(cuCtxSetCurrent(contexts[i].handle));
		CHECK(cudaMalloc((void **)&contexts[i].runs,
				 NR_ROUTES * sizeof(*contexts[i].runs)));
		CHECK(cudaMemset(contexts[i].runs, 0, NR_ROUTES * sizeof(*contexts[i].runs)));
		CHECK(cudaDeviceSynchronize());
	}
}

static void add_runs(const struct context *context, unsigned long long *ran)
{
	unsigned long long runs[NR_ROUTES];

	CHECK(cuCtxSetCurrent(context->handle));
	CHECK(cudaDeviceSynchronize());
	CHECK(cudaMemcpy(runs, context->runs, sizeof(runs), cudaMemcpyDeviceToHost));
	for (int i = 0; i < NR_ROUTES; i++)
		ran[i] += runs[i];
}

int main(int argc, char **argv)
{
	const int nr_launches = argc > 1 ? atoi(argv[1]) : 10000; /* per thread */
	const std::vector<dim3> grids = all_grids();
	struct context contexts[NR_CONTEXTS];
	unsigned long long ran[NR_ROUTES] = { 0 };
	std::vector<std::thread> threads;

	if (nr_launches < 1 || (size_t)nr_launches * NR_THREADS > grids.size()) {
		fprintf(stderr, "usage: %s [launches per thread, at most %zu]\n", argv[0],
			grids.size() / NR_THREADS);
		return 2;
	}
	open_contexts(contexts);
	CHECK(cuCtxSetCurrent(contexts[0].handle));
	const unsigned max_cooperative = cooperative_limit();

	for (int i = 0; i < NR_THREADS; i++)
		threads.emplace_back(launch_all, &contexts[i % NR_CONTEXTS],
				     &grids[(size_t)i * nr_launches], nr_launches, max_cooperative);
	for (auto &thread : threads)
		thread.join();

	for (int i = 0; i < NR_CONTEXTS; i++)
		add_runs(&contexts[i], ran);
	for (int i = 0; i < NR_ROUTES; i++) {
		printf("%s %llu launches, %llu ran\n", route_names[i], launched[i].load(), ran[i]);
		if (launched[i] != ran[i])
			return 1;
	}
	return 0;
}
