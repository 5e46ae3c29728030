/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h - the only place where the analyzer does pointer arithmetic on bytes of a trace.
 *
 * Past the end, every function gives 0 or NULL and sets `bad`, for good: check it once per record.
 */
#ifndef ANALYZER_CURSOR_H
#define ANALYZER_CURSOR_H

#include <stdbool.h>

#include "ttitrace/varint.h"

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static inline struct cursor cursor_make(const void *bytes, size_t size)
{
	return (struct cursor){ .at = bytes, .end = (const uint8_t *)bytes + size };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline void cursor_fail(struct cursor *c)
{
	c->at = c->end;
	c->bad = true;
}

/* Borrowed from the input; a number of bytes of 0 gives a pointer that must not be read. */
static inline const uint8_t *cursor_bytes(struct cursor *c, uint64_t n)
{
	const uint8_t *bytes = c->at;

	if (n > cursor_left(c)) {
		cursor_fail(c);
		return NULL;
	}
	c->at += n;
	return bytes;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *byte = cursor_bytes(c, 1);

	return byte ? *byte : 0;
}

static inline uint64_t cursor_varint(struct cursor *c)
{
	uint64_t value = 0;
	const size_t n = tti_varint_get(c->at, cursor_left(c), &value);

	if (!n) {
		cursor_fail(c);
		return 0;
	}
	c->at += n;
	return value;
}

/* The next n bytes as a cursor of their own. */
static inline struct cursor cursor_part(struct cursor *c, uint64_t n)
{
	const uint8_t *bytes = cursor_bytes(c, n);
	struct cursor part = cursor_make(bytes ? bytes : c->end, bytes ? n : 0);

	part.bad = !bytes;
	return part;
}

#endif
