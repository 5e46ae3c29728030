/* SPDX-License-Identifier: Apache-2.0 */
/* format.h - FORMAT.md as C: the file header, limits, enumerations. */
#ifndef TTITRACE_FORMAT_H
#define TTITRACE_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define TTI_FORMAT_MAJOR 1
#define TTI_FORMAT_MINOR 1

#define TTI_MAGIC        "ttitrace"
/* zstd skippable frame that holds struct tti_file_header. */
#define TTI_SKIPPABLE_MAGIC 0x184D2A54u

/* Features a reader must know; a set bit it does not know means: do not read on. */
#define TTI_FEATURES_KNOWN    0ull

#define TTI_FRAME_BYTES_MAX   (16u << 20) /* decompressed */
#define TTI_BATCH_ROWS_MAX    65536u
#define TTI_BATCH_COLUMNS_MAX 32u
#define TTI_KEYED_SLOTS       4096u

/* All integers little endian. */
struct tti_file_header {
	uint32_t skippable_magic; /* TTI_SKIPPABLE_MAGIC */
	uint32_t size_bytes;      /* of what follows this field */
	char magic[8];            /* TTI_MAGIC, no zero byte */
	uint16_t major;           /* a reader of another major must not read on */
	uint16_t minor;           /* new record kinds, new trailing fields and columns */
	uint8_t level;            /* zstd level the writer used; says nothing to a reader */
	uint8_t reserved[3];      /* 0 */
	uint64_t features;        /* TTI_FEATURES_KNOWN */
};
_Static_assert(sizeof(struct tti_file_header) == 32, "FORMAT.md says 32 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the header is written as it is in memory");

/* How a column is transformed before its bytes are cut into planes; FORMAT.md, "Columns". */
enum tti_transform {
	TTI_PLAIN = 0, /* the value */
	TTI_DELTA = 1, /* less the value of the row before */
	TTI_KEYED = 2, /* less the last value of a row with the same key */
	TTI_GAP = 3,   /* less begin and duration of the row before */
	TTI_NR_TRANSFORMS
};

enum tti_op {
#define TTI_OP(id, NAME, name, what) TTI_OP_##NAME = (id),
#include "ttitrace/enums.def"
#undef TTI_OP
};

enum tti_activity {
#define TTI_ACTIVITY(id, NAME, name, what) TTI_ACTIVITY_##NAME = (id),
#include "ttitrace/enums.def"
#undef TTI_ACTIVITY
};

enum tti_counter {
#define TTI_COUNTER(id, NAME, name, loss, what) TTI_COUNTER_##NAME = (id),
#include "ttitrace/enums.def"
#undef TTI_COUNTER
	TTI_COUNTER_LIMIT = 64
};

enum tti_mark_kind {
#define TTI_MARK(id, NAME, name, what) TTI_MARK_##NAME = (id),
#include "ttitrace/enums.def"
#undef TTI_MARK
};

enum tti_ending {
#define TTI_ENDING(id, NAME, name, what) TTI_ENDING_##NAME = (id),
#include "ttitrace/enums.def"
#undef TTI_ENDING
};

enum tti_template_flag {
	TTI_TEMPLATE_CAPTURED = 1,
	TTI_TEMPLATE_COOPERATIVE = 2,
	TTI_TEMPLATE_PATH_INHERITED =
		4, /* `path` is another thread's last: this one runs no Python */
};

#endif
