/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows.c - launches before, between and after what opens and closes a window: SCENARIO
 *   profiler   five before, seven between cuProfilerStart and Stop, twice, three after
 *   range      ten steps of four launches in NVTX ranges, one launch between
 *   pause      the program pauses and resumes by itself
 *   toggle     eight threads launch while the program pauses and resumes a thousand times a second
 *   nested     a range that opens, within it a hundred others, one launch in the innermost and one
 *              behind them all; then one more outside
 *   count      100 launches
 *   capture    a graph captured while the window is closed, replayed twice inside
 *   wait       launches a hundred times a second until its standard input ends
 * The grid of each launch is its number, from 1 on.
 */
#include "tests/programs/way/way.h"

#include <nvtx3/nvToolsExt.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "ttitrace/ttitrace.h"

static CUfunction work;
static CUstream stream;
static CUcontext context;
static unsigned int nr;

static void run(unsigned int n)
{
	while (n--)
		CHECK(launch(work, ++nr, 1, 1, stream));
	CHECK(cu.cuStreamSynchronize(stream));
}

static void profiler(void)
{
	run(5);
	for (int i = 0; i < 2; i++) {
		CHECK(cu.cuProfilerStart());
		run(7);
		CHECK(cu.cuProfilerStop());
		run(3);
	}
}

static void range(void)
{
	char text[32];

	for (int step = 0; step < 10; step++) {
		snprintf(text, sizeof(text), "step %d", step);
		nvtxRangePushA("outside");
		nvtxRangePushA(text);
		run(4);
		nvtxRangePop();
		run(1);
		nvtxRangePop();
	}
}

static void pauses(void)
{
	run(10);
	if (ttitrace_pause)
		ttitrace_pause();
	run(20);
	if (ttitrace_mark)
		ttitrace_mark("half");
	if (ttitrace_resume)
		ttitrace_resume();
	run(30);
}

static _Atomic bool is_over;

static void *launch_until_over(void *number)
{
	CHECK(cu.cuCtxSetCurrent(context));
	while (!is_over) {
		CHECK(launch(work, (unsigned int)(uintptr_t)number, 1, 1, stream));
		usleep(20);
	}
	return NULL;
}

static void toggle(void)
{
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, launch_until_over, (void *)(i + 1));
	for (int i = 0; i < 1000; i++) {
		if (ttitrace_pause)
			ttitrace_pause();
		usleep(400);
		if (ttitrace_resume)
			ttitrace_resume();
		usleep(600);
	}
	is_over = true;
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CHECK(cu.cuStreamSynchronize(stream));
}

static void nested(void)
{
	nvtxRangePushA("step");
	for (int i = 0; i < 100; i++)
		nvtxRangePushA("inside");
	run(1);
	for (int i = 0; i < 100; i++)
		nvtxRangePop();
	run(1);
	nvtxRangePop();
	run(1);
}

static void capture(void)
{
	CUgraph graph = NULL;
	CUgraphExec exec = NULL;

	run(1);
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	for (int i = 0; i < 6; i++)
		CHECK(launch(work, ++nr, 1, 1, stream));
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuProfilerStart());
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuProfilerStop());
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuStreamSynchronize(stream));
}

static void wait_for_end(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	puts("ready");
	fflush(stdout);
	/* A signal ends a poll early. */
	while (poll(&input, 1, 10) != 1)
		run(1);
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "";
	CUmodule module = NULL;

	driver_open("getproc");
	context = driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuModuleLoadData(&module, "work" PARAMETERS));
	work = kernel_named(module, "work");
	if (!strcmp(scenario, "profiler"))
		profiler();
	else if (!strcmp(scenario, "range"))
		range();
	else if (!strcmp(scenario, "pause"))
		pauses();
	else if (!strcmp(scenario, "toggle"))
		toggle();
	else if (!strcmp(scenario, "nested"))
		nested();
	else if (!strcmp(scenario, "count"))
		run(100);
	else if (!strcmp(scenario, "capture"))
		capture();
	else if (!strcmp(scenario, "wait"))
		wait_for_end();
	else
		return 2;
	return 0;
}
