/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.h - what stands on a command line -> the trace files of one run. */
#ifndef ANALYZER_INPUTS_H
#define ANALYZER_INPUTS_H

#include <stddef.h>

#include "diag.h"

/* All zero is empty. */
struct inputs {
	char **paths;
	size_t *arguments; /* by path: which call of inputs_add() it came from, from 1 on */
	size_t nr, nr_arguments;
};

void inputs_free(struct inputs *in);

/* A file is taken as it is, of a directory every *.ttt in it; -ENOENT: it has none. */
int inputs_add(struct inputs *in, const char *path, struct diag *diag);

/* The traces of the newest run in a directory: those with the run id of the newest file. */
int inputs_add_newest(struct inputs *in, const char *directory, struct diag *diag);

/* Those of a directory that `record` wrote under this run id since the time given. */
int inputs_add_run(struct inputs *in, const char *directory, const char *run_id, long since_s,
		   struct diag *diag);

#endif
