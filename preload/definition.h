/* SPDX-License-Identifier: Apache-2.0 */
/* definition.h - interned contents to records.  Runs in: the writer. */
#ifndef PRELOAD_DEFINITION_H
#define PRELOAD_DEFINITION_H

#include <stdbool.h>

#include "intern.h"
#include "ttitrace/encode.h"

/* Up to which id each table is in the file. */
struct definitions_written {
	uint32_t last[NR_INTERN_KINDS];
};

/*
 * Appends what has been defined since, each after what it refers to.  False: the buffer is full;
 * *w says how far it got.
 */
bool definitions_put(struct tti_buffer *b, struct definitions_written *w);

#endif
