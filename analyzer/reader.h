/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - a trace file -> the contents of its frames, one at a time.
 *
 * The file is read from front to back with bounded memory, so a pipe or a file that is still being
 * written will do.  What is damaged is skipped and counted; what is whole behind it is given.
 */
#ifndef ANALYZER_READER_H
#define ANALYZER_READER_H

#include "cursor.h"
#include "diag.h"
#include "ttitrace/format.h"

struct reader; /* of one thread at a time */

struct frame {
	struct cursor content; /* borrowed; valid until the next call */
	uint64_t offset;       /* in the file */
	size_t compressed_bytes;
};

struct reader_damage {
	uint64_t nr_regions; /* that are no whole frames */
	uint64_t damaged_bytes;
	uint64_t first_offset; /* of the first region */
	uint64_t cut_bytes;    /* at the end of the file: a frame that ends too early */
};

/*
 * Reads the file's header.  -EBADMSG: not a trace; -EPROTO: of a format this reader does not know;
 * else the errno of the system.
 */
int reader_open(const char *path, struct reader **ret_reader, struct diag *diag);
void reader_close(struct reader *r); /* accepts NULL */

const struct tti_file_header *reader_header(const struct reader *r);

/* 1: the next whole frame; 0: the end; negative: the system could not read on. */
int reader_next(struct reader *r, struct frame *ret_frame, struct diag *diag);

/*
 * The last frame's content stays what it is until *content is freed, realloc'ed or swapped again;
 * what was there (NULL and 0 at first) the reader takes for the next one.
 */
void reader_swap_content(struct reader *r, uint8_t **content, size_t *size);

const struct reader_damage *reader_damage(const struct reader *r);
/* Of the file, so far. */
uint64_t reader_offset(const struct reader *r);

#endif
