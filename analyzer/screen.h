/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - text that is shown over and over: in place on a terminal, else one below the other.
 *
 * On a terminal it has a screen of its own, which goes when it ends, by a signal too; the last
 * text then stands below what was there before.
 */
#ifndef ANALYZER_SCREEN_H
#define ANALYZER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
	bool is_terminal;
	int talk;   /* standard error, which is silent meanwhile if it is the same terminal; -1: is
		       not */
	char *last; /* owned */
};

void screen_begin(struct screen *s);
void screen_end(struct screen *s);

/* As much of the text as there are rows; it is copied. */
void screen_show(struct screen *s, const char *text);

/* False: a signal says that it is enough. */
bool screen_wait(struct screen *s, double seconds);

#endif
