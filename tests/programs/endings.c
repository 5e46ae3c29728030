/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endings.c - launches 1000 kernels, waits for them, and ends: HOW [MILLISECONDS before].
 * return exit _exit _Exit quick_exit abort kill segv term pthread_exit destroy
 * exec and its kinds: becomes echo; exec_in_vain: fails to, launches 500 more, returns
 * daemon, daemonise: the child goes on without CUDA; exit_group: as the kernel offers it
 */
#include "tests/programs/way/way.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

static void become_echo(const char *how)
{
	char name[] = "echo", text[] = "after exec", variable[] = "X=1";
	char *argv[] = { name, text, NULL }, *envp[] = { variable, NULL };
	const char *path = "/bin/echo";
	if (!strcmp(how, "exec") || !strcmp(how, "execl"))
		execl(path, argv[0], argv[1], (char *)NULL);
	if (!strcmp(how, "execlp"))
		execlp("echo", argv[0], argv[1], (char *)NULL);
	if (!strcmp(how, "execle"))
		execle(path, argv[0], argv[1], (char *)NULL, envp);
	if (!strcmp(how, "execv"))
		execv(path, argv);
	if (!strcmp(how, "execve"))
		execve(path, argv, envp);
	if (!strcmp(how, "execvp"))
		execvp("echo", argv);
	if (!strcmp(how, "execvpe"))
		execvpe("echo", argv, envp);
	if (!strcmp(how, "fexecve"))
		fexecve(open(path, O_RDONLY | O_CLOEXEC), argv, envp);
	if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, path, argv, envp, 0);
}

static void launch_many(unsigned int n)
{
	static CUmodule module;
	if (!module)
		CHECK(cu.cuModuleLoadData(&module, "last_words" PARAMETERS));
	for (unsigned int i = 1; i <= n; i++)
		CHECK(launch(kernel_named(module, "last_words"), i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
}

static void become_nothing(void)
{
	char name[] = "x", *argv[] = { name, NULL };
	/* No such file; and one that looks as if it could be. */
	printf("exec: %d %d\n", execvp("/nonexistent", argv), execv("/", argv));
	launch_many(500);
}

/* By the book: two forks, a session of its own, nothing open. */
static void daemonise(void)
{
	if (fork() > 0)
		_exit(12);
	setsid();
	if (fork() > 0)
		_exit(0);
	closefrom(0);
	_exit(0);
}

static void end(const char *how)
{
	if (!strncmp(how, "exec", 4) || !strncmp(how, "fexec", 5))
		become_echo(how);
	if (!strcmp(how, "exec_in_vain"))
		become_nothing();
	if (!strcmp(how, "daemon") && daemon(1, 1) == 0)
		_exit(0);
	if (!strcmp(how, "daemonise"))
		daemonise();
	if (!strcmp(how, "exit_group"))
		syscall(SYS_exit_group, 13);
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
	if (!strcmp(how, "destroy"))
		CHECK(cu.cuDevicePrimaryCtxRelease_v2(0));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";
	driver_open("getproc");
	driver_start();
	atexit(at_exit);
	at_quick_exit(at_exit);
	launch_many(1000);
	printf("launched\n");
	fflush(stdout);
	if (argc > 2)
		usleep((unsigned int)atoi(argv[2]) * 1000);
	end(how);
	return 6;
}
