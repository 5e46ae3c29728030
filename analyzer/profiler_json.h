/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profiler_json.h - torch.profiler's trace (Chrome's trace event format with Kineto's categories),
 * read as a stream: events of one process in any order, metadata before or behind them.
 */
#ifndef ANALYZER_PROFILER_JSON_H
#define ANALYZER_PROFILER_JSON_H

#include "byte_stream.h"
#include "import.h"

struct profiler_json_result {
	bool is_whole;       /* else it ends early, or is damaged from `position` on */
	uint64_t position;   /* byte of the JSON text */
	char why[160];       /* if it is not whole */
	uint64_t nr_skipped; /* events without a time, or with one that is none */
};

/* Negative errno in diag where nothing of it can be read. */
int profiler_json_read(struct byte_stream *stream, struct import *in,
		       struct profiler_json_result *ret, struct diag *diag);

/* "1234.5678" microseconds in ns, exactly where there are three digits or fewer. */
bool profiler_time(const char *text, size_t size, uint64_t *ret_ns);

#endif
