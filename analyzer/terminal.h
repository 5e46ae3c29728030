/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - what the reader of standard output can see: width, characters, colours. */
#ifndef ANALYZER_TERMINAL_H
#define ANALYZER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct terminal {
	size_t columns;
	bool unicode;
	bool colour;
	bool is_terminal; /* or text for somebody who wants it as it is */
};

/* ascii: the user asked for it, whatever the locale says. */
void terminal_detect(struct terminal *t, bool ascii);

/* Standard output for text, where sentences are folded to the width of a terminal. */
FILE *terminal_open(const struct terminal *t);
void terminal_close(FILE *out);

enum { BAR_CELLS_MAX = 64 };

/* A bar of `cells` cells, filled by share, padded with spaces. */
void terminal_bar(const struct terminal *t, double share, size_t cells, FILE *out);

/*
 * Text of a stranger in at most `columns` columns: control characters become '?', and what is cut
 * shows it.  With pad, exactly as many.
 */
void terminal_text(const struct terminal *t, const char *text, size_t columns, bool pad, FILE *out);

const char *terminal_bold(const struct terminal *t);
const char *terminal_warn(const struct terminal *t);
const char *terminal_plain(const struct terminal *t);

#endif
