/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h - the content of a frame -> records -> structs and columns, by the tables of record.h.
 *
 * Batches are given in strips of a few thousand rows, so that every column of a strip stays in the
 * nearest cache from decoding to use.
 */
#ifndef ANALYZER_DECODE_H
#define ANALYZER_DECODE_H

#include "cursor.h"
#include "ttitrace/record.h"

enum {
	STRIP_ROWS = 2048,
	DECODE_COLUMNS_MAX = 8, /* columns this version knows of any batch */
};

struct record {
	uint64_t kind;
	const struct tti_record_desc *desc; /* NULL: of a newer version */
	struct cursor payload;
};

/* Room for the fields of any record. */
union record_fields {
#define ROW(id, NAME, name, what)   struct tti_##name name;
#define BATCH(id, NAME, name, what) struct tti_##name name;
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what)
#define END(name)
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END
};

/* Where the lists of one record are decoded to; all zero at first. */
struct list_room {
	uint64_t *values;
	size_t size, used;
};
void list_room_free(struct list_room *room);

/* 1; 0: the frame has no more; -EBADMSG: the frame ends within a record. */
int record_next(struct cursor *frame, struct record *ret_record);

/*
 * The fields of a record with a desc, as far as they are there (*ret_present of them); the rest is
 * 0 or empty.  Strings point into the frame, lists into `room`, until it is used again.  -EBADMSG
 * where the record ends within a field.
 */
int record_fields(struct record *record, union record_fields *ret_fields, size_t *ret_present,
		  struct list_room *room);

struct column {
	enum tti_transform transform;
	unsigned int nr_planes;
	const uint8_t *planes;
	uint64_t previous; /* the value of the last row of the strip before */
	uint64_t *last;    /* KEYED: by key */
};

/* A batch that is being decoded; large, allocate it once and use it for all batches. */
struct batch {
	const struct tti_record_desc *desc;
	size_t nr_rows, next_row;
	size_t nr_columns;   /* that are in the record and known */
	uint32_t wanted;     /* bits of columns, with those they depend on */
	struct cursor extra; /* columns behind those this version knows */
	struct column columns[DECODE_COLUMNS_MAX];
	uint64_t values[DECODE_COLUMNS_MAX][STRIP_ROWS]; /* of the current strip */
	uint64_t last[DECODE_COLUMNS_MAX][TTI_KEYED_SLOTS];
	uint64_t residuals[STRIP_ROWS];
};

#define COLUMN_BIT(name, column) (1u << tti_column_##name##_##column)

/*
 * After record_fields() of a batch.  Only the columns in `wanted` will be decoded.  -EBADMSG: it
 * cannot be decoded.
 */
int batch_open(const struct record *record, uint32_t wanted, struct batch *b);

/* Fills b->values with the next rows and returns how many; 0: there are no more. */
size_t batch_strip(struct batch *b);

#endif
