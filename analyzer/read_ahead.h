/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_ahead.h - the frames of a reader, read and decompressed by a thread of their own while the
 * caller still works on the one before.
 */
#ifndef ANALYZER_READ_AHEAD_H
#define ANALYZER_READ_AHEAD_H

#include "reader.h"

struct read_ahead;

/* Until read_ahead_end() the reader is nobody else's.  NULL: no memory. */
struct read_ahead *read_ahead_begin(struct reader *reader);

/* As reader_next(); *ret_offset, of the file, is behind the frame. */
int read_ahead_next(struct read_ahead *a, struct frame *ret_frame, uint64_t *ret_offset,
		    struct diag *diag);

void read_ahead_end(struct read_ahead *a); /* accepts NULL */

#endif
