/* SPDX-License-Identifier: Apache-2.0 */
#include "record_setup.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_VARIABLE "TTITRACE_OUTPUT"

static const char default_name[] = "ttitrace-%h-%p.ttt";

/* Where a build tree and installations have it, as seen from the executable's directory. */
static const char *const places[] = {
	"libttitrace.so",          "../lib/ttitrace/libttitrace.so",     "../lib/libttitrace.so",
	"../lib64/libttitrace.so", "../lib/*-linux-gnu*/libttitrace.so",
};

static bool take_path(struct record_setup *s, const char *path)
{
	return access(path, R_OK) == 0 && realpath(path, s->library);
}

static bool take_pattern(struct record_setup *s, const char *pattern)
{
	glob_t found;
	bool taken = false;

	if (glob(pattern, 0, NULL, &found) == 0) {
		taken = take_path(s, found.gl_pathv[0]);
		globfree(&found);
	}
	return taken;
}

static bool take_place(struct record_setup *s, const char *directory, const char *place)
{
	char *path;
	bool taken;

	if (asprintf(&path, "%s/%s", directory, place) < 0)
		return false;
	taken = strchr(place, '*') ? take_pattern(s, path) : take_path(s, path);
	free(path);
	return taken;
}

int record_find_library(struct record_setup *s, struct diag *diag)
{
	const char *wanted = getenv("TTITRACE_LIBRARY");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (wanted && *wanted)
		return take_path(s, wanted) ? 0
					    : diag_set(diag, -ENOENT, "TTITRACE_LIBRARY=%s: %s",
						       wanted, strerror(errno));
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (take_place(s, self, places[i]))
			return 0;
	return diag_set(diag, -ENOENT,
			"libttitrace.so is neither beside %s/ttitrace nor in ../lib: build it "
			"(make), or set TTITRACE_LIBRARY",
			self);
}

static int set_preload(const struct record_setup *s, struct diag *diag)
{
	const char *before = getenv("LD_PRELOAD");
	char *value;
	int r = 0;

	/* The loader splits the list at both and knows no escapes. */
	if (strpbrk(s->library, " :"))
		return diag_set(diag, -EINVAL, "%s: the loader takes no path with a space or colon",
				s->library);
	if (asprintf(&value, "%s%s%s", s->library, before && *before ? ":" : "",
		     before ? before : "") < 0)
		return diag_set(diag, -ENOMEM, "no memory");
	if (setenv("LD_PRELOAD", value, 1) < 0)
		r = diag_set(diag, -errno, "%s", strerror(errno));
	free(value);
	return r;
}

/* A percent sign of the directory's name is none of the pattern. */
static char *quoted_directory(void)
{
	char *directory = getcwd(NULL, 0);
	char *quoted = directory ? malloc(2 * strlen(directory) + 1) : NULL;
	char *out = quoted;

	for (const char *c = directory; quoted && *c; c++) {
		if (*c == '%')
			*out++ = '%';
		*out++ = *c;
	}
	if (quoted)
		*out = '\0';
	free(directory);
	return quoted;
}

static char *absolute_pattern(const char *pattern)
{
	char *directory, *absolute;

	if (pattern[0] == '/')
		return strdup(pattern);
	directory = quoted_directory();
	if (!directory || asprintf(&absolute, "%s/%s", directory, pattern) < 0)
		absolute = NULL;
	free(directory);
	return absolute;
}

/* The directory that a pattern puts its traces into, unless that differs by process. */
static void find_directory(const char *pattern, char *ret_directory, size_t size)
{
	const char *slash = strrchr(pattern, '/');
	struct stat st;
	size_t used = 0;

	ret_directory[0] = '\0';
	if (stat(pattern, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(ret_directory, size, "%s", pattern);
		return;
	}
	for (const char *c = pattern; c < slash && used + 1 < size; c++) {
		if (c[0] == '%' && c[1] != '%') {
			ret_directory[0] = '\0';
			return;
		}
		c += c[0] == '%';
		ret_directory[used++] = *c;
		ret_directory[used] = '\0';
	}
}

static int set_output(struct record_setup *s, struct diag *diag)
{
	const char *wanted = getenv(OUTPUT_VARIABLE);
	char *pattern = absolute_pattern(wanted && *wanted ? wanted : default_name);
	char *here = getcwd(NULL, 0);
	int r = 0;

	if (!pattern || setenv(OUTPUT_VARIABLE, pattern, 1) < 0)
		r = diag_set(diag, -ENOMEM, "no memory");
	else
		find_directory(pattern, s->directory, sizeof(s->directory));
	/* Paths are told as short as the user would write them. */
	if (here && !strcmp(here, s->directory))
		strcpy(s->directory, ".");
	free(here);
	free(pattern);
	return r;
}

int record_set_environment(struct record_setup *s, struct diag *diag)
{
	struct timespec now;
	int r = set_preload(s, diag);

	if (r == 0)
		r = set_output(s, diag);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(s->run_id, sizeof(s->run_id), "%lld.%09ld-%d", (long long)now.tv_sec, now.tv_nsec,
		 (int)getpid());
	if (setenv("TTITRACE_RUN", s->run_id, 1) < 0)
		return diag_set(diag, -ENOMEM, "no memory");
	return 0;
}
