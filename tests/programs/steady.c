/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steady.c - LAUNCHES by each of THREADS, RATE thousand a second each (default 100), of 64 kinds:
 * what goes on for hours.
 */
#include "tests/programs/way/way.h"

#include <pthread.h>
#include <time.h>

#define MAX_THREADS 64
#define NR_SHAPES   64
#define BURST       1000

static CUcontext context;
static CUfunction functions[4];
static unsigned int nr_launches = 1000000;
static long burst_ns = 10000000;

static void pass(struct timespec *t, long ns)
{
	t->tv_nsec += ns;
	while (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL);
}

static void *run(void *unused)
{
	CUstream stream = NULL;
	struct timespec next;
	CHECK(cu.cuCtxSetCurrent(context));
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned int i = 0; i < nr_launches; i++) {
		CHECK(launch(functions[i % 4], i % NR_SHAPES + 1, 1, 1, stream));
		if (i % BURST == BURST - 1)
			pass(&next, burst_ns);
	}
	CHECK(cu.cuStreamSynchronize(stream));
	return unused;
}

int main(int argc, char **argv)
{
	const unsigned int nr_threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	static const char *const names[] = { "steady_a", "steady_b", "steady_c", "steady_d" };
	pthread_t threads[MAX_THREADS];
	CUmodule module = NULL;
	if (argc > 1)
		nr_launches = (unsigned int)atoi(argv[1]);
	if (argc > 3)
		burst_ns = 1000000l * BURST / atoi(argv[3]);
	if (nr_threads > MAX_THREADS)
		return 2;
	driver_open("getproc");
	context = driver_start();
	CHECK(cu.cuModuleLoadData(&module, "steady_a" PARAMETERS "steady_b" PARAMETERS
					   "steady_c" PARAMETERS "steady_d" PARAMETERS));
	for (int i = 0; i < 4; i++)
		functions[i] = kernel_named(module, names[i]);
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_create(&threads[t], NULL, run, NULL);
	for (unsigned int t = 0; t < nr_threads; t++)
		pthread_join(threads[t], NULL);
	printf("%u launches\n", nr_threads * nr_launches);
	return 0;
}
