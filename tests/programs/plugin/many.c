/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many.c - launches for tests/bench/paths.py, which would otherwise measure how ctypes passes
 * arguments.
 *
 * Between two launches a real program does so much that little of ours is left in the caches: they
 * can be emptied by touching more bytes than a core's own have.
 */
#include "tests/programs/way/way.h"

#include <time.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void many_start(void);
EXPORT void many_launch(void);
EXPORT double many_launches(unsigned int n);
EXPORT void many_empty_caches(void);
EXPORT void many_launch_timed(void);
EXPORT double many_timed_median(void);

#define COLD_BYTES     (3u << 20)
#define DRIVER_NS      3000u /* the driver's part: the stand-in takes it as shared memory */
#define TIMED_LAUNCHES (1u << 20)

static CUfunction function;
static double timed_ns[TIMED_LAUNCHES];
static unsigned int nr_timed;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void many_start(void)
{
	CUmodule module = NULL;

	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "kernel" PARAMETERS));
	function = kernel_named(module, "kernel");
}

void many_launch(void)
{
	CHECK(launch(function, 1, 1, 1, NULL));
}

/* Nanoseconds each. */
double many_launches(unsigned int n)
{
	const double begin = now_ns();

	for (unsigned int i = 0; i < n; i++)
		CHECK(launch(function, i % 16 + 1, 1, 1, NULL));
	return (now_ns() - begin) / n;
}

void many_empty_caches(void)
{
	static volatile char other[COLD_BYTES];

	for (unsigned int i = 0; i < COLD_BYTES; i += 64)
		other[i]++;
}

void many_launch_timed(void)
{
	int number = 1;
	void *pointer = &number, *params[] = { &pointer, &number };
	const double begin = now_ns();

	CHECK(cu.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, DRIVER_NS, NULL, params, NULL));
	if (nr_timed < TIMED_LAUNCHES)
		timed_ns[nr_timed++] = now_ns() - begin;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the timed launches so far; then none are left. */
double many_timed_median(void)
{
	const unsigned int n = nr_timed;

	qsort(timed_ns, n, sizeof(*timed_ns), by_size);
	nr_timed = 0;
	return n ? timed_ns[n / 2] : 0;
}
