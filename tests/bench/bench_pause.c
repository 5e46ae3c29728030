/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_pause.c - what recording costs, within one process: it is paused and resumed between turns
 * of 1,000 launches, so that whatever else the machine does hits both alike.  Prints nanoseconds of
 * a launch, paused and recorded: median and 99th percentile, and the difference.
 *
 * Each launch is timed by itself; what reading the clock takes is in both.
 */
#include "tests/programs/way/way.h"

#include <time.h>

#include "ttitrace/ttitrace.h"

enum { TURN = 1000, NR_SHAPES = 64 };

static CUfunction function;

struct sample {
	double *ns;
	size_t nr;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void turn(struct sample *s)
{
	for (unsigned int i = 0; i < NR_SHAPES; i++)
		CHECK(launch(function, i + 1, 1, 1, NULL));
	for (unsigned int i = 0; i < TURN; i++) {
		const double begin = now_ns();

		CHECK(launch(function, i % NR_SHAPES + 1, 1, 1, NULL));
		s->ns[s->nr++] = now_ns() - begin;
	}
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(struct sample *s, size_t percent)
{
	qsort(s->ns, s->nr, sizeof(*s->ns), by_size);
	return s->ns[s->nr * percent / 100];
}

int main(int argc, char **argv)
{
	const size_t turns = argc > 1 ? (size_t)atoi(argv[1]) : 200;
	struct sample paused = { .ns = malloc(turns * TURN * sizeof(double)) };
	struct sample recorded = { .ns = malloc(turns * TURN * sizeof(double)) };
	CUmodule module = NULL;

	if (!turns || !paused.ns || !recorded.ns)
		return 2;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "kernel" PARAMETERS));
	function = kernel_named(module, "kernel");
	turn(&recorded);
	recorded.nr = 0;
	for (size_t i = 0; i < turns; i++) {
		if (ttitrace_pause)
			ttitrace_pause();
		turn(&paused);
		if (ttitrace_resume)
			ttitrace_resume();
		turn(&recorded);
	}
	printf("paused %.0f %.0f recorded %.0f %.0f difference %.0f %.0f\n",
	       percentile(&paused, 50), percentile(&paused, 99), percentile(&recorded, 50),
	       percentile(&recorded, 99), percentile(&recorded, 50) - percentile(&paused, 50),
	       percentile(&recorded, 99) - percentile(&paused, 99));
	free(paused.ns);
	free(recorded.ns);
	return 0;
}
