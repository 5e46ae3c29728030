/* SPDX-License-Identifier: Apache-2.0 */
/* python_layout.h - where an interpreter keeps its frames, by its version; see the .def. */
#ifndef PRELOAD_PYTHON_LAYOUT_H
#define PRELOAD_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define PYTHON_MINOR_FIRST 9
#define PYTHON_MINOR_LAST  14

struct python_layout {
	int minor; /* of 3.x */
#define FIELD(name, v9, v10, v11, v12, v13, v14, word13, word14, what) int name;
#include "python_layout.def"
#undef FIELD
};

/*
 * The layout of Python 3.`minor`.  `runtime` is its _PyRuntime, whose published offsets are taken
 * from 3.13 on.  False: not a version we know, or it publishes what cannot be; *ret_reason says.
 */
bool python_layout_find(int minor, const void *runtime, struct python_layout *ret_layout,
			const char **ret_reason);

/* Do the types whose layouts we know look as they should?  Reads nothing but static data. */
bool python_layout_fits(const struct python_layout *l, const void *code_type, const void *text_type,
			const void *type_type);

#endif
