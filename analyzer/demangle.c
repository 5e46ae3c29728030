/* SPDX-License-Identifier: Apache-2.0 */
#include "demangle.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

struct demangling {
	jmp_buf overflow;
	size_t length;
	char text[DEMANGLE_MAX_BYTES + 1];
};

/*
 * A short mangled name can stand for an endless text, since a substitution may repeat two earlier
 * ones.  libiberty offers no way to stop but to leave; it holds nothing on the heap while it
 * prints, so nothing is lost.
 */
static void demangling_append(const char *part, size_t n, void *opaque)
{
	struct demangling *const d = opaque;

	if (n > DEMANGLE_MAX_BYTES - d->length)
		longjmp(d->overflow, 1);
	memcpy(d->text + d->length, part, n);
	d->length += n;
}

static bool demangling_run(struct demangling *d, const char *name)
{
	if (setjmp(d->overflow))
		return false;
	return cplus_demangle_v3_callback(name, DMGL_PARAMS | DMGL_ANSI, demangling_append, d);
}

char *demangle(const char *name)
{
	struct demangling *d;
	char *ret;

	if (strncmp(name, "_Z", 2) != 0)
		return strdup(name);
	d = malloc(sizeof(*d));
	if (!d)
		return NULL;
	d->length = 0;
	ret = demangling_run(d, name) ? strndup(d->text, d->length) : strdup(name);
	free(d);
	return ret;
}
