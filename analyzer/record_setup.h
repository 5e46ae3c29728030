/* SPDX-License-Identifier: Apache-2.0 */
/* record_setup.h - the environment in which a program is recorded. */
#ifndef ANALYZER_RECORD_SETUP_H
#define ANALYZER_RECORD_SETUP_H

#include <limits.h>

#include "diag.h"

struct record_setup {
	char library[PATH_MAX];   /* libttitrace.so */
	char directory[PATH_MAX]; /* where traces will be; "" if the pattern does not say it */
	char run_id[64];
};

/*
 * Finds the library: TTITRACE_LIBRARY, else beside this executable, in ../lib or below it.
 * -ENOENT: nowhere.
 */
int record_find_library(struct record_setup *s, struct diag *diag);

/*
 * Sets LD_PRELOAD, TTITRACE_RUN and TTITRACE_OUTPUT, the latter absolute, so that the program may
 * change its directory.
 */
int record_set_environment(struct record_setup *s, struct diag *diag);

#endif
