/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - report --html: a run as one file for a browser. */
#ifndef ANALYZER_PAGE_H
#define ANALYZER_PAGE_H

#include "analysis.h"
#include "report.h"

/* -ENOSYS: this program was built without the page; then diag says what was missing. */
int page_check(struct diag *diag);

/* path "-": standard output.  a: loaded with modules and phases; its traces are read again. */
int page_write(const char *path, const struct analysis *a, const struct report *report,
	       struct diag *diag);

#endif
