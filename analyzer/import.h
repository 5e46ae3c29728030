/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h - the events of another program's trace, in any order -> a trace of ours.
 *
 * What reads a foreign format tells the events here, then import_write() puts them in order, joins
 * calls with what they caused, finds the operations and functions around each call, and writes the
 * trace.  Memory is bounded: events wait in temporary files, and only what repeats is kept.
 * Functions without a result keep the first error for import_write(); strings are copied.
 */
#ifndef ANALYZER_IMPORT_H
#define ANALYZER_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "op_problem.h"
#include "ttitrace/record.h"

struct import; /* one process */

/* A span of a thread.  Times in ns. */
struct import_span {
	uint64_t pid, tid;
	uint64_t begin_ns, end_ns;
};

/* What a device did. */
struct import_activity {
	struct tti_device_template template; /* id, name and activity of it are set by others */
	struct tti_str name;                 /* of a kernel */
	uint64_t begin_ns, end_ns;
	uint32_t correlation;
	uint64_t node; /* of a graph, 0: none, or not known */
};

struct import *import_new(void);     /* NULL: no memory */
void import_free(struct import *in); /* accepts NULL */

/* Facts of the whole; pid of the process, 0: that of its first call. */
void import_process(struct import *in, uint64_t pid, const char *host, const char *program);
void import_rank(struct import *in, const char *rank);
void import_info(struct import *in, const char *key, const char *value);
void import_device(struct import *in, const struct tti_device *device);
void import_realtime(struct import *in, uint64_t offset_ns); /* times plus this are of 1970 */

/* The other program watched from then to then. */
void import_watched(struct import *in, uint64_t begin_ns, uint64_t end_ns);

/* An operation of the framework; facts NULL: not known what it was given. */
void import_op(struct import *in, const struct import_span *span, struct tti_str name,
	       const struct op_facts *facts);

/* A function of Python as torch.profiler writes it: "file.py(12): name", "nn.Module: Linear_3". */
void import_python(struct import *in, const struct import_span *span, struct tti_str name);

/* What the application said it was doing; of a framework's own ranges `domain` says whose. */
void import_range(struct import *in, const struct import_span *span, struct tti_str text,
		  struct tti_str domain);

/* A call of CUDA or HIP.  Those that import_apis.def has no row for are ignored. */
void import_call(struct import *in, const struct import_span *span, struct tti_str name,
		 uint32_t correlation, uint64_t result);

void import_activity(struct import *in, enum tti_activity activity,
		     const struct import_activity *what);

struct import_counts {
	uint64_t calls, activities, ops, functions;
	uint64_t ignored; /* definitions beyond what is kept, frames beyond what stacks may have */
};

struct import_counts import_counts(const struct import *in);

struct import_target {
	const char *path;
	bool may_replace;
	bool is_whole; /* the foreign trace was; else ours has no `finish` */
};

/* Negative errno in diag; then there is no file. */
int import_write(struct import *in, const struct import_target *target, struct diag *diag);

#endif
