/* SPDX-License-Identifier: Apache-2.0 */
/* record_text.h - records as the text that tests/mktrace assembles again (FORMAT.md, appendix). */
#ifndef ANALYZER_RECORD_TEXT_H
#define ANALYZER_RECORD_TEXT_H

#include <stdio.h>

#include "decode.h"

void header_print(const struct tti_file_header *header, FILE *out);

/* One line, and for a batch one more for each row.  `batch` and `room` are working memory. */
void record_print(struct record record, struct batch *batch, struct list_room *room, FILE *out);

/* Bytes of a frame that are no record. */
void raw_print(const struct cursor *bytes, FILE *out);

#endif
