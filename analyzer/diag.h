/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.h - the one message of one failure.
 *
 * The first function that knows what went wrong fills it; its callers only pass the error on, and
 * the command prints it.
 */
#ifndef ANALYZER_DIAG_H
#define ANALYZER_DIAG_H

struct diag {
	char message[512]; /* one line, without the newline; cut where it is longer */
};

/* Returns err (a negative errno), so that a caller can write `return diag_set(...)`. */
int diag_set(struct diag *d, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
