/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "ttitrace/frame.h"

enum {
	LEVEL = 3,
	ROWS = 16384,               /* of either sort in a frame */
	DEFINITIONS_BYTES = 4 << 20 /* then a frame ends early */
};

struct trace_writer {
	const char *path;
	FILE *file;
	bool is_new;               /* then it is ours to remove */
	struct output_place place; /* where it replaces another */
	ZSTD_CCtx *cctx;
	struct tti_buffer content;
	struct tti_scratch scratch;
	uint8_t *out;
	size_t out_size;
	size_t nr_host, nr_gpu;
	uint64_t tids[ROWS];
	uint64_t host[ROWS][tti_nr_columns_host];
	uint64_t gpu[ROWS][tti_nr_columns_gpu];
	uint64_t columns[tti_nr_columns_host][ROWS]; /* of the batch that is being written */
	bool is_written[ROWS];
	int err;
};

static void fail(struct trace_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

static void free_writer(struct trace_writer *w)
{
	if (w->file)
		fclose(w->file);
	ZSTD_freeCCtx(w->cctx);
	free(w->content.data);
	free(w->out);
	free(w);
}

static void put_header(struct trace_writer *w)
{
	const struct tti_file_header header = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(header) - 8,
		.magic = { 't', 't', 'i', 't', 'r', 'a', 'c', 'e' },
		.major = TTI_FORMAT_MAJOR,
		.minor = TTI_FORMAT_MINOR,
		.level = LEVEL,
	};

	if (fwrite(&header, sizeof(header), 1, w->file) != 1)
		fail(w, -EIO);
}

static int open_new(struct trace_writer *w, struct diag *diag)
{
	const int fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	w->is_new = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		return diag_set(diag, -EEXIST, "%s: it is there already (--force replaces it)",
				w->path);
	return fd < 0 ? diag_set(diag, -errno, "%s: %s", w->path, strerror(errno)) : fd;
}

static int open_file(struct trace_writer *w, bool may_replace, struct diag *diag)
{
	const int fd =
		may_replace ? output_place_open(&w->place, w->path, diag) : open_new(w, diag);

	if (fd < 0)
		return fd;
	w->file = fdopen(fd, "w");
	if (!w->file) {
		close(fd);
		return diag_set(diag, -ENOMEM, "no memory");
	}
	return 0;
}

static void remove_file(struct trace_writer *w)
{
	output_settle(&w->place, false, &(struct diag){ "" });
	if (w->is_new)
		unlink(w->path);
}

int trace_writer_open(const char *path, bool may_replace, struct trace_writer **ret,
		      struct diag *diag)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return diag_set(diag, -ENOMEM, "no memory");
	w->path = path;
	w->content.size = TTI_FRAME_BYTES_MAX;
	w->content.data = malloc(w->content.size);
	w->out_size = tti_frame_bound(w->content.size, TTI_CUTS_MAX);
	w->out = malloc(w->out_size);
	w->cctx = ZSTD_createCCtx();
	if (!w->content.data || !w->out || !w->cctx || tti_frame_setup(w->cctx, LEVEL) < 0)
		r = diag_set(diag, -ENOMEM, "no memory");
	else
		r = open_file(w, may_replace, diag);
	if (r < 0) {
		remove_file(w);
		free_writer(w);
		return r;
	}
	put_header(w);
	*ret = w;
	return 0;
}

static void end_frame(struct trace_writer *w)
{
	size_t n;

	if (!w->content.used || w->err)
		return;
	n = tti_frame_compress(w->cctx, w->out, w->out_size, &w->content, w->content.cuts,
			       w->content.nr_cuts);
	if (!n || w->content.full)
		fail(w, -ENOMEM);
	else if (fwrite(w->out, 1, n, w->file) != n)
		fail(w, errno ? -errno : -EIO);
	tti_buffer_reset(&w->content);
}

static void put_batch(struct trace_writer *w, uint64_t kind, const void *head, size_t nr)
{
	const uint64_t *columns[tti_nr_columns_host];

	for (size_t i = 0; i < tti_nr_columns_host; i++)
		columns[i] = w->columns[i];
	tti_put_batch(&w->content, kind, head, columns, NULL, nr, &w->scratch);
}

/* The rows of the thread of row `first`, and of it alone: a batch is of one thread. */
static void put_thread(struct trace_writer *w, size_t first)
{
	const struct tti_host head = { .tid = w->tids[first] };
	size_t nr = 0;

	for (size_t i = first; i < w->nr_host; i++) {
		if (w->tids[i] != head.tid)
			continue;
		for (size_t c = 0; c < tti_nr_columns_host; c++)
			w->columns[c][nr] = w->host[i][c];
		w->is_written[i] = true;
		nr++;
	}
	put_batch(w, TTI_RECORD_HOST, &head, nr);
}

static void flush(struct trace_writer *w)
{
	memset(w->is_written, 0, w->nr_host * sizeof(*w->is_written));
	for (size_t i = 0; i < w->nr_host; i++)
		if (!w->is_written[i])
			put_thread(w, i);
	if (w->nr_gpu) {
		const uint64_t *last = w->gpu[w->nr_gpu - 1];
		const struct tti_gpu head = {
			.collected_ns =
				last[tti_column_gpu_begin_ns] + last[tti_column_gpu_duration_ns],
		};

		for (size_t i = 0; i < w->nr_gpu; i++)
			for (size_t c = 0; c < tti_nr_columns_gpu; c++)
				w->columns[c][i] = w->gpu[i][c];
		put_batch(w, TTI_RECORD_GPU, &head, w->nr_gpu);
	}
	w->nr_host = w->nr_gpu = 0;
	end_frame(w);
}

void trace_writer_put(struct trace_writer *w, uint64_t kind, const void *record)
{
	if (w->err)
		return;
	/* Nothing stands behind the last record. */
	if (w->content.used > DEFINITIONS_BYTES || kind == TTI_RECORD_FINISH)
		flush(w);
	tti_put_record(&w->content, kind, record);
	if (w->content.full)
		fail(w, -E2BIG);
}

void trace_writer_host(struct trace_writer *w, uint64_t tid,
		       const uint64_t row[tti_nr_columns_host])
{
	if (w->err)
		return;
	if (w->nr_host == ROWS)
		flush(w);
	w->tids[w->nr_host] = tid;
	memcpy(w->host[w->nr_host++], row, sizeof(*w->host));
}

void trace_writer_gpu(struct trace_writer *w, const uint64_t row[tti_nr_columns_gpu])
{
	if (w->err)
		return;
	if (w->nr_gpu == ROWS)
		flush(w);
	memcpy(w->gpu[w->nr_gpu++], row, sizeof(*w->gpu));
}

bool trace_writer_failed(const struct trace_writer *w)
{
	return w->err;
}

int trace_writer_close(struct trace_writer *w, struct diag *diag)
{
	int r;

	flush(w);
	if (fclose(w->file))
		fail(w, -errno);
	w->file = NULL;
	r = w->err;
	if (r < 0) {
		remove_file(w);
		diag_set(diag, r, "%s: cannot write it: %s", w->path, strerror(-r));
	} else {
		r = output_settle(&w->place, true, diag);
	}
	free_writer(w);
	return r;
}

void trace_writer_abandon(struct trace_writer *w)
{
	if (!w)
		return;
	remove_file(w);
	free_writer(w);
}
