/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkrepeat TRACE TIMES - a program that did TIMES in a row what TRACE says it did once, on standard
 * output: definitions once, rows again and again, later by as much as the trace is long, with new
 * correlation ids.  A real program's templates, parameters and Python paths for any number of
 * launches, in the memory that the one trace takes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/decode.h"
#include "analyzer/reader.h"
#include "ttitrace/frame.h"

/* A batch of the trace; `frame` says which ones stand together. */
struct rows {
	uint64_t kind, frame;
	union record_fields fields;
	size_t nr, nr_columns;
	uint64_t *columns[DECODE_COLUMNS_MAX];
};

static struct rows *all;
static size_t nr_all;
static uint64_t first_ns = UINT64_MAX, last_ns, last_correlation;
static struct tti_buffer content;
static struct tti_scratch scratch;
static ZSTD_CCtx *cctx;
static struct batch batch;

static void give_up(const char *what)
{
	fprintf(stderr, "mkrepeat: %s\n", what);
	exit(1);
}

static void end_frame(void)
{
	static uint8_t out[TTI_FRAME_BYTES_MAX + (1 << 20)];
	size_t n;

	if (!content.used)
		return;
	n = tti_frame_compress(cctx, out, sizeof(out), &content, content.cuts, content.nr_cuts);
	if (!n || content.full || fwrite(out, 1, n, stdout) != n)
		give_up("a frame could not be written");
	tti_buffer_reset(&content);
}

static size_t begin_column(uint64_t kind)
{
	return kind == TTI_RECORD_HOST ? (size_t)tti_column_host_begin_ns
				       : (size_t)tti_column_gpu_begin_ns;
}

static size_t correlation_column(uint64_t kind)
{
	return kind == TTI_RECORD_HOST ? (size_t)tti_column_host_correlation
				       : (size_t)tti_column_gpu_correlation;
}

static void see_rows(const struct rows *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		const uint64_t begin = r->columns[begin_column(r->kind)][i];
		const uint64_t end = begin + r->columns[1][i];
		const uint64_t correlation = r->columns[correlation_column(r->kind)][i];

		first_ns = begin < first_ns ? begin : first_ns;
		last_ns = end > last_ns ? end : last_ns;
		last_correlation = correlation > last_correlation ? correlation : last_correlation;
	}
}

static void keep_rows(const struct record *record, const union record_fields *fields,
		      uint64_t frame)
{
	struct rows *r;
	size_t done = 0;

	if (batch_open(record, ~0u, &batch) < 0)
		give_up("the trace is damaged");
	all = realloc(all, (nr_all + 1) * sizeof(*all));
	if (!all)
		give_up("no memory");
	r = &all[nr_all++];
	*r = (struct rows){ .kind = record->kind,
			    .frame = frame,
			    .fields = *fields,
			    .nr = batch.nr_rows,
			    .nr_columns = batch.desc->nr_columns };
	for (size_t i = 0; i < r->nr_columns; i++) {
		r->columns[i] = calloc(r->nr, sizeof(**r->columns));
		if (!r->columns[i])
			give_up("no memory");
	}
	for (size_t n = batch_strip(&batch); n; done += n, n = batch_strip(&batch))
		for (size_t i = 0; i < r->nr_columns; i++)
			memcpy(r->columns[i] + done, batch.values[i], n * sizeof(**r->columns));
	see_rows(r);
}

/* Definitions as they are; rows are kept, and what the whole run added up to is left out. */
static void take_frame(const struct frame *frame, uint64_t number, struct list_room *room)
{
	struct cursor c = frame->content;
	const uint8_t *begin = c.at;
	union record_fields fields;
	struct record record;
	size_t present;

	for (; record_next(&c, &record) > 0; begin = c.at) {
		if (record.kind == TTI_RECORD_COUNT || record.kind == TTI_RECORD_FINISH)
			continue;
		if (record.desc && record.desc->columns) {
			if (record_fields(&record, &fields, &present, room) < 0)
				give_up("the trace is damaged");
			keep_rows(&record, &fields, number);
			continue;
		}
		tti_put_bytes(&content, begin, (size_t)(c.at - begin));
	}
	end_frame();
}

static void put_again(struct rows *r, uint64_t later_ns, uint64_t more_ids)
{
	const size_t begin = begin_column(r->kind), correlation = correlation_column(r->kind);
	const uint64_t *pointers[DECODE_COLUMNS_MAX];

	for (size_t i = 0; i < r->nr_columns; i++)
		pointers[i] = r->columns[i];
	tti_put_batch(&content, r->kind, &r->fields, pointers, NULL, r->nr, &scratch);
	for (size_t i = 0; i < r->nr; i++) {
		uint64_t *id = &r->columns[correlation][i];

		r->columns[begin][i] += later_ns;
		*id = *id ? (uint32_t)(*id + more_ids) : 0;
	}
	if (r->kind == TTI_RECORD_GPU)
		r->fields.gpu.collected_ns += later_ns;
}

static void read_trace(const char *path)
{
	struct list_room room = { 0 };
	struct reader *reader;
	struct frame frame;
	struct diag diag;
	uint64_t number = 0;

	if (reader_open(path, &reader, &diag) < 0)
		give_up(diag.message);
	if (fwrite(reader_header(reader), sizeof(struct tti_file_header), 1, stdout) != 1)
		give_up("the header could not be written");
	while (reader_next(reader, &frame, &diag) > 0)
		take_frame(&frame, number++, &room);
	reader_close(reader);
	list_room_free(&room);
}

int main(int argc, char **argv)
{
	const uint64_t times = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t span_ns;

	if (!times)
		give_up("usage: mkrepeat TRACE TIMES >OUT");
	content.size = TTI_FRAME_BYTES_MAX;
	content.data = malloc(content.size);
	cctx = ZSTD_createCCtx();
	if (!content.data || !cctx || tti_frame_setup(cctx, 3) < 0)
		give_up("no memory");
	read_trace(argv[1]);
	span_ns = last_ns - first_ns + 1000000;
	for (uint64_t i = 0; i < times; i++)
		for (size_t k = 0; k < nr_all; k++) {
			put_again(&all[k], span_ns, last_correlation);
			if (k + 1 == nr_all || all[k].frame != all[k + 1].frame)
				end_frame();
		}
	tti_put_record(&content, TTI_RECORD_FINISH,
		       &(struct tti_finish){ .reason = TTI_ENDING_EXIT,
					     .time_ns = first_ns + times * span_ns });
	end_frame();
	return fflush(stdout) ? 1 : 0;
}
