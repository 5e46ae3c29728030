/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folded.h - what is wider than the terminal: sentences go on below where they began, rows are cut.
 *
 * A line of words with a single space between them is a sentence, perhaps behind a label; rows of
 * tables have more.  What is cut ends with a mark.
 */
#ifndef ANALYZER_FOLDED_H
#define ANALYZER_FOLDED_H

#include "terminal.h"

/*
 * A stream to write text to, with t as long as it is open, which fclose() ends; out stays open.
 * NULL: no memory, or the reader is no terminal: write to out itself.
 */
FILE *folded_open(const struct terminal *t, FILE *out);

#endif
