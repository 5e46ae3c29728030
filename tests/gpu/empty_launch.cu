/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty_launch.cu - what a launch costs: an empty kernel, 100,000 times, nine times over.
 * Prints one JSON line.  As a shared library it offers launch_empty() to other programs.
 */
#include <cuda_runtime.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

enum { NR_LAUNCHES = 100000, NR_REPETITIONS = 9, NR_WARM_UP = 1000 };

__global__ void empty_kernel()
{
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * t.tv_sec + t.tv_nsec;
}

/* ns per launch, until the GPU is done with the last; negative: a CUDA call failed. */
extern "C" double launch_empty(int nr_launches)
{
	const double begin_ns = now_ns();

	for (int i = 0; i < nr_launches; i++)
		empty_kernel<<<1, 1>>>();
	if (cudaDeviceSynchronize() != cudaSuccess)
		return -1;
	return (now_ns() - begin_ns) / nr_launches;
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main()
{
	double ns[NR_REPETITIONS];

	if (launch_empty(NR_WARM_UP) < 0) {
		fprintf(stderr, "empty_launch: %s\n", cudaGetErrorString(cudaGetLastError()));
		return 1;
	}
	for (int i = 0; i < NR_REPETITIONS; i++)
		ns[i] = launch_empty(NR_LAUNCHES);
	qsort(ns, NR_REPETITIONS, sizeof(ns[0]), compare_doubles);
	printf("{\"launches\": %d, \"repetitions\": %d, \"ns_per_launch_min\": %.1f, "
	       "\"ns_per_launch_median\": %.1f}\n",
	       NR_LAUNCHES, NR_REPETITIONS, ns[0], ns[NR_REPETITIONS / 2]);
	return 0;
}
