/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h - the vocabulary of kinds of kernels, and the operators they stand for. */
#ifndef ANALYZER_KINDS_H
#define ANALYZER_KINDS_H

#include <stddef.h>

enum kind {
#define KIND(kind, operator) KIND_##kind,
#define SUBKIND(kind, sub, operator)
#include "kinds.def"
#undef SUBKIND
#undef KIND
	NR_KINDS
};

const char *kind_name(enum kind kind);
enum kind kind_by_name(const char *name, size_t length); /* NR_KINDS: there is none of that name */

/* The operator where names are the only evidence; sub is "" where there is no sub-kind. */
const char *kind_operator(enum kind kind, const char *sub);

#endif
