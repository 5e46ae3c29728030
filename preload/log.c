/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat stderr_at_start;

struct line {
	char text[1024];
	size_t used;
};

static void line_add(struct line *l, const char *s)
{
	size_t n = strlen(s);

	if (n > sizeof(l->text) - l->used)
		n = sizeof(l->text) - l->used;
	memcpy(l->text + l->used, s, n);
	l->used += n;
}

void log_remember(void)
{
	if (fstat(STDERR_FILENO, &stderr_at_start) < 0)
		stderr_at_start = (struct stat){ 0 };
}

/*
 * A program that has closed its standard error may have data behind the number: a terminal, and
 * what is appended to, is somewhere to say something, and so is what was there at the start.
 */
static bool is_stderr(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		return errno != EBADF; /* a sandbox may not let us look */
	return (st.st_dev == stderr_at_start.st_dev && st.st_ino == stderr_at_start.st_ino) ||
	       S_ISCHR(st.st_mode) ||
	       (S_ISREG(st.st_mode) && fcntl(STDERR_FILENO, F_GETFL) & O_APPEND);
}

void log_parts(const char *first, ...)
{
	const int saved = errno;
	struct line l = { .used = 0 };
	va_list parts;

	line_add(&l, "ttitrace: ");
	va_start(parts, first);
	for (const char *s = first; s; s = va_arg(parts, const char *))
		line_add(&l, s);
	va_end(parts);
	if (l.used == sizeof(l.text))
		l.used--;
	l.text[l.used++] = '\n';
	if (is_stderr() && write(STDERR_FILENO, l.text, l.used) < 0) {
		/* Nobody is listening: nothing left to tell it to. */
	}
	errno = saved;
}
