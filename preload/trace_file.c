/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "ttitrace/format.h"

#define NAMES_MAX    100 /* name, name-1, ... before giving up */

#define DEFAULT_NAME "ttitrace-%h-%p.ttt"

static char directory[2048];
static char path[4096];
static int fd = -1;
static off_t whole_bytes; /* of the file: all frames that are in it whole */
static bool has_complained;

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

static const char *text_of_error(void)
{
	const char *s = strerrordesc_np(errno);

	return s ? s : "unknown error";
}

const char *trace_file_rank(void)
{
	static const char *const variables[] = { "RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK",
						 "SLURM_PROCID" };

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
		const char *rank = trace_file_rank();

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

/* The whole name, with `-1` and so on before a final .ttt from the second try on. */
static bool make_path(int attempt)
{
	struct text t = { .data = path, .size = sizeof(path) };
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

void trace_file_remember_directory(void)
{
	if (options.output[0] != '/' && !getcwd(directory, sizeof(directory)))
		directory[0] = '\0';
}

static bool write_all(const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size) {
		const ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

bool trace_file_append(const void *frame, size_t size)
{
	if (fd < 0)
		return false;
	if (write_all(frame, size)) {
		whole_bytes += (off_t)size;
		return true;
	}
	if (!has_complained)
		log_line("cannot write ", path, ": ", text_of_error(),
			 "; the program goes on, what is lost is counted");
	has_complained = true;
	/* If even this fails, the file ends in a piece of a frame: readers stop before it. */
	if (ftruncate(fd, whole_bytes) == 0)
		lseek(fd, whole_bytes, SEEK_SET);
	return false;
}

static bool write_header(void)
{
	struct tti_file_header h = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(h) - offsetof(struct tti_file_header, magic),
		.major = TTI_FORMAT_MAJOR,
		.minor = TTI_FORMAT_MINOR,
		.level = (uint8_t)options.level,
	};

	memcpy(h.magic, TTI_MAGIC, sizeof(h.magic));
	return trace_file_append(&h, sizeof(h));
}

bool trace_file_create(void)
{
	for (int attempt = 0; attempt < NAMES_MAX && fd < 0; attempt++) {
		if (!make_path(attempt)) {
			log_line("nothing is recorded: TTITRACE_OUTPUT is too long");
			return false;
		}
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		log_line("nothing is recorded: cannot create ", path, ": ", text_of_error());
		return false;
	}
	if (options.verbose)
		log_line("writing ", path);
	whole_bytes = 0;
	if (!write_header()) {
		unlink(path);
		trace_file_forget();
		return false;
	}
	return true;
}

const char *trace_file_path(void)
{
	return fd < 0 ? NULL : path;
}

void trace_file_forget(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}
