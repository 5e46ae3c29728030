/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_symbols.h - addresses of native stacks -> symbols.
 *
 * Where they come from is another matter: the objects themselves, or a file that somebody made
 * where the objects are.
 */
#ifndef ANALYZER_FRAME_SYMBOLS_H
#define ANALYZER_FRAME_SYMBOLS_H

#include "diag.h"
#include "model.h"

struct frame_symbols;

struct frame_symbols *frame_symbols_new(void);    /* NULL: no memory */
void frame_symbols_free(struct frame_symbols *s); /* accepts NULL */

/*
 * A text file of lines "address TAB symbol", the address as in record `frame`, in hexadecimal.
 * Negative errno and file:line in diag where it cannot be read or has an error.
 */
int frame_symbols_read(struct frame_symbols *s, const char *path, struct diag *diag);

/* NULL: not known.  Valid as long as `s`, which may be NULL. */
const char *frame_symbol(const struct frame_symbols *s, const struct model *m, uint64_t address);

#endif
