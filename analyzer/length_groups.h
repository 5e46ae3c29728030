/* SPDX-License-Identifier: Apache-2.0 */
/* length_groups.h - sequence lengths by where in the run they were: phases or modules. */
#ifndef ANALYZER_LENGTH_GROUPS_H
#define ANALYZER_LENGTH_GROUPS_H

#include "analysis.h"
#include "lengths.h"

struct length_group {
	uint32_t node;    /* of the tree of modules; 0 for phases */
	const char *name; /* of phases; NULL for modules */
	struct span span;
};

struct length_groups {
	struct length_group *rows; /* in the order of their first attention */
	size_t nr;
};

/*
 * Of an analysis that has modules, else phases: those of one name are one group.  Modules deeper
 * than `depth` count for the one above them; 0: none is too deep.  0 or -ENOMEM.
 */
int length_groups_make(struct length_groups *g, const struct analysis *a, const struct lengths *l,
		       size_t depth);
void length_groups_clear(struct length_groups *g);

#endif
