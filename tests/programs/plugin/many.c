/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many.c - launches for tests/bench/paths.py, which would otherwise measure how ctypes passes
 * arguments.
 */
#include "tests/programs/way/way.h"

#include <time.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void many_start(void);
EXPORT void many_launch(void);
EXPORT double many_launches(unsigned int n);

static CUfunction function;

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
