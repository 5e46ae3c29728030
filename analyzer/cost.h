/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.h - the work of a problem: operations and the fewest bytes it can move.
 *
 * As torch.utils.flop_counter counts: a multiplication and an addition are two, biases and softmax
 * nothing, causal attention in full.  Bytes: each operand read once, the result written once.
 */
#ifndef ANALYZER_COST_H
#define ANALYZER_COST_H

#include "attention.h"
#include "call.h"
#include "pairs.h"

struct cost {
	double flops, bytes;
	double parameter_bytes; /* of bytes, those of weights: they stay from launch to launch */
	enum type type;         /* of what is multiplied */
	uint64_t compute;       /* cublasComputeType_t, 0: not known */
};

/* False: the problem does not say. */
bool cost_of_call(const struct call *c, struct cost *ret);

/* Of fused attention, or of one part of the other sort. */
bool cost_of_attention(const struct attention *a, enum attention_part part, struct cost *ret);

/* The shape that the problem of an attention call says; false: it does not say. */
bool attention_of_sdpa(const struct call *c, struct attention *ret);

#endif
