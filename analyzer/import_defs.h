/* SPDX-License-Identifier: Apache-2.0 */
/* import_defs.h - everything that repeats in an imported trace, once: written at its first use. */
#ifndef ANALYZER_IMPORT_DEFS_H
#define ANALYZER_IMPORT_DEFS_H

#include "op_problem.h"
#include "trace_writer.h"

struct import_defs;

struct import_defs *import_defs_new(void);    /* NULL: no memory */
void import_defs_free(struct import_defs *d); /* accepts NULL */

/* Numbers from 1 on; 0: no memory, or beyond what is kept (counted). */
uint32_t defs_text(struct import_defs *d, struct tti_str text);
uint32_t defs_problem(struct import_defs *d, const struct op_problem *problem);
uint32_t defs_device_template(struct import_defs *d, const struct tti_device_template *t);

const struct name *defs_name(const struct import_defs *d, uint32_t text);
const struct op_problem *defs_problem_of(const struct import_defs *d, uint32_t problem);
const struct tti_device_template *defs_device_template_of(const struct import_defs *d,
							  uint32_t template);

/* From here on definitions go to a writer. */
void defs_begin(struct import_defs *d, struct trace_writer *w);

/* Ids in the trace, defined there when they are asked for first; 0 stays 0. */
uint64_t defs_string_id(struct import_defs *d, uint32_t text);
uint64_t defs_device_template_id(struct import_defs *d, uint32_t template);
uint64_t defs_kernel_id(struct import_defs *d, uint32_t name, uint64_t registers);
uint64_t defs_context_id(struct import_defs *d, uint64_t device, uint64_t context);
uint64_t defs_call_id(struct import_defs *d, uint32_t problem, uint32_t api);
uint64_t defs_template_id(struct import_defs *d, const struct tti_template *t);

/* One more frame below `parent`. */
uint64_t defs_frame_id(struct import_defs *d, uint64_t parent, uint32_t symbol);
uint64_t defs_python_frame_id(struct import_defs *d, uint64_t parent, uint64_t code, uint32_t class,
			      uint64_t self);
uint64_t defs_code_id(struct import_defs *d, uint32_t name, uint32_t file, uint64_t line);

uint64_t defs_nr_ignored(const struct import_defs *d);

#endif
