/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python.h - the Python interpreter of this process, if it has one whose layout we know.
 *
 * Nothing is imported and nothing of Python's is called but what python.def lists.
 */
#ifndef PRELOAD_PYTHON_H
#define PRELOAD_PYTHON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "python_layout.h"

struct python {
	struct python_layout layout;
#define FUNCTION(returns, symbol) returns (*symbol)(void);
#define DATA(symbol)              const void *symbol;
#include "python.def"
#undef FUNCTION
#undef DATA
};

/* NULL until python_find() has found one; then it stays. */
extern const struct python *_Atomic python;

/*
 * Looks for an interpreter; a later call looks again, in case one has been loaded since.  One
 * line on standard error if it is none that we can read.  Runs in: the first launching thread,
 * then the writer; never two at once.
 */
void python_find(void);

/* Something looked otherwise than its layout says: one line, and nothing is read any more. */
void python_give_up(const char *what);

/*
 * Reading.  An address is a number: what it points to is another's.  These read the memory of
 * the running thread's own frames, and of objects that those keep alive.
 */
static inline uint64_t python_word(uint64_t object, int offset)
{
	uint64_t word;

	memcpy(&word, (const char *)(uintptr_t)object + offset, sizeof(word));
	return word;
}

static inline int32_t python_int(uint64_t object, int offset)
{
	int32_t value;

	memcpy(&value, (const char *)(uintptr_t)object + offset, sizeof(value));
	return value;
}

static inline uint8_t python_byte(uint64_t object, int offset)
{
	return *((const uint8_t *)(uintptr_t)object + offset);
}

/* Can there be an object at all? */
static inline bool python_is_address(uint64_t object)
{
	return object >= 4096 && !(object & 7) && object >> 47 == 0;
}

static inline bool python_is_a(const struct python *p, uint64_t object, const void *type)
{
	return python_is_address(object) &&
	       python_word(object, p->layout.type_of) == (uintptr_t)type;
}

#endif
