/* SPDX-License-Identifier: Apache-2.0 */
/* op_problem.h - what a framework's operation was given -> the problem of a library's call. */
#ifndef ANALYZER_OP_PROBLEM_H
#define ANALYZER_OP_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "ttitrace/record.h"

enum { OP_INPUTS_MAX = 16, OP_DIMS_MAX = CALL_DIMS_MAX, OP_CONCRETE_BYTES = 64 };

struct op_input {
	uint32_t nr_dims, nr_strides;
	uint64_t dims[OP_DIMS_MAX], strides[OP_DIMS_MAX];
	enum type type;
	char concrete[OP_CONCRETE_BYTES]; /* "[1, 1]", "True"; empty: a tensor, or not known */
};

struct op_facts {
	uint32_t nr_inputs;
	struct op_input inputs[OP_INPUTS_MAX];
};

/* As records have it, ids and api 0; lists point into the problem itself. */
struct op_problem {
	enum call_kind kind; /* CALL_NONE: it stands for no one problem, or too little is known */
	union {
		struct tti_gemm gemm;
		struct tti_convolution convolution;
		struct tti_sdpa sdpa;
	};
	uint64_t lists[8][OP_DIMS_MAX];
};

/* "c10::Half", "float"; TYPE_none: another one */
enum type op_type(const char *text, size_t size);

/* Whether `name` is in op_problems.def; only then its facts are of use. */
bool op_has_problem(const char *name);

void op_problem_make(const char *name, const struct op_facts *facts, struct op_problem *ret);

/* The record's kind on disk; its struct begins at &problem->gemm. */
uint64_t op_problem_record(enum call_kind kind);

#endif
