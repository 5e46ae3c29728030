/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subjects.h - what repeats from row to row of a run: the launch's site with the record it caused,
 * and all that is known of it.  Memory follows distinct subjects, not rows.
 */
#ifndef ANALYZER_SUBJECTS_H
#define ANALYZER_SUBJECTS_H

#include "analysis.h"

/* Texts are UTF-8, printable by any reader; NULL: not known, or it has none. */
struct subject {
	uint32_t index; /* from 1 on, over the whole run */
	uint32_t trace_index;
	const struct trace *trace;
	uint32_t site;                        /* 0: not known */
	const struct host_template *host;     /* NULL: no launch is known */
	const struct device_template *device; /* NULL: it caused no record */
	struct assignment assignment;
	bool is_work; /* a kernel, copy or fill, or the launch of some: assignment.work is set */
	const char *kernel, *mangled, *short_name;
	const char *api, *library_call, *operation, *module, *python;
	const char *role, *backend, *exactness, *type; /* of attention */
	uint32_t module_node;                          /* 0: not known */
	uint64_t device_ordinal, context, stream;      /* of the record, else as the call says */
};

struct subjects;

/* The analysis is loaded, with modules if their paths are wanted; it must outlive them. */
struct subjects *subjects_new(const struct analysis *a);
void subjects_free(struct subjects *s); /* accepts NULL */

/*
 * The subject of host template and site (0, 0: no launch is known) with device template (0: no
 * record) of a trace of the run.  The index counts; its rows may have grown since.  NULL: no
 * memory.
 */
const struct subject *subjects_find(struct subjects *s, uint32_t trace_index, uint32_t template,
				    uint32_t site, uint32_t device_template);

/* Bytes of the trace as UTF-8, valid as long as the run; NULL: no memory. */
const char *subjects_text(struct subjects *s, const char *bytes, size_t size);

#endif
