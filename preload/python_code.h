/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_code.h - what code objects, classes and strings say; each is asked once, when it is new.
 * Runs in: the launching thread, whose frames keep these objects alive.  No malloc, no lock.
 */
#ifndef PRELOAD_PYTHON_CODE_H
#define PRELOAD_PYTHON_CODE_H

#include "python.h"

struct code_content {
	uint32_t name, file; /* INTERN_STRING */
	int32_t line;        /* the first */
	uint32_t zero;
};

#define SELF_NONE (-1)

/* Where a method has its `self`. */
struct self_place {
	int16_t local; /* index among the frame's locals, or SELF_NONE: no method */
	bool is_cell;  /* it may stand in a cell: an inner function uses it too */
};

/* INTERN_CODE; 0: the table is full, or `code` is no such object. */
uint32_t python_code_id(const struct python *p, uint64_t code);

struct self_place python_code_self(const struct python *p, uint64_t code);

/* The line that the frame's `at` (the layout's frame_at) stands for; 0: none. */
uint32_t python_code_line(const struct python *p, uint64_t code, uint64_t at);

/* INTERN_STRING of the class, qualified where it says so; 0: not to be had. */
uint32_t python_class_name(const struct python *p, uint64_t type);

#endif
