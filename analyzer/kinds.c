/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>

static const struct {
	const char *name, *operator_name;
} kinds[] = {
#define KIND(kind, operator) { .name = #kind, .operator_name = #operator},
#define SUBKIND(kind, sub, operator)
#include "kinds.def"
#undef SUBKIND
#undef KIND
};

static const struct {
	enum kind kind;
	const char *sub, *operator_name;
} subkinds[] = {
#define KIND(kind, operator)
#define SUBKIND(in_kind, in_sub, operator) \
	{ .kind = KIND_##in_kind, .sub = in_sub, .operator_name = #operator},
#include "kinds.def"
#undef SUBKIND
#undef KIND
};

const char *kind_name(enum kind kind)
{
	return kinds[kind].name;
}

enum kind kind_by_name(const char *name, size_t length)
{
	enum kind kind = 0;

	while (kind < NR_KINDS &&
	       (strlen(kinds[kind].name) != length || memcmp(kinds[kind].name, name, length) != 0))
		kind++;
	return kind;
}

const char *kind_operator(enum kind kind, const char *sub)
{
	for (size_t i = 0; i < sizeof(subkinds) / sizeof(*subkinds); i++)
		if (subkinds[i].kind == kind && strcmp(subkinds[i].sub, sub) == 0)
			return subkinds[i].operator_name;
	return kinds[kind].operator_name;
}
