/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - every string once: two strings are equal if and only if their pointers are. */
#ifndef ANALYZER_NAMES_H
#define ANALYZER_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
	struct name *next; /* of the same hash bucket */
	uint64_t hash;
	size_t size;
	char text[]; /* ended by a zero byte behind size bytes, which may hold others */
};

struct names; /* shared by all traces of a run */

struct names *names_new(void);    /* NULL: no memory */
void names_free(struct names *n); /* accepts NULL */

/* NULL: no memory, or beyond what a run may define. */
const struct name *names_intern(struct names *n, const char *text, size_t size);

#endif
