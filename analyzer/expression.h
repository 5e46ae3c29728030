/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expression.h - the arithmetic of architecture descriptions: "px / 8", "channels[i] * 4",
 * "i < len(channels) - 1 ? 2 : 1".
 *
 * Numbers are doubles; so are truths, 1 and 0.  From the loosest to the tightest:
 *   a ? b : c    ||    &&    == != < <= > >=    + -    * / // %    - !    name  name[i]  f(a, b)
 * // and % are those of Python.  Functions: min max (any number of arguments), ceil, floor, sqrt,
 * len(name).
 */
#ifndef ANALYZER_EXPRESSION_H
#define ANALYZER_EXPRESSION_H

#include <stddef.h>

#include "diag.h"

/* What a name stands for: a number is a list of one that must not be indexed. */
struct operand {
	const double *values;
	size_t nr;
	int is_list;
};

/* Answers 0 and fills *ret, or -ENOENT. */
typedef int (*expression_lookup)(void *scope, const char *name, size_t size, struct operand *ret);

/*
 * 0, or -EINVAL with what is wrong and where.  Bounded in depth and length whatever the text is.
 * Never NaN or infinite.
 */
int expression_value(const char *text, expression_lookup lookup, void *scope, double *ret,
		     struct diag *diag);

#endif
