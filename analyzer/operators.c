/* SPDX-License-Identifier: Apache-2.0 */
#include "operators.h"

#include <string.h>

static const struct {
	const char *name, *what;
	bool is_strong;
} operators[NR_OPERATORS] = {
#define OPERATOR(in_name, in_strong, in_what) \
	{ .name = #in_name, .what = in_what, .is_strong = in_strong },
#include "operators.def"
#undef OPERATOR
};

static const struct {
	const char *name, *what;
} evidences[NR_EVIDENCES] = {
#define EVIDENCE(in_name, in_what) { .name = #in_name, .what = in_what },
#include "evidence.def"
#undef EVIDENCE
};

const char *operator_name(enum operator op)
{
	return operators[op].name;
}

const char *operator_what(enum operator op)
{
	return operators[op].what;
}

char operator_letter(enum operator op)
{
	char letters[NR_OPERATORS];

	for (enum operator i = 0; i <= op; i++) {
		const char *at = operators[i].name;

		while (*at && (*at == '_' || memchr(letters, *at, i)))
			at++;
		letters[i] = *at ? *at : '?';
	}
	return letters[op];
}

bool operator_is_strong(enum operator op)
{
	return operators[op].is_strong;
}

enum operator operator_by_name(const char *name)
{
	enum operator op = 0;

	while (op < NR_OPERATORS && strcmp(operators[op].name, name))
		op++;
	return op < NR_OPERATORS ? op : OPERATOR_unknown;
}

const char *evidence_name(enum evidence e)
{
	return evidences[e].name;
}

const char *evidence_what(enum evidence e)
{
	return evidences[e].what;
}
