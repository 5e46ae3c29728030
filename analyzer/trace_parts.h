/* SPDX-License-Identifier: Apache-2.0 */
/* trace_parts.h - between the files that make up trace.h; nobody else includes it. */
#ifndef ANALYZER_TRACE_PARTS_H
#define ANALYZER_TRACE_PARTS_H

#include "trace.h"

/*
 * Rows that one compressed byte may stand for.  Constant columns of full batches come to less than
 * a thousand; without a limit a few kilobytes could keep a reader busy for days.
 */
enum { TRACE_ROWS_PER_BYTE_MAX = 16384 };

/* The entry of a device, made if there is none; NULL: no memory. */
struct trace_device *trace_find_device(struct trace *t, uint64_t ordinal);

bool templates_have_one_geometry(const struct host_template *h, const struct device_template *d);

/* A name that the driver would not tell agrees with any. */
bool templates_have_one_name(const struct host_template *h, const struct device_template *d);

/* Adds up what a node did, as far as that has not happened yet.  0 or -ENOMEM. */
int trace_settle_node(const struct graph_node *node, void *trace);

/* After the last row.  0 or -ENOMEM. */
int trace_sum(struct trace *t);

static inline void trace_see_time(struct trace *t, uint64_t begin_ns, uint64_t end_ns)
{
	if (begin_ns < t->first_ns)
		t->first_ns = begin_ns;
	if (end_ns > t->last_ns)
		t->last_ns = end_ns;
}

#endif
