/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - where a command writes its data: standard output, or a file that the user names.
 *
 * One rule for all commands.  A file is made beside its name, for its owner alone, and takes the
 * place of what was there when it is whole; it keeps that one's mode.  So nobody reads half of it,
 * a failure leaves the old one, and a link that somebody puts in the way is replaced, not followed.
 * What is no file (a FIFO, a device) is written into as it is, and so is what a link of the user's
 * own or of root's leads to; other people's links are refused.
 */
#ifndef ANALYZER_OUTPUT_H
#define ANALYZER_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "diag.h"

struct output_place {
	const char *path; /* of the caller */
	char *unfinished; /* the file until it is whole; NULL: `path` itself is written */
};

/* A descriptor to write to, or a negative errno and a line in diag; output_settle() ends it. */
int output_place_open(struct output_place *place, const char *path, struct diag *diag);

/* After the descriptor is closed.  Not whole: what was there before stays. */
int output_settle(struct output_place *place, bool is_whole, struct diag *diag);

struct output {
	FILE *file;
	struct output_place place; /* of no path: standard output */
};

/* path NULL or "-": stdout; what ends in .gz is compressed.  Negative errno: see diag. */
int output_open(struct output *output, const char *path, struct diag *diag);

/* Between rows: -EIO where what was written did not arrive. */
int output_check(FILE *out, struct diag *diag);

/*
 * Ends what output_open() began; stdout is main's.  `r`: how writing went; where it failed the old
 * file stays, and so does the message.  Negative errno where not all of it could be written.
 */
int output_close(struct output *output, int r, struct diag *diag);

#endif
