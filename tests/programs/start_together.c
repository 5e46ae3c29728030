/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_together.c - THREADS that all reach the driver first: each calls cuInit and launches at
 * once.  What one thread's start of tracing takes must not cost the others their launches.
 */
#include "tests/programs/way/way.h"

#include <pthread.h>

#define MAX_THREADS 64
#define NR_LAUNCHES 50

static pthread_barrier_t together;

static void *run(void *arg)
{
	const unsigned int thread = (unsigned int)(uintptr_t)arg;
	CUmodule module = NULL;
	pthread_barrier_wait(&together);
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "early" PARAMETERS));
	CUfunction f = kernel_named(module, "early");
	for (unsigned int i = 1; i <= NR_LAUNCHES; i++)
		CHECK(launch(f, i, thread + 1, 1, NULL));
	return NULL;
}

int main(int argc, char **argv)
{
	const unsigned int nr_threads = argc > 1 ? (unsigned int)atoi(argv[1]) : 8;
	pthread_t threads[MAX_THREADS];
	if (nr_threads > MAX_THREADS)
		return 2;
	driver_open("getproc");
	pthread_barrier_init(&together, NULL, nr_threads);
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_create(&threads[t], NULL, run, (void *)(uintptr_t)t);
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_join(threads[t], NULL);
	driver_start();
	CHECK(cu.cuCtxSynchronize());
	printf("%u launches\n", nr_threads * NR_LAUNCHES);
	return 0;
}
