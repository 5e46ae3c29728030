/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

#define DEFAULT_NAME "ttitrace-%h-%p.ttt"

static char directory[2048];

/* A string being built; too long: `full`. */
struct text {
	char *data;
	size_t size, used;
	bool full;
};

static void text_add(struct text *t, const char *s, size_t n)
{
	if (n >= t->size - t->used) {
		t->full = true;
		return;
	}
	memcpy(t->data + t->used, s, n);
	t->used += n;
	t->data[t->used] = '\0';
}

static void text_add_number(struct text *t, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + value % 10);
	while (value /= 10);
	text_add(t, digits + n, sizeof(digits) - n);
}

const char *trace_path_rank(void)
{
	/* The last has the rank among those of one machine only. */
	static const char *const variables[] = {
		"RANK",      "OMPI_COMM_WORLD_RANK", "PMI_RANK",
		"PMIX_RANK", "SLURM_PROCID",         "LOCAL_RANK"
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *rank = getenv(variables[i]);

		if (rank && *rank && !strchr(rank, '/'))
			return rank;
	}
	return "";
}

static void text_add_host(struct text *t)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	text_add(t, *host ? host : "host", strcspn(*host ? host : "host", "/"));
}

static void text_add_pattern(struct text *t, const char *pattern)
{
	for (const char *c = pattern; *c; c++) {
		const char *rank = trace_path_rank();

		if (*c != '%' || !c[1]) {
			text_add(t, c, 1);
			continue;
		}
		switch (*++c) {
		case 'h':
			text_add_host(t);
			break;
		case 'p':
			text_add_number(t, (uint64_t)getpid());
			break;
		case 'r':
			text_add(t, *rank ? rank : "0", strlen(*rank ? rank : "0"));
			break;
		default: /* %% and what is not ours */
			if (*c != '%')
				text_add(t, "%", 1);
			text_add(t, c, 1);
		}
	}
}

static bool is_directory(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

bool trace_path_make(int attempt, char *path, size_t size)
{
	struct text t = { .data = path, .size = size };
	size_t stem;

	if (options.output[0] != '/') {
		text_add(&t, directory, strlen(directory));
		text_add(&t, "/", 1);
	}
	text_add_pattern(&t, options.output);
	if (is_directory(path)) {
		text_add(&t, "/", 1);
		text_add_pattern(&t, DEFAULT_NAME);
	}
	stem = t.used > 4 && strcmp(path + t.used - 4, ".ttt") == 0 ? t.used - 4 : 0;
	if (attempt) {
		t.used = stem ? stem : t.used;
		text_add(&t, "-", 1);
		text_add_number(&t, (uint64_t)attempt);
		text_add(&t, ".ttt", stem ? 4 : 0);
	}
	return !t.full;
}

void trace_path_remember_directory(void)
{
	if (options.output[0] != '/' && !getcwd(directory, sizeof(directory)))
		directory[0] = '\0';
}
