/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbol_file.h - symbols of native frames as text, for a machine that has not the objects.
 *
 * Lines: "object TAB build-id TAB path", where a build-id of "-" stands for none, and below it
 * "address TAB symbol", a return address less the object's bias.  Lines above the first object
 * have addresses as they are in the trace.  Addresses and build-ids are hexadecimal; what begins
 * with # is a comment.
 */
#ifndef ANALYZER_SYMBOL_FILE_H
#define ANALYZER_SYMBOL_FILE_H

#include <stdio.h>

#include "diag.h"
#include "names.h"

struct symbol_file;

struct symbol_file *symbol_file_new(void);    /* NULL: no memory */
void symbol_file_free(struct symbol_file *s); /* accepts NULL */

/*
 * Adds a file to those read before; of two lines for one address the first counts.  Negative errno
 * and file:line in diag where it cannot be read or has an error.
 */
int symbol_file_read(struct symbol_file *s, const char *path, struct diag *diag);

/* A number for symbol_file_find(); 0 is for addresses as they are in the trace. */
enum { SYMBOL_FILE_ABSOLUTE = 0 };

/* 0: it has no such object.  By its build-id (bytes), by its path if that is empty. */
uint32_t symbol_file_object(const struct symbol_file *s, const struct name *build_id,
			    const struct name *path);
const char *symbol_file_find(const struct symbol_file *s, uint32_t object, uint64_t address);

void symbol_file_write_object(FILE *out, const struct name *build_id, const char *path);
void symbol_file_write(FILE *out, uint64_t address, const char *symbol);

#endif
