/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endings.c - launches 1000 kernels, waits for them, and ends: HOW [MILLISECONDS before].
 * return exit _exit _Exit quick_exit abort kill segv term pthread_exit exec destroy
 */
#include "tests/programs/way/way.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void at_exit(void)
{
	printf("atexit ran\n");
	fflush(stdout);
}

static void *exit_later(void *unused)
{
	usleep(100000);
	exit(11);
	return unused;
}

static void end_by_another_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exit_later, NULL);
	pthread_exit(NULL);
}

static void end(const char *how)
{
	if (!strcmp(how, "exit"))
		exit(7);
	if (!strcmp(how, "_exit"))
		_exit(8);
	if (!strcmp(how, "_Exit"))
		_Exit(9);
	if (!strcmp(how, "quick_exit"))
		quick_exit(10);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "term"))
		raise(SIGTERM);
	if (!strcmp(how, "pthread_exit"))
		end_by_another_thread();
	if (!strcmp(how, "exec"))
		execl("/bin/echo", "echo", "after exec", (char *)NULL);
	if (!strcmp(how, "destroy"))
		CHECK(cu.cuDevicePrimaryCtxRelease_v2(0));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";
	CUmodule module = NULL;
	driver_open("getproc");
	driver_start();
	atexit(at_exit);
	at_quick_exit(at_exit);
	CHECK(cu.cuModuleLoadData(&module, "last_words" PARAMETERS));
	for (unsigned int i = 1; i <= 1000; i++)
		CHECK(launch(kernel_named(module, "last_words"), i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
	printf("launched\n");
	fflush(stdout);
	if (argc > 2)
		usleep((unsigned int)atoi(argv[2]) * 1000);
	end(how);
	return 6;
}
