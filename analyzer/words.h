/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - what may stand for an argument: `native|python|both` says so itself, a part in capitals
 * may be a list that has a name (AXIS, FORMAT), or is anything (FILE, N).
 */
#ifndef ANALYZER_WORDS_H
#define ANALYZER_WORDS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Each word in turn; of `range:NAME` what comes before the name. */
void words_each(const char *argument, void (*take)(void *context, const char *word), void *context);

/* The lists that an argument names, for help: `; AXIS: operator, kind`; nothing where it has none.
 */
void words_explain(const char *argument, FILE *out);

/* The one that somebody who wrote `given` may have meant; NULL: none is near. */
const char *words_nearest(const char *argument, const char *given);

/* Wrong usage: names the word that was meant, or all there are. */
void words_refuse(const struct argp_state *state, const char *argument, const char *given);

#endif
