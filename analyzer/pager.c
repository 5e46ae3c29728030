/* SPDX-License-Identifier: Apache-2.0 */
#include "pager.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_forbidden;
static pid_t pager; /* 0: none */
static int terminal = -1;

void pager_forbid(void)
{
	is_forbidden = true;
}

int pager_output(void)
{
	return terminal >= 0 ? terminal : STDOUT_FILENO;
}

/* NULL: none. */
static const char *choose(void)
{
	const char *command = getenv("TTITRACE_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		command = "less";
	return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

/* Runs at exit: the last text must be on its way before the pager is waited for. */
static void end(void)
{
	fflush(stdout);
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0)
		;
}

/* A command with arguments is the shell's to read; less alone needs none. */
static bool start(const char *command, int input)
{
	const char *plain[] = { command, NULL };
	const char *shell[] = { "sh", "-c", command, NULL };
	const char *const *argv = strcmp(command, "less") != 0 ? shell : plain;
	posix_spawn_file_actions_t actions;
	bool started;

	/* One screen is left as it is, colours pass, and the text stays when the pager ends. */
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	started = posix_spawnp(&pager, argv[0], &actions, NULL, (char *const *)argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return started;
}

void pager_begin(void)
{
	const char *command = choose();
	int ends[2];

	if (pager || is_forbidden || !command || !isatty(STDOUT_FILENO))
		return;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	if (start(command, ends[0])) {
		terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		fflush(stdout);
		dup2(ends[1], STDOUT_FILENO);
		/* Ctrl-C is the pager's: without us it would fight the shell for the keys. */
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		/* Who leaves the pager has read enough: no failure of ours to tell. */
		signal(SIGPIPE, SIG_DFL);
		atexit(end);
	} else {
		pager = 0;
	}
	close(ends[0]);
	close(ends[1]);
}
