/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT };
enum { NR_PASSED_ON = sizeof(passed_on) / sizeof(*passed_on) };

static volatile pid_t child;

/* What the terminal sends goes to the whole foreground group: the child has it already. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	const int saved = errno;

	(void)context;
	if (info->si_code != SI_KERNEL && child > 0)
		kill(child, signal);
	errno = saved;
}

static void install_handlers(void)
{
	const struct sigaction action = { .sa_sigaction = pass_on,
					  .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction before;

	for (size_t i = 0; i < NR_PASSED_ON; i++)
		/* Under nohup a hang-up stays ignored. */
		if (sigaction(passed_on[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(passed_on[i], &action, NULL);
}

static void exec_or_tell(char **argv, int fd)
{
	int err;

	execvp(argv[0], argv);
	err = errno;
	while (write(fd, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* The errno of a failed exec, or 0 when the pipe closed because it succeeded. */
static int exec_error(int fd)
{
	int err = 0;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 0;
}

static int wait_for_child(void)
{
	for (;;) {
		int status;

		if (waitpid(child, &status, WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (WIFSTOPPED(status)) {
			/* Whoever waits for us must see a stop, and its continuing us is for both.
			 */
			raise(SIGSTOP);
			kill(child, SIGCONT);
			continue;
		}
		return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

int child_run(char **argv, struct diag *diag)
{
	sigset_t all, before;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return diag_set(diag, -errno, "cannot make a pipe: %s", strerror(errno));
	/* A signal that comes before the handlers are there would be lost. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		exec_or_tell(argv, fds[1]);
	}
	err = child < 0 ? errno : 0;
	if (child > 0)
		install_handlers();
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (!err)
		err = exec_error(fds[0]);
	close(fds[0]);
	if (err) {
		if (child > 0)
			waitpid(child, NULL, 0);
		return diag_set(diag, -err, "%s: %s", argv[0], strerror(err));
	}
	return wait_for_child();
}
