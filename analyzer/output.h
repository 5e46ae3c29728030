/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - where a command writes its data: standard output, or the file of -o. */
#ifndef ANALYZER_OUTPUT_H
#define ANALYZER_OUTPUT_H

#include <stdio.h>

#include "diag.h"

/* path NULL or "-": stdout; what ends in .gz is compressed.  NULL: see diag. */
FILE *output_open(const char *path, struct diag *diag);

/* Between rows: -EIO where what was written did not arrive. */
int output_check(FILE *out, struct diag *diag);

/* Closes a file; stdout is main's.  Negative errno where not all of it could be written. */
int output_close(FILE *out, const char *path, struct diag *diag);

#endif
