/* SPDX-License-Identifier: Apache-2.0 */
#include "event_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM_MIN = 256 };

/* A run of the temporary file: sorted records. */
struct run {
	uint64_t at, end; /* bytes that are not read yet */
	char *room;
	size_t nr, next; /* records in room */
};

struct event_sort {
	size_t record_bytes;
	size_t size, room, nr, next; /* counts of records: at most, allocated, there, given out */
	event_compare *compare;
	char *records;
	char *last; /* the record given out last, of a merge */
	FILE *file; /* NULL: all are in memory */
	uint64_t file_bytes;
	struct run *runs;
	uint32_t *heap; /* runs, the one with the first record at the root */
	size_t nr_runs, nr_heap, room_records;
	int err;
};

struct event_sort *event_sort_new(size_t record_bytes, event_compare *compare, size_t memory_bytes)
{
	struct event_sort *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->record_bytes = record_bytes;
	s->compare = compare;
	s->size = memory_bytes / record_bytes;
	s->last = malloc(record_bytes);
	if (!s->last) {
		event_sort_free(s);
		return NULL;
	}
	return s;
}

void event_sort_free(struct event_sort *s)
{
	if (!s)
		return;
	if (s->file)
		fclose(s->file);
	free(s->runs);
	free(s->heap);
	free(s->records);
	free(s->last);
	free(s);
}

static int fail(struct event_sort *s, int err)
{
	if (!s->err)
		s->err = err;
	return err;
}

/* Traces are mostly in order: then there is nothing to sort. */
static bool is_sorted(const struct event_sort *s)
{
	for (size_t i = 1; i < s->nr; i++)
		if (s->compare(s->records + (i - 1) * s->record_bytes,
			       s->records + i * s->record_bytes) > 0)
			return false;
	return true;
}

/* glibc's qsort is a merge sort wherever it has the memory; all comparisons end in a number. */
static void sort_records(struct event_sort *s)
{
	if (!is_sorted(s))
		qsort(s->records, s->nr, s->record_bytes, s->compare);
}

/* Without a name, and gone with us. */
static FILE *temporary_file(void)
{
	const char *folder = secure_getenv("TMPDIR");
	char path[PATH_MAX];
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s/ttitrace.XXXXXX", folder && *folder ? folder : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return NULL;
	unlink(path);
	file = fdopen(fd, "w+");
	if (!file)
		close(fd);
	return file;
}

static int write_run(struct event_sort *s)
{
	struct run *runs = realloc(s->runs, (s->nr_runs + 1) * sizeof(*runs));

	if (!runs)
		return fail(s, -ENOMEM);
	s->runs = runs;
	if (!s->file)
		s->file = temporary_file();
	if (!s->file)
		return fail(s, -errno);
	sort_records(s);
	if (fwrite(s->records, s->record_bytes, s->nr, s->file) != s->nr)
		return fail(s, errno ? -errno : -EIO);
	s->runs[s->nr_runs++] = (struct run){
		.at = s->file_bytes,
		.end = s->file_bytes + s->nr * s->record_bytes,
	};
	s->file_bytes += s->nr * s->record_bytes;
	s->nr = 0;
	return 0;
}

/* Most traces are small. */
static int grow(struct event_sort *s)
{
	const size_t doubled = s->room ? 2 * s->room : ROOM_MIN;
	const size_t room = doubled < s->size ? doubled : s->size;
	char *records = realloc(s->records, room * s->record_bytes);

	if (!records)
		return fail(s, -ENOMEM);
	s->records = records;
	s->room = room;
	return 0;
}

int event_sort_add(struct event_sort *s, const void *record)
{
	if (s->err)
		return s->err;
	if (s->nr == s->size && write_run(s) < 0)
		return s->err;
	if (s->nr == s->room && grow(s) < 0)
		return s->err;
	memcpy(s->records + s->nr++ * s->record_bytes, record, s->record_bytes);
	return 0;
}

/* --- merging ---------------------------------------------------------------------------------- */

/* 1, 0: the run is at its end, or an error. */
static int fill(struct event_sort *s, struct run *run)
{
	size_t bytes = s->room_records * s->record_bytes;

	if (bytes > run->end - run->at)
		bytes = run->end - run->at;
	run->next = 0;
	run->nr = bytes / s->record_bytes;
	for (size_t got = 0; got < bytes;) {
		const ssize_t n = pread(fileno(s->file), run->room + got, bytes - got,
					(off_t)(run->at + got));

		if (n <= 0)
			return fail(s, n < 0 ? -errno : -EIO);
		got += (size_t)n;
	}
	run->at += bytes;
	return run->nr > 0;
}

static const char *head(const struct event_sort *s, uint32_t index)
{
	const struct run *run = &s->runs[index];

	return run->room + run->next * s->record_bytes;
}

static bool is_before(const struct event_sort *s, uint32_t a, uint32_t b)
{
	const int order = s->compare(head(s, a), head(s, b));

	return order < 0 || (order == 0 && a < b);
}

static void sift(struct event_sort *s, size_t i)
{
	for (;;) {
		size_t best = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < s->nr_heap; k++)
			if (is_before(s, s->heap[k], s->heap[best]))
				best = k;
		if (best == i)
			return;
		const uint32_t other = s->heap[i];

		s->heap[i] = s->heap[best];
		s->heap[best] = other;
		i = best;
	}
}

static int begin_merge(struct event_sort *s)
{
	if (write_run(s) < 0 || fflush(s->file))
		return fail(s, errno ? -errno : -EIO);
	s->room_records = s->size / s->nr_runs;
	s->heap = calloc(s->nr_runs, sizeof(*s->heap));
	if (!s->room_records || !s->heap)
		return fail(s, -ENOMEM);
	for (uint32_t i = 0; i < s->nr_runs; i++) {
		s->runs[i].room = s->records + i * s->room_records * s->record_bytes;
		if (fill(s, &s->runs[i]) > 0)
			s->heap[s->nr_heap++] = i;
	}
	for (size_t i = s->nr_heap; i-- > 0;)
		sift(s, i);
	return s->err;
}

int event_sort_begin(struct event_sort *s)
{
	if (s->err)
		return s->err;
	if (s->file)
		return begin_merge(s);
	sort_records(s);
	return 0;
}

static const void *merge_next(struct event_sort *s)
{
	struct run *run;

	if (!s->nr_heap)
		return NULL;
	run = &s->runs[s->heap[0]];
	memcpy(s->last, head(s, s->heap[0]), s->record_bytes);
	if (++run->next == run->nr && fill(s, run) <= 0)
		s->heap[0] = s->heap[--s->nr_heap];
	sift(s, 0);
	return s->last;
}

const void *event_sort_next(struct event_sort *s)
{
	if (s->err)
		return NULL;
	if (s->file)
		return merge_next(s);
	return s->next < s->nr ? s->records + s->next++ * s->record_bytes : NULL;
}

int event_sort_error(const struct event_sort *s)
{
	return s->err;
}
