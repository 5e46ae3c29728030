/* SPDX-License-Identifier: Apache-2.0 */
/* rule_list.h - a growing array of compiled rules, which it owns. */
#ifndef ANALYZER_RULE_LIST_H
#define ANALYZER_RULE_LIST_H

#include "rule.h"

struct rule_list {
	struct compiled_rule **rules;
	size_t nr_rules;
};

/* Compiles the rule and appends it.  Errors are those of rule_compile(). */
int rule_list_add(struct rule_list *list, const struct rule *rule, struct diag *diag);

/* Moves all rules to the end of another list.  -ENOMEM: nothing was moved. */
int rule_list_move(struct rule_list *to, struct rule_list *from, struct diag *diag);

void rule_list_clear(struct rule_list *list); /* frees the rules */

/* The first rule that matches, or NULL. */
const struct rule *rule_list_find(const struct rule_list *list, struct rule_matcher *m,
				  const struct kernel_text *name);

#endif
