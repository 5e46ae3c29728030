/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_writer.h - records and rows -> a trace file.
 *
 * Definitions go before the rows that follow them.  The first error stays and makes everything
 * after it do nothing; trace_writer_close() says what it was.
 */
#ifndef ANALYZER_TRACE_WRITER_H
#define ANALYZER_TRACE_WRITER_H

#include <stdbool.h>

#include "diag.h"
#include "ttitrace/record.h"

struct trace_writer;

/*
 * Makes the file.  Negative errno in diag; -EEXIST: there is one and may_replace is false.  The
 * path is borrowed.
 */
int trace_writer_open(const char *path, bool may_replace, struct trace_writer **ret,
		      struct diag *diag);

/* One record without columns, as struct tti_<kind>. */
void trace_writer_put(struct trace_writer *w, uint64_t kind, const void *record);

/* One row by its columns (record.h numbers them), in the order of time of its thread. */
void trace_writer_host(struct trace_writer *w, uint64_t tid,
		       const uint64_t row[tti_nr_columns_host]);
void trace_writer_gpu(struct trace_writer *w, const uint64_t row[tti_nr_columns_gpu]);

bool trace_writer_failed(const struct trace_writer *w);

/* Writes what is left and frees w.  A file that could not be written whole is removed. */
int trace_writer_close(struct trace_writer *w, struct diag *diag);

/* Removes the file and frees w; accepts NULL. */
void trace_writer_abandon(struct trace_writer *w);

#endif
