/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - how far a long command is, on one line of a terminal; elsewhere nothing. */
#ifndef ANALYZER_PROGRESS_H
#define ANALYZER_PROGRESS_H

#include <stdint.h>

struct progress;

/* NULL: no memory. */
struct progress *progress_new(const char *command, uint64_t all_bytes);
void progress_at(struct progress *p, uint64_t bytes);  /* of the current file */
void progress_add(struct progress *p, uint64_t bytes); /* a file is done */
void progress_end(struct progress *p);                 /* wipes the line; accepts NULL, frees */

#endif
