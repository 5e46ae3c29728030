/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete.h - what may come next on a command line, for the shells.
 *
 * `ttitrace --complete WORD...` is asked by their functions (tools/completion) with what stands
 * behind `ttitrace`, the last word unfinished.  It prints candidates, one a line, behind some a TAB
 * and what they are; of --by=mo only what comes behind the sign.  The lines :traces, :files and
 * :programs leave it to the shell to list those.
 */
#ifndef ANALYZER_COMPLETE_H
#define ANALYZER_COMPLETE_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

/* The words behind --complete, the first of them the command; they stay the caller's. */
void complete_ask(size_t nr_words, char **words);

/* Whether somebody asked: then a command is run only for its table of options. */
bool complete_is_asked(void);

/* What comes next by a command's options and arguments. */
void complete_command(const struct argp *argp, FILE *out);

/* A candidate, if it begins as what is unfinished does; what may be NULL. */
void complete_offer(const char *unfinished, const char *word, const char *what, FILE *out);

#endif
