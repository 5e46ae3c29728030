/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - where a command writes its data: standard output, or the file of -o. */
#ifndef ANALYZER_OUTPUT_H
#define ANALYZER_OUTPUT_H

#include <stdio.h>

#include "diag.h"

FILE *output_open(const char *path, struct diag *diag); /* path NULL: stdout.  NULL: see diag */

/* Closes a file; stdout is main's.  Negative errno where not all of it could be written. */
int output_close(FILE *out, const char *path, struct diag *diag);

#endif
