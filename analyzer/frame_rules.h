/* SPDX-License-Identifier: Apache-2.0 */
/* frame_rules.h - a native stack of PyTorch -> the operator it works for. */
#ifndef ANALYZER_FRAME_RULES_H
#define ANALYZER_FRAME_RULES_H

#include <stddef.h>

#include "operators.h"

struct frame_rule {
	const char *operation;
	enum operator op;
	const char *sample;
};

extern const struct frame_rule frame_rules[];
extern const size_t nr_frame_rules;

/* The rule for a symbol, mangled or not; NULL: it is no operation, or one that says nothing. */
const struct frame_rule *frame_rule_of(const char *symbol);

/*
 * The verdict of a stack so far: give it every frame from the innermost outwards.  All zero at
 * first.
 */
struct frame_verdict {
	const struct frame_rule *inner, *strong; /* NULL: none yet */
};

void frame_verdict_add(struct frame_verdict *v, const char *symbol);
const struct frame_rule *frame_verdict_of(const struct frame_verdict *v); /* NULL: none */

#endif
