/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stacks.c - launches from different depths, and says what libc thinks the stack is: a line per
 * launch, its number (the x of its grid) and the return addresses, innermost first.  The first
 * of them is in the function that launches, where this program asked libc.
 */
#include "tests/programs/way/way.h"

#include <execinfo.h>
#include <pthread.h>

#define MAX_DEPTH 512

static CUfunction function;
static CUcontext context;
static unsigned int count;

static __attribute__((noinline)) void launch_here(void)
{
	void *addresses[MAX_DEPTH];
	const int n = backtrace(addresses, MAX_DEPTH);
	int zero = 0;
	void *parameters[] = { &zero, &zero };

	printf("%u", ++count);
	for (int i = 0; i < n; i++)
		printf(" %p", addresses[i]);
	printf("\n");
	CHECK(cu.cuLaunchKernel(function, count, 1, 1, 1, 1, 1, 0, NULL, parameters, NULL));
	/* Not the last thing it does: a jump would take the frame away. */
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void down(int depth)
{
	if (depth)
		down(depth - 1);
	else
		launch_here();
	__asm__ volatile("" ::: "memory");
}

static int by_launching(const void *a, const void *b)
{
	launch_here();
	return *(const int *)a - *(const int *)b;
}

static void *run(void *unused)
{
	CHECK(cu.cuCtxSetCurrent(context));
	down(2);
	launch_here();
	return unused;
}

int main(void)
{
	int numbers[] = { 3, 1, 2 };
	pthread_t thread;
	CUmodule module = NULL;

	driver_open("getproc");
	context = driver_start();
	CHECK(cu.cuModuleLoadData(&module, "kernel" PARAMETERS));
	function = kernel_named(module, "kernel");
	for (int i = 0; i < 3; i++) {
		launch_here();
		down(3);
		down(200);
	}
	qsort(numbers, 3, sizeof(*numbers), by_launching);
	pthread_create(&thread, NULL, run, NULL);
	pthread_join(thread, NULL);
	down(1);
	return 0;
}
