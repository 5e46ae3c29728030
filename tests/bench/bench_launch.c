/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_launch.c - what one launch costs the program: LAUNCHES per thread, THREADS.
 * Prints nanoseconds per launch, the median over the threads.  Meant for the stand-in driver whose
 * launches do nothing: what is left is the price of whatever was preloaded.
 */
#include "tests/programs/way/way.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define MAX_THREADS 64
#define NR_SHAPES   64 /* distinct launches, as a model has them */

static CUcontext context;
static CUfunction functions[4];
static unsigned int nr_launches = 100000;
static pthread_barrier_t together;
static double ns_per_launch[MAX_THREADS];

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

__attribute__((noinline)) static void launch_many(unsigned int n, CUstream stream)
{
	for (unsigned int i = 0; i < n; i++)
		launch(functions[i % 4], i % NR_SHAPES + 1, 1, 1, stream);
}

static void *run(void *arg)
{
	const size_t thread = (size_t)arg;
	CUstream stream = NULL;
	CHECK(cu.cuCtxSetCurrent(context));
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	launch_many(NR_SHAPES * 8, stream);
	pthread_barrier_wait(&together);
	const double begin = now_ns();
	launch_many(nr_launches, stream);
	ns_per_launch[thread] = (now_ns() - begin) / nr_launches;
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const unsigned int nr_threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	pthread_t threads[MAX_THREADS];
	CUmodule module = NULL;
	if (argc > 1)
		nr_launches = (unsigned int)atoi(argv[1]);
	if (!nr_launches || !nr_threads || nr_threads > MAX_THREADS)
		return 2;
	driver_open("getproc");
	context = driver_start();
	CHECK(cu.cuModuleLoadData(&module,
				  "a" PARAMETERS "b" PARAMETERS "c" PARAMETERS "d" PARAMETERS));
	for (int i = 0; i < 4; i++)
		functions[i] = kernel_named(module, (const char[]){ (char)('a' + i), 0 });
	pthread_barrier_init(&together, NULL, nr_threads);
	for (size_t t = 0; t < nr_threads; t++)
		pthread_create(&threads[t], NULL, run, (void *)t);
	for (size_t t = 0; t < nr_threads; t++)
		pthread_join(threads[t], NULL);
	qsort(ns_per_launch, nr_threads, sizeof(*ns_per_launch), by_size);
	printf("%.1f\n", ns_per_launch[nr_threads / 2]);
	return 0;
}
