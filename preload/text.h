/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - comparing names without a call.
 *
 * dlsym() may not call strcmp(): in a program with a sanitizer that is the sanitizer's, which asks
 * dlsym() where the real one is.
 */
#ifndef PRELOAD_TEXT_H
#define PRELOAD_TEXT_H

#include <stdbool.h>

static inline bool text_begins(const char *text, const char *with)
{
	for (; *with; text++, with++)
		if (*text != *with)
			return false;
	return true;
}

static inline bool text_is(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++) {
	}
	return *a == *b;
}

/* What is behind the last slash of a path. */
static inline const char *text_base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

#endif
