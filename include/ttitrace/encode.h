/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h - records to bytes, for whoever writes traces (libttitrace.so, tests/mktrace).
 * No allocation, no system call: the caller brings the memory.
 */
#ifndef TTITRACE_ENCODE_H
#define TTITRACE_ENCODE_H

#include <stdbool.h>
#include <string.h>

#include "ttitrace/record.h"
#include "ttitrace/varint.h"

/* Planes of fewer rows share a zstd block with what stands around them. */
#define TTI_CUT_ROWS_MIN 1024u
/* Further cuts of a frame are not made. */
#define TTI_CUTS_MAX 1024u

/* The content of one frame, filled from the front. */
struct tti_buffer {
	uint8_t *data;
	size_t size;
	size_t used;
	bool full; /* something did not fit; what had been put before it stands */
	uint32_t nr_cuts;
	uint32_t cuts[TTI_CUTS_MAX]; /* rising offsets where frame.h begins another zstd block */
};

/* Empty again, for the next frame. */
static inline void tti_buffer_reset(struct tti_buffer *b)
{
	b->used = 0;
	b->full = false;
	b->nr_cuts = 0;
}

/* What follows has other statistics than what was put before: the entropy coder starts afresh. */
static inline void tti_buffer_cut(struct tti_buffer *b)
{
	if (b->nr_cuts < TTI_CUTS_MAX && (!b->nr_cuts || b->cuts[b->nr_cuts - 1] != b->used))
		b->cuts[b->nr_cuts++] = (uint32_t)b->used;
}

/* What encoding a batch needs beside the buffer; contents need not be kept between calls. */
struct tti_scratch {
	uint64_t residuals[TTI_BATCH_ROWS_MAX];
	uint64_t last[TTI_KEYED_SLOTS];
};

static inline uint8_t *tti_buffer_take(struct tti_buffer *b, size_t n)
{
	if (n > b->size - b->used) {
		b->full = true;
		return NULL;
	}
	b->used += n;
	return b->data + b->used - n;
}

static inline void tti_put_bytes(struct tti_buffer *b, const void *bytes, size_t n)
{
	uint8_t *out = tti_buffer_take(b, n);

	if (out && n)
		memcpy(out, bytes, n);
}

static inline void tti_put_varint(struct tti_buffer *b, uint64_t value)
{
	uint8_t bytes[TTI_VARINT_BYTES_MAX];

	tti_put_bytes(b, bytes, tti_varint_put(bytes, value));
}

/* Not inlined: gcc would warn of every field type that a caller's small record cannot have. */
static __attribute__((noinline, unused)) void tti_put_field(struct tti_buffer *b,
							    const struct tti_field_desc *f,
							    const void *record)
{
	const void *field = (const char *)record + f->offset;

	switch (f->type) {
	case TTI_FIELD_U:
		tti_put_varint(b, *(const uint64_t *)field);
		break;
	case TTI_FIELD_S:
		tti_put_varint(b, tti_zigzag((uint64_t) * (const int64_t *)field));
		break;
	case TTI_FIELD_STR: {
		const struct tti_str *s = field;

		tti_put_varint(b, s->size);
		tti_put_bytes(b, s->data, s->size);
		break;
	}
	case TTI_FIELD_LIST: {
		const struct tti_list *l = field;

		tti_put_varint(b, l->size);
		for (size_t i = 0; i < l->size; i++)
			tti_put_varint(b, l->values[i]);
		break;
	}
	}
}

/* A record begins; tti_record_end() needs what this returns. */
static inline size_t tti_record_begin(struct tti_buffer *b, uint64_t kind)
{
	tti_put_varint(b, kind);
	/* The size comes before the content: leave room for the longest a record can have. */
	tti_buffer_take(b, 4);
	return b->used;
}

/* Sets the size: four bytes, as a varint with its continuation bits forced. */
static inline void tti_record_end(struct tti_buffer *b, size_t begin)
{
	const size_t n = b->used - begin;

	if (b->full)
		return;
	for (int i = 0; i < 4; i++)
		b->data[begin - 4 + i] = (uint8_t)((n >> 7 * i & 0x7f) | (i < 3 ? 0x80 : 0));
}

/*
 * Appends one record without columns.  When it does not fit, the buffer is as before and `full`
 * is set.
 */
static inline void tti_put_record(struct tti_buffer *b, uint64_t kind, const void *record)
{
	const struct tti_record_desc *desc = tti_record_desc(kind);
	const size_t before = b->used;
	const size_t begin = tti_record_begin(b, kind);

	for (size_t i = 0; i < desc->nr_fields; i++)
		tti_put_field(b, &desc->fields[i], record);
	tti_record_end(b, begin);
	if (b->full)
		b->used = before;
}

/* Byte i of every residual stands in plane i: high planes are nearly constant and cost nothing. */
static inline void tti_put_planes(struct tti_buffer *b, const uint64_t *residuals, size_t nr_rows,
				  unsigned nr_planes)
{
	for (unsigned p = 0; p < nr_planes; p++) {
		uint8_t *out;

		if (nr_rows >= TTI_CUT_ROWS_MIN)
			tti_buffer_cut(b);
		out = tti_buffer_take(b, nr_rows);
		for (size_t i = 0; out && i < nr_rows; i++)
			out[i] = (uint8_t)(residuals[i] >> 8 * p);
	}
	if (nr_planes && nr_rows >= TTI_CUT_ROWS_MIN)
		tti_buffer_cut(b);
}

/*
 * What a row's value is compared with.  `values` is the column, `key` the first column of the
 * batch, `before` the column before this one (durations, for GAP).
 */
static inline uint64_t tti_predict(enum tti_transform t, const uint64_t *values,
				   const uint64_t *key, const uint64_t *before, size_t i,
				   uint64_t *last)
{
	uint64_t *slot = &last[key[i] % TTI_KEYED_SLOTS];
	uint64_t predicted = 0;

	if (t == TTI_DELTA && i)
		predicted = values[i - 1];
	if (t == TTI_GAP && i)
		predicted = values[i - 1] + before[i - 1];
	if (t == TTI_KEYED) {
		predicted = *slot;
		*slot = values[i];
	}
	return predicted;
}

/* DELTA and GAP begin with the first value itself, so that it does not widen every row. */
static inline void tti_put_column(struct tti_buffer *b, enum tti_transform t,
				  const uint64_t *values, const uint64_t *key,
				  const uint64_t *before, size_t nr_rows, struct tti_scratch *s)
{
	const bool has_first = t == TTI_DELTA || t == TTI_GAP;
	uint64_t all = 0;
	unsigned nr_planes = 0;
	uint8_t coding;

	memset(s->last, 0, sizeof(s->last));
	for (size_t i = 0; i < nr_rows; i++) {
		const uint64_t d = values[i] - tti_predict(t, values, key, before, i, s->last);

		s->residuals[i] = t == TTI_PLAIN ? d : has_first && !i ? 0 : tti_zigzag(d);
		all |= s->residuals[i];
	}
	for (; all; all >>= 8)
		nr_planes++;
	coding = (uint8_t)(t << 4 | nr_planes);
	tti_put_bytes(b, &coding, 1);
	if (has_first)
		tti_put_varint(b, nr_rows ? values[0] : 0);
	tti_put_planes(b, s->residuals, nr_rows, nr_planes);
}

/*
 * Appends one batch of 1 to TTI_BATCH_ROWS_MAX rows; columns[i] has the values of column i,
 * transforms[i] how it is written (NULL: as records.def says).
 */
static inline void tti_put_batch(struct tti_buffer *b, uint64_t kind, const void *head,
				 const uint64_t *const *columns, const uint8_t *transforms,
				 size_t nr_rows, struct tti_scratch *s)
{
	const struct tti_record_desc *desc = tti_record_desc(kind);
	const size_t before = b->used;
	const uint32_t cuts_before = b->nr_cuts;
	const size_t begin = tti_record_begin(b, kind);

	for (size_t i = 0; i < desc->nr_fields; i++)
		tti_put_field(b, &desc->fields[i], head);
	tti_put_varint(b, nr_rows);
	for (size_t i = 0; i < desc->nr_columns; i++)
		tti_put_column(b, transforms ? transforms[i] : desc->columns[i].transform,
			       columns[i], columns[0], columns[i ? i - 1 : 0], nr_rows, s);
	tti_record_end(b, begin);
	if (b->full) {
		b->used = before;
		b->nr_cuts = cuts_before;
	}
}

#endif
