/* SPDX-License-Identifier: Apache-2.0 */
/* byte_stream.h - the bytes of a file front to back, decompressed where it is gzip or zstd. */
#ifndef ANALYZER_BYTE_STREAM_H
#define ANALYZER_BYTE_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "diag.h"

struct byte_stream;

/* Negative errno in diag. */
int byte_stream_open(const char *path, struct byte_stream **ret, struct diag *diag);
void byte_stream_close(struct byte_stream *s); /* accepts NULL */

/*
 * Up to `size` bytes; 0: the end.  -EBADMSG: the file ends within a compressed frame, or is
 * damaged; what came before stands.  Else a negative errno.
 */
ssize_t byte_stream_read(struct byte_stream *s, void *to, size_t size);

/* How much of the file itself has been read, of how much; 0: not known. */
uint64_t byte_stream_position(const struct byte_stream *s);
uint64_t byte_stream_size(const struct byte_stream *s);

#endif
