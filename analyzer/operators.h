/* SPDX-License-Identifier: Apache-2.0 */
/* operators.h - the vocabulary of operators, and of the evidence for them. */
#ifndef ANALYZER_OPERATORS_H
#define ANALYZER_OPERATORS_H

#include <stdbool.h>

enum operator{
#define OPERATOR(name, is_strong, what) OPERATOR_##name,
#include "operators.def"
#undef OPERATOR
	NR_OPERATORS
};

enum evidence {
#define EVIDENCE(name, what) EVIDENCE_##name,
#include "evidence.def"
#undef EVIDENCE
	NR_EVIDENCES
};

const char *operator_name(enum operator op);
const char *operator_what(enum operator op);
/* One that no other operator has: the first of its name that is left. */
char operator_letter(enum operator op);
bool operator_is_strong(enum operator op);
enum operator operator_by_name(const char *name); /* OPERATOR_unknown: there is none */

const char *evidence_name(enum evidence e);
const char *evidence_what(enum evidence e);

#endif
