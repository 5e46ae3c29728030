/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pager.h - long text on a terminal goes through a pager, as git's does: TTITRACE_PAGER, else
 * PAGER, else less; an empty one, `cat` or --no-pager switches it off.
 */
#ifndef ANALYZER_PAGER_H
#define ANALYZER_PAGER_H

void pager_forbid(void);

/*
 * What is written to standard output from now on is paged, if that is a terminal.  Paged once; the
 * process waits for the pager's end when it ends itself.
 */
void pager_begin(void);

/* The descriptor of what the reader looks at in the end: standard output, or the pager's. */
int pager_output(void);

#endif
