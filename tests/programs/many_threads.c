/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many_threads.c - THREADS x LAUNCHES (default 16 x 10,000) on several streams and two contexts,
 * with a pause of PAUSE microseconds (default 0) after every 100.
 * The grid of every launch is (its index, its thread, 1), both counted from 1: whoever joins
 * device records to launches can prove that each got its own.
 */
#include "tests/programs/way/way.h"

#include <pthread.h>
#include <unistd.h>

#define NR_CONTEXTS 2
#define NR_STREAMS  3 /* of each context */
#define MAX_THREADS 64

static CUcontext contexts[NR_CONTEXTS];
static CUstream streams[NR_CONTEXTS][NR_STREAMS];
static CUfunction marks[NR_CONTEXTS];
static unsigned int nr_launches = 10000;
static unsigned int pause_us;

static void *run(void *arg)
{
	const unsigned int thread = (unsigned int)(uintptr_t)arg;
	const unsigned int c = thread % NR_CONTEXTS;
	CHECK(cu.cuCtxSetCurrent(contexts[c]));
	for (unsigned int i = 0; i < nr_launches; i++) {
		/* Streams are shared: launches of several threads mix in each. */
		CUstream stream = streams[c][(i / 7 + thread) % NR_STREAMS];
		CHECK(launch(marks[c], i + 1, thread + 1, 1, stream));
		if (pause_us && i % 100 == 99)
			usleep(pause_us);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const unsigned int nr_threads = argc > 1 ? (unsigned int)atoi(argv[1]) : 16;
	pthread_t threads[MAX_THREADS];
	if (argc > 2)
		nr_launches = (unsigned int)atoi(argv[2]);
	if (argc > 3)
		pause_us = (unsigned int)atoi(argv[3]);
	if (nr_threads > MAX_THREADS)
		return 2;
	driver_open("getproc");
	CHECK(cu.cuInit(0));
	for (int c = 0; c < NR_CONTEXTS; c++) {
		CUmodule module = NULL;
		CHECK(cu.cuCtxCreate_v4(&contexts[c], NULL, 0, 0));
		CHECK(cu.cuModuleLoadData(&module, c ? "mark_b" PARAMETERS : "mark_a" PARAMETERS));
		marks[c] = kernel_named(module, c ? "mark_b" : "mark_a");
		for (int s = 0; s < NR_STREAMS; s++)
			CHECK(cu.cuStreamCreate(&streams[c][s], CU_STREAM_NON_BLOCKING));
	}
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_create(&threads[t], NULL, run, (void *)(uintptr_t)t);
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_join(threads[t], NULL);
	for (int c = 0; c < NR_CONTEXTS; c++) {
		CHECK(cu.cuCtxSetCurrent(contexts[c]));
		CHECK(cu.cuCtxSynchronize());
	}
	printf("%u launches\n", nr_threads * nr_launches);
	return 0;
}
