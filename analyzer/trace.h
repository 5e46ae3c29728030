/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - one trace file, read once from front to back: definitions, sums, coverage, damage. */
#ifndef ANALYZER_TRACE_H
#define ANALYZER_TRACE_H

#include "busy.h"
#include "correlate.h"
#include "counters.h"
#include "decode.h"
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
	uint32_t segment; /* of phases, 0: not asked for, or not known */
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

/* A host row.  Rows of one thread on one stream come in their order, somewhat late. */
struct host_row {
	uint64_t tid, begin_ns, duration_ns;
	uint64_t result;   /* other than 0: the driver refused */
	uint32_t template; /* index */
	uint32_t site;     /* 0: refused */
	uint32_t segment;  /* of phases, 0: not asked for, or refused */
	uint32_t correlation;
	enum host_class class; /* 0: expects no record */
};

struct device_row {
	uint64_t begin_ns, duration_ns;
	uint64_t node;     /* of a graph, 0: none */
	uint32_t template; /* index */
	uint32_t segment;  /* of phases, 0: not asked for, or not known */
	uint32_t site;     /* of the call that made the node; 0: no node, or not known yet */
	uint32_t correlation;
	enum device_class class;
};

/*
 * Who is told of every row as it is read; without memory per row, unless it keeps them.  A negative
 * errno ends the pass.
 */
struct trace_observer {
	int (*host)(void *context, const struct host_row *row);
	int (*device)(void *context, const struct device_row *row);
	int (*record)(void *context, uint64_t kind, const union record_fields *fields);
	void (*progress)(void *context, uint64_t offset);
	void *context;
};

/* Shared by all traces of a run. */
struct trace_setup {
	struct names *names;
	struct works *works;
	enum information information;
	bool with_phases;      /* rows are told apart by segment; a pass before */
	bool with_phase_sums;  /* and sums by segment: memory for each launch of each */
	bool with_phase_sites; /* instead, each site is of one: what is to be cut further */
	const struct trace_observer *observer; /* NULL: none */
	const struct phase_survey *survey;     /* of a pass before; NULL: it is made if needed */
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
