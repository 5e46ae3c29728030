/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - one trace file, read once from front to back: definitions, sums, coverage, damage. */
#ifndef ANALYZER_TRACE_H
#define ANALYZER_TRACE_H

#include "busy.h"
#include "correlate.h"
#include "counters.h"
#include "model.h"
#include "pairs.h"
#include "phase_tracker.h"
#include "reader.h"

enum { TRACE_DEVICES_MAX = 64, TRACE_MISMATCHES_MAX = 8 };

struct trace_device {
	uint64_t ordinal;
	uint64_t kernel_ns, copy_ns; /* sums; more than busy where streams overlap */
	struct busy *busy;
};

/* One attention, in the order of its launches; those of a graph, of its runs. */
struct moment {
	uint64_t begin_ns;
	uint32_t site;
};

struct trace_timeline {
	struct moment *moments;
	size_t nr, size;
	uint64_t nr_left_out; /* beyond what is kept */
};

/* A launch and the device record with its correlation id that is of another grid or block. */
struct mismatch {
	uint32_t host_template, device_template;
};

struct trace {
	char *path;
	struct tti_file_header header;
	struct reader_damage damage;
	uint64_t file_bytes, content_bytes, nr_frames, nr_records;
	struct model model;
	uint64_t counted[TTI_COUNTER_LIMIT]; /* like COUNT records, from the rows themselves */
	struct correlation correlation;
	struct pairs pairs;
	struct trace_timeline timeline; /* of attention */
	struct phase_tracker *phases;   /* NULL: not asked for */
	uint64_t mismatched;
	uint64_t renamed; /* launches whose record has another kernel's name, and its geometry */
	size_t nr_mismatches;
	struct mismatch mismatches[TRACE_MISMATCHES_MAX]; /* the first ones */
	uint64_t nodes_mismatched;      /* node records of another kernel than their creator's */
	uint64_t nodes_without_creator; /* node records whose node no recorded call created */
	uint64_t graph_records;         /* device records of whole graphs */
	uint64_t first_ns, last_ns;     /* of all rows */
	uint64_t host_ns;               /* sum of the durations of host rows */
	size_t nr_devices;
	struct trace_device devices[TRACE_DEVICES_MAX];
};

/* A row as it is read. */
struct trace_event {
	uint32_t site;            /* of its launch, or what it is the launch of; 0: not known yet */
	uint32_t device_template; /* index; 0: this is a launch, times are the host's */
	uint32_t correlation;
	uint64_t begin_ns, duration_ns;
};

/*
 * Who wants to see rows, not sums: device rows in the order of the file, launches when they and
 * their neighbours are understood.  A trace read again has the same sites.
 */
struct trace_watch {
	void (*see)(void *context, const struct trace_event *event);
	void *context;
};

/* Shared by all traces of a run. */
struct trace_setup {
	struct names *names;
	struct works *works;
	enum information information;
	bool with_phases; /* sites are of one segment each: more of them, and a pass before */
	const struct trace_watch *watch; /* NULL: nobody */
};

/*
 * -EBADMSG, -EPROTO, errno: it cannot be read at all.  A damaged trace gives 0 and what is whole
 * of it.
 */
int trace_scan(const char *path, const struct trace_setup *setup, struct trace **ret_trace,
	       struct diag *diag);
void trace_free(struct trace *t); /* accepts NULL */

bool trace_has_device_rows(const struct trace *t);
bool trace_is_untimed(const struct trace *t); /* by the user's wish */

/* Whether a counter of the recorder contradicts the rows; the rows may only be behind after a kill.
 */
bool trace_counter_differs(const struct trace *t, enum tti_counter counter);

/* Whether every launch is there with its time, as far as anybody can know. */
bool trace_is_complete(const struct trace *t);

#endif
