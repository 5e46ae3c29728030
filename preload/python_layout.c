/* SPDX-License-Identifier: Apache-2.0 */
/* python_layout.c - Runs in: the thread that finds the interpreter, once. */
#include "python_layout.h"

#include <string.h>

/* No structure of these is larger. */
#define OFFSET_MAX 4096u

struct field {
	int of_minor[PYTHON_MINOR_LAST - PYTHON_MINOR_FIRST + 1];
	int word13, word14;
};

static const struct field fields[] = {
#define FIELD(name, v9, v10, v11, v12, v13, v14, word13, word14, what) \
	{ { v9, v10, v11, v12, v13, v14 }, word13, word14 },
#include "python_layout.def"
#undef FIELD
};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* The head of _PyRuntime from 3.13 on. */
struct published {
	char cookie[8];
	uint64_t version; /* PY_VERSION_HEX */
	uint64_t is_free_threaded;
};

static const char *published_fault(const void *runtime, int minor)
{
	const struct published *p = runtime;

	if (!p || memcmp(p->cookie, "xdebugpy", sizeof(p->cookie)) != 0 ||
	    p->version >> 16 != (3u << 8 | (unsigned)minor))
		return "does not publish its layout";
	return p->is_free_threaded ? "is free-threaded" : NULL;
}

/* A word that cannot be an offset: then none of them is to be trusted. */
static bool take_published(const void *runtime, int minor, int *offsets)
{
	const uint64_t *words = runtime;

	for (uint32_t i = 0; i < NR_FIELDS; i++) {
		const int word = minor == 13 ? fields[i].word13 : fields[i].word14;

		if (!word)
			continue;
		if (words[word] >= OFFSET_MAX)
			return false;
		offsets[i] = (int)words[word];
	}
	return true;
}

bool python_layout_find(int minor, const void *runtime, struct python_layout *ret_layout,
			const char **ret_reason)
{
	int offsets[NR_FIELDS];

	_Static_assert(sizeof(*ret_layout) == sizeof(int) + sizeof(offsets), "fields in order");
	*ret_reason = "is not a version this library knows";
	if (minor < PYTHON_MINOR_FIRST || minor > PYTHON_MINOR_LAST)
		return false;
	for (uint32_t i = 0; i < NR_FIELDS; i++)
		offsets[i] = fields[i].of_minor[minor - PYTHON_MINOR_FIRST];
	if (minor >= 13) {
		*ret_reason = published_fault(runtime, minor);
		if (*ret_reason)
			return false;
		*ret_reason = "publishes a layout that cannot be";
		if (!take_published(runtime, minor, offsets))
			return false;
	}
	ret_layout->minor = minor;
	memcpy((char *)ret_layout + sizeof(ret_layout->minor), offsets, sizeof(offsets));
	return true;
}

static uint64_t word_at(const void *object, int offset)
{
	uint64_t word;

	memcpy(&word, (const char *)object + offset, sizeof(word));
	return word;
}

static bool type_is(const struct python_layout *l, const void *type, const void *type_type,
		    const char *name, int basic_size)
{
	return word_at(type, l->type_of) == (uintptr_t)type_type &&
	       word_at(type, l->type_basic_size) == (uint64_t)basic_size &&
	       strcmp((const char *)(uintptr_t)word_at(type, l->type_name), name) == 0;
}

bool python_layout_fits(const struct python_layout *l, const void *code_type, const void *text_type,
			const void *type_type)
{
	return type_is(l, code_type, type_type, "code", l->code_basic_size) &&
	       type_is(l, text_type, type_type, "str", l->text_basic_size);
}
