/* SPDX-License-Identifier: Apache-2.0 */
/* report_stacks.h - a call tree, rendered. */
#ifndef ANALYZER_REPORT_STACKS_H
#define ANALYZER_REPORT_STACKS_H

#include <jansson.h>

#include "call_tree.h"
#include "terminal.h"

/* The `top` largest branches, each with what leads to it on one line.  0 or -ENOMEM. */
int stacks_text(const struct call_tree *tree, const struct terminal *t, size_t top, FILE *out);

/* Every stack with its time, the largest first; NULL: no memory. */
json_t *stacks_json(const struct call_tree *tree);

/* "outermost;...;kernel ns" a line, as flame graphs are made of.  0 or -ENOMEM. */
int stacks_folded(const struct call_tree *tree, FILE *out);

#endif
