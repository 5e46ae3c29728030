/* SPDX-License-Identifier: Apache-2.0 */
#include "sizes.h"

#include <errno.h>
#include <stdlib.h>

#include <zstd.h>

#include "reader.h"

enum { UNKNOWN = TTI_RECORD_LIMIT, KINDS = TTI_RECORD_LIMIT + 1 };

struct meter {
	ZSTD_CCtx *cctx;
	int level;
	uint8_t *out;
	size_t out_size;
	struct batch *batch;
	struct list_room room;
	struct size_row kinds[KINDS];
	struct size_row columns[KINDS][DECODE_COLUMNS_MAX];
};

static uint64_t compressed(struct meter *m, const uint8_t *bytes, size_t size)
{
	const size_t needed = ZSTD_compressBound(size);
	size_t n;

	if (needed > m->out_size) {
		free(m->out);
		m->out = malloc(needed);
		m->out_size = m->out ? needed : 0;
	}
	n = m->out ? ZSTD_compressCCtx(m->cctx, m->out, m->out_size, bytes, size, m->level) : size;
	return ZSTD_isError(n) || n > size ? size : n;
}

static void measure_columns(struct meter *m, struct size_row *rows)
{
	const struct batch *b = m->batch;

	for (size_t i = 0; i < b->nr_columns; i++) {
		rows[i].nr += b->nr_rows;
		/* Plane by plane, as the writer gives them to zstd. */
		for (unsigned int p = 0; p < b->columns[i].nr_planes; p++) {
			rows[i].bytes += b->nr_rows;
			rows[i].compressed_bytes +=
				compressed(m, b->columns[i].planes + p * b->nr_rows, b->nr_rows);
		}
	}
}

static void measure_record(struct meter *m, struct record *record)
{
	struct size_row *row = &m->kinds[record->desc ? record->kind : UNKNOWN];
	union record_fields fields;
	size_t present;

	row->nr++;
	if (!record->desc || !record->desc->columns ||
	    record_fields(record, &fields, &present, &m->room) < 0 ||
	    batch_open(record, 0, m->batch) < 0)
		return;
	measure_columns(m, m->columns[record->kind]);
}

static void measure_frame(struct meter *m, struct cursor content)
{
	struct record record;
	const uint8_t *begin = content.at;

	while (record_next(&content, &record) > 0) {
		struct size_row *row = &m->kinds[record.desc ? record.kind : UNKNOWN];
		const size_t size = (size_t)(content.at - begin);

		row->bytes += size;
		if (!record.desc || !record.desc->columns)
			row->compressed_bytes += compressed(m, begin, size);
		measure_record(m, &record);
		begin = content.at;
	}
}

static int collect(struct meter *m, struct sizes *s, struct diag *diag)
{
	s->rows = calloc((size_t)KINDS * (1 + DECODE_COLUMNS_MAX), sizeof(*s->rows));
	if (!s->rows)
		return diag_set(diag, -ENOMEM, "no memory");
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct tti_record_desc *desc = tti_record_desc(kind);
		struct size_row row = m->kinds[kind];

		if (!row.nr)
			continue;
		row.record = desc ? desc->name : "unknown";
		for (size_t i = 0; desc && i < desc->nr_columns; i++)
			row.bytes -= m->columns[kind][i].bytes;
		if (desc && desc->columns)
			row.compressed_bytes = row.bytes;
		s->rows[s->nr++] = row;
		for (size_t i = 0; desc && i < desc->nr_columns; i++) {
			struct size_row *column = &s->rows[s->nr++];

			*column = m->columns[kind][i];
			column->record = desc->name;
			column->column = desc->columns[i].name;
		}
	}
	return 0;
}

int sizes_measure(const char *path, struct sizes *ret_sizes, struct diag *diag)
{
	struct meter *m = calloc(1, sizeof(*m));
	struct sizes sizes = { 0 };
	struct reader *reader = NULL;
	struct frame frame;
	int r = reader_open(path, &reader, diag);

	if (r < 0)
		goto out;
	r = -ENOMEM;
	if (!m || !(m->cctx = ZSTD_createCCtx()) || !(m->batch = malloc(sizeof(*m->batch)))) {
		diag_set(diag, r, "no memory");
		goto out;
	}
	m->level = reader_header(reader)->level;
	while ((r = reader_next(reader, &frame, diag)) > 0)
		measure_frame(m, frame.content);
	if (r < 0)
		goto out;
	r = collect(m, &sizes, diag);
	sizes.file_bytes = reader_offset(reader);
	if (r == 0)
		*ret_sizes = sizes;
out:
	if (m) {
		ZSTD_freeCCtx(m->cctx);
		list_room_free(&m->room);
		free(m->batch);
		free(m->out);
	}
	free(m);
	reader_close(reader);
	return r;
}

void sizes_free(struct sizes *s)
{
	free(s->rows);
	*s = (struct sizes){ 0 };
}
