/* SPDX-License-Identifier: Apache-2.0 */
/* sizes.h - what the bytes of a trace are spent on, by record kind and column. */
#ifndef ANALYZER_SIZES_H
#define ANALYZER_SIZES_H

#include "decode.h"
#include "diag.h"

struct size_row {
	const char *record, *column; /* column NULL: all that is not in columns */
	uint64_t nr;                 /* records, or rows of the column */
	uint64_t bytes;
	uint64_t compressed_bytes; /* estimated: each part compressed by itself */
};

struct sizes {
	struct size_row *rows; /* in the order of records.def */
	size_t nr;
	uint64_t file_bytes;
};

int sizes_measure(const char *path, struct sizes *ret_sizes, struct diag *diag);
void sizes_free(struct sizes *s);

#endif
