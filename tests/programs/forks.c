/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forks.c - what children do, by the first argument:
 *   before   the child is made before cuInit; both launch
 *   after    the parent launches, forks; the child tries and is refused
 *   exits    the parent launches, forks; the child only exits
 *   _exits   the same with _exit
 *   execs    the parent launches, forks; the child becomes a program that launches
 *   spawns   the same by posix_spawn
 *   vforks   the same by vfork, and another child of vfork that ends at once
 *   systems  the same by system() and popen(), beside shells and programs without CUDA
 *   storms   a thread launches all the time while 50 children come and go
 *   becomes  no child: the program itself becomes another that launches
 */
#include "tests/programs/way/way.h"

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static CUcontext context;
static CUfunction f;

static void start(void)
{
	CUmodule module = NULL;
	driver_open("getproc");
	context = driver_start();
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

static pid_t vfork_two(char **again)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(1);
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (pid == 0) {
		execv(again[0], again);
		_exit(2);
	}
	return pid;
}

static void run_shells(void)
{
	char line[256], program[4096] = "";
	FILE *pipe;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		exit(3);
	setenv("PROGRAM", program, 1);
	if (system("true; sh -c 'cat /dev/null; \"$PROGRAM\" alone'"))
		exit(3);
	pipe = popen("ls / | sort | tail -1; \"$PROGRAM\" alone", "r");
	while (pipe && fgets(line, sizeof(line), pipe)) {
	}
	pclose(pipe);
}

static _Atomic bool is_over;
static _Atomic unsigned int nr_stormy;

static void *launch_all_the_time(void *unused)
{
	CHECK(cu.cuCtxSetCurrent(context));
	while (!is_over) {
		CHECK(launch(f, ++nr_stormy, 1, 1, NULL));
		usleep(20);
	}
	return unused;
}

static void storm(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, launch_all_the_time, NULL);
	for (int i = 0; i < 50; i++) {
		const pid_t pid = fork();
		if (pid == 0 && i % 2)
			exit(0);
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	is_over = true;
	pthread_join(thread, NULL);
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
	if (!strcmp(what, "systems") || !strcmp(what, "storms")) {
		strcmp(what, "storms") ? run_shells() : storm();
		return 0;
	}
	if (!strcmp(what, "spawns"))
		posix_spawn(&pid, again[0], NULL, NULL, again, environ);
	else
		pid = strcmp(what, "vforks") ? fork() : vfork_two(again);
	if (pid == 0)
		return child(what, again);
	if (!strcmp(what, "before"))
		start();
	launch_some(5);
	waitpid(pid, &status, 0);
	printf("child ended with %d\n", status);
	return 0;
}
