/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

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
	if (write(STDERR_FILENO, l.text, l.used) < 0) {
		/* Nobody is listening: nothing left to tell it to. */
	}
	errno = saved;
}
