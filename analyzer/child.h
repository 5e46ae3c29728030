/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - run a program as if nobody stood between it and whoever started us. */
#ifndef ANALYZER_CHILD_H
#define ANALYZER_CHILD_H

#include "diag.h"

/*
 * Starts argv[0], passes signals on to it, stops and continues with it, waits for it.  Returns its
 * exit code, 128 + n if signal n ended it; negative errno: it could not be started.
 */
int child_run(char **argv, struct diag *diag);

#endif
