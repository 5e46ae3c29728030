/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and closes the window of a process that is being recorded: a word in a file beside its
 * trace, which the library's own thread looks for and takes away.
 */
#include <argp.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

/* The library looks five times a second, unless --flush-ms says otherwise. */
enum { LOOK_MS = 20, PATIENCE_MS = 5000, LEVELS_MAX = 8 };

struct ctl_options {
	const char *target; /* process id, or path of the trace */
	const char *word;
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct ctl_options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			o->target = arg;
		else if (state->arg_num == 1 && (!strcmp(arg, "start") || !strcmp(arg, "stop")))
			o->word = arg;
		else
			argp_error(state, "'%s' is not understood here", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->word)
			argp_error(state, "a process and start or stop are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = take_option,
	.args_doc = "PID|TRACE start|stop",
	.doc = "Begin or pause recording in a process that runs under ttitrace.\v"
	       "  ttitrace record --window closed -- python serve.py &\n"
	       "  ttitrace ctl $! start; sleep 5; ttitrace ctl $! stop\n"
	       "  ttitrace report\n\n"
	       "What was recorded is in the file when 'stop' returns.",
};

static bool is_number(const char *text)
{
	while (isdigit((unsigned char)*text))
		text++;
	return !*text;
}

static bool is_trace(const char *path)
{
	const size_t size = strlen(path);

	return size > 4 && !strcmp(path + size - 4, ".ttt");
}

/* Whoever reads a trace, for a report, does not record it. */
static bool is_written(const char *pid, const char *fd)
{
	char path[64];
	unsigned long flags = O_RDONLY;
	char line[64];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "flags:", strlen("flags:")))
			flags = strtoul(line + strlen("flags:"), NULL, 8);
	if (info)
		fclose(info);
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* The trace that the process has open, as seen from here: it may run in a container. */
static int find_own_trace(const char *pid, char *path, size_t size, struct diag *diag)
{
	char fds[64], link[PATH_MAX];
	const struct dirent *entry;
	DIR *directory;
	int r = -ENOENT;

	snprintf(fds, sizeof(fds), "/proc/%.20s/fd", pid);
	directory = opendir(fds);
	if (!directory)
		return diag_set(diag, -errno, "process %s: %s", pid,
				errno == ENOENT ? "there is none" : strerror(errno));
	while (r < 0 && (entry = readdir(directory))) {
		const ssize_t n =
			readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		if (!is_trace(link) || !is_written(pid, entry->d_name))
			continue;
		snprintf(path, size, "/proc/%.20s/root%s", pid, link);
		r = 0;
	}
	closedir(directory);
	if (r < 0)
		return diag_set(diag, r, "process %s records nothing (yet)", pid);
	return 0;
}

/* Its own, or of the first process below it that has one: `record` and shells have none. */
static int find_trace(const char *pid, size_t level, char *path, size_t size, struct diag *diag)
{
	char children[64], child[24];
	int r = find_own_trace(pid, path, size, diag);
	FILE *list;

	if (r != -ENOENT || !level)
		return r;
	snprintf(children, sizeof(children), "/proc/%.20s/task/%.20s/children", pid, pid);
	list = fopen(children, "re");
	while (list && r < 0 && fscanf(list, "%20s", child) == 1)
		r = find_trace(child, level - 1, path, size, &(struct diag){ "" });
	if (list)
		fclose(list);
	return r;
}

/* Whole at once, and of this user alone. */
static int leave_word(const char *path, const char *word, struct diag *diag)
{
	char unfinished[PATH_MAX + 128];
	int fd, r = 0;

	snprintf(unfinished, sizeof(unfinished), "%s.%ld", path, (long)getpid());
	fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return diag_set(diag, -errno, "%s: %s", unfinished, strerror(errno));
	if (dprintf(fd, "%s\n", word) < 0 || rename(unfinished, path) < 0) {
		r = diag_set(diag, -errno, "%s: %s", path, strerror(errno));
		unlink(unfinished);
	}
	close(fd);
	return r;
}

static int await_answer(const char *path, struct diag *diag)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
		if (access(path, F_OK) < 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	unlink(path);
	return diag_set(diag, -ETIMEDOUT, "nobody answers: the process that records has ended");
}

int cmd_ctl(int argc, char **argv, struct diag *diag)
{
	char trace[PATH_MAX + 64], path[PATH_MAX + 80];
	struct ctl_options o = { 0 };
	int r = 0;

	command_parse(&argp, argc, argv, 0, &o);
	if (is_number(o.target))
		r = find_trace(o.target, LEVELS_MAX, trace, sizeof(trace), diag);
	else if (access(o.target, F_OK) < 0)
		r = diag_set(diag, -errno, "%s: %s", o.target, strerror(errno));
	else
		snprintf(trace, sizeof(trace), "%s", o.target);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s.ctl", trace);
	r = leave_word(path, o.word, diag);
	return r < 0 ? r : await_answer(path, diag);
}
