/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phase_tracker.h - the rows of a trace -> segments: calls of top modules, and what lies between.
 *
 * A segment begins where the top module, its caller or the line it is called from changes, or where
 * one of the first launches of the call comes again far behind it.  Memory follows the number of
 * segments, not of launches.
 */
#ifndef ANALYZER_PHASE_TRACKER_H
#define ANALYZER_PHASE_TRACKER_H

#include "mark_ranges.h"
#include "model.h"

enum phase_kind {
#define PHASE(kind, name, is_step) PHASE_##kind,
#define PHASE_CLASS(pattern, where, kind)
#include "phase_rules.def"
#undef PHASE
#undef PHASE_CLASS
	NR_PHASE_KINDS
};

const char *phase_kind_name(enum phase_kind kind);
bool phase_kind_is_step(enum phase_kind kind);

/* PHASE_gap: the class is of none. */
enum phase_kind phase_kind_of_class(const char *class_name);

struct segment {
	enum phase_kind kind;
	uint32_t top, caller;    /* frames: of the module, of who called it */
	const struct name *name; /* class, or text of the mark */
	uint64_t self, tid;
	uint64_t begin_ns, end_ns; /* of host rows */
	uint64_t gpu_begin_ns, gpu_end_ns, busy_ns,
		kernel_ns;            /* gpu_begin_ns UINT64_MAX: nothing ran */
	uint64_t launches;            /* that ran */
	bool is_capture;              /* something in it was captured into a graph */
	bool is_known_graph;          /* a replay whose capture is known */
	uint32_t attention;           /* a site with an attention, 0: none */
	uint32_t nr_paths, last_path; /* distinct ones so far */
};

/* What has to be known before the first row. */
struct phase_survey {
	struct phase_mark *marks; /* rising */
	size_t nr_marks;
	uint64_t anchor; /* template id of a launch that every step has once; 0: there are paths, or
			    none */
	uint64_t longest_launches; /* between anchors: what comes later is no step's */
	uint64_t period_launches;  /* between anchors, on average */
};

struct phase_tracker;

/* NULL: no memory.  Takes the survey's marks over. */
struct phase_tracker *phase_tracker_new(const struct model *m, const struct phase_survey *survey);
void phase_tracker_free(struct phase_tracker *t); /* accepts NULL */

/* The segment of a host row, from 1 on; 0: no memory. */
uint32_t phase_tracker_host(struct phase_tracker *t, uint64_t tid, uint32_t host_template,
			    uint64_t begin_ns, uint64_t end_ns, uint32_t correlation);
/* That of a device row; 0: its host row has not been seen. */
uint32_t phase_tracker_device(struct phase_tracker *t, uint32_t correlation, uint64_t begin_ns,
			      uint64_t duration_ns, bool is_kernel);
/* A replay in `segment` runs what was captured in `capture`. */
void phase_tracker_replays(struct phase_tracker *t, uint32_t segment, uint32_t capture);
void phase_tracker_attention(struct phase_tracker *t, uint32_t segment, uint32_t site);

/* From 1 on; nr is their number and one. */
const struct segment *phase_tracker_segments(const struct phase_tracker *t, size_t *ret_nr);
const struct phase_survey *phase_tracker_survey(const struct phase_tracker *t);

#endif
