/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forks.c - what children do, by the first argument:
 *   before   the child is made before cuInit; both launch
 *   after    the parent launches, forks; the child tries and is refused
 *   exits    the parent launches, forks; the child only exits
 *   _exits   the same with _exit
 *   execs    the parent launches, forks; the child becomes a program that launches
 *   spawns   the same by posix_spawn
 *   becomes  no child: the program itself becomes another that launches
 */
#include "tests/programs/way/way.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static CUfunction f;

static void start(void)
{
	CUmodule module = NULL;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "forked" PARAMETERS));
	f = kernel_named(module, "forked");
}

static void launch_some(unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++)
		CHECK(launch(f, i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
}

static int child(const char *what, char **again)
{
	if (!strcmp(what, "before")) {
		start();
		launch_some(20);
	} else if (!strcmp(what, "after")) {
		printf("child: %d\n", (int)launch(f, 1, 1, 1, NULL));
	} else if (!strcmp(what, "_exits")) {
		_exit(0);
	} else if (!strcmp(what, "execs")) {
		execv(again[0], again);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "before";
	char self[] = "/proc/self/exe", alone[] = "alone";
	char *again[] = { self, alone, NULL };
	int status = 0;
	pid_t pid = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "before"))
		start();
	if (!strcmp(what, "alone")) {
		launch_some(30);
		return 0;
	}
	if (strcmp(what, "before"))
		launch_some(10);
	if (!strcmp(what, "becomes"))
		return execv(again[0], again);
	if (!strcmp(what, "spawns"))
		posix_spawn(&pid, again[0], NULL, NULL, again, environ);
	else
		pid = fork();
	if (pid == 0)
		return child(what, again);
	if (!strcmp(what, "before"))
		start();
	launch_some(5);
	waitpid(pid, &status, 0);
	printf("child ended with %d\n", status);
	return 0;
}
