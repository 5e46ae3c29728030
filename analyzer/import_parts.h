/* SPDX-License-Identifier: Apache-2.0 */
/* import_parts.h - what import.c and import_stack.c share. */
#ifndef ANALYZER_IMPORT_PARTS_H
#define ANALYZER_IMPORT_PARTS_H

#include "id_map.h"
#include "import.h"
#include "trace_writer.h"

/* Frames of a stack, threads: beyond any real program. */
enum { IMPORT_DEPTH_MAX = 400, IMPORT_THREADS_MAX = 65536 };

/* FORMAT.md: nodes of graph launches whose own nodes are not known. */
#define IMPORT_NODES (1ull << 40)

/* Rows of import_apis.def; those before CAPTURE_BEGIN are numbered like TTI_OP. */
enum import_op_code {
	CODE_NONE,
	CODE_LAUNCH = TTI_OP_LAUNCH,
	CODE_GRAPH_LAUNCH = TTI_OP_GRAPH_LAUNCH,
	CODE_COPY = TTI_OP_COPY,
	CODE_FILL = TTI_OP_FILL,
	CODE_SYNC = TTI_OP_SYNC,
	CODE_CAPTURE_BEGIN = 100,
	CODE_CAPTURE_END,
};

/* Of events that begin and end together the first is around the others. */
enum span_sort { SPAN_range, SPAN_function, SPAN_op, SPAN_call };

/* What a thread did.  `what` is a text of import_defs.h. */
struct span_event {
	uint64_t begin_ns, end_ns, number;
	uint32_t thread; /* index + 1 */
	uint32_t what;
	uint32_t more; /* of an operation its problem, a call its correlation id, a range its domain
			*/
	uint32_t template; /* of what a call caused, 0: nothing that is known */
	uint32_t result;
	uint8_t sort, code;
};

/* A call, or what a device did, until both are found.  `what`: a text, a device template. */
struct join_event {
	uint64_t begin_ns, end_ns, node, number;
	uint32_t correlation, what, thread, result;
	uint8_t is_device, code;
};

struct device_event {
	uint64_t begin_ns, duration_ns, node, number;
	uint32_t correlation, template;
};

/* An operation or function that has begun and not ended. */
struct open_span {
	uint64_t end_ns;
	uint32_t what, problem;
	bool is_known;  /* frame is */
	uint64_t frame; /* id in the trace */
	uint32_t class; /* of self, a text, 0: none; of a range its domain */
	uint64_t self;
	bool is_call;    /* a module's __call__ or _call_impl: what it calls has its self */
	bool is_wrapper; /* called by one, and not forward: its forward has */
};

struct span_stack {
	struct open_span *rows;
	size_t nr, size;
};

struct import_thread {
	uint64_t pid, tid;
	struct span_stack ops, functions, ranges;
	bool is_capturing;
};

struct fact {
	char *key, *value;
};

struct import {
	struct import_defs *defs;
	struct event_sort *spans, *joins, *device_rows;
	struct import_thread *threads;
	size_t nr_threads;
	struct id_map thread_ids;
	uint32_t last_thread;
	uint64_t pid, first_ns, last_ns, realtime_offset_ns, nr_events, nr_ignored;
	char *host, *program, *rank;
	struct fact *infos;
	size_t nr_infos;
	struct tti_device *devices; /* names: owned */
	size_t nr_devices;
	struct import_counts counts;
	bool has_facts;
	struct op_problem problem; /* of the operation at hand */
	int err;
};

void import_fail(struct import *in, int err);

/* The next event of all threads, in the order of by_begin(). */
void import_take_span(struct import *in, struct trace_writer *w, const struct span_event *event);

/* Behind the last of them. */
void import_end_spans(struct import *in, struct trace_writer *w);

#endif
