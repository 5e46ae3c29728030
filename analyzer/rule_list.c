/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int rule_list_reserve(struct rule_list *list, size_t nr_more, struct diag *diag)
{
	struct compiled_rule **rules;

	rules = reallocarray(list->rules, list->nr_rules + nr_more, sizeof(*rules));
	if (!rules)
		return diag_set(diag, -ENOMEM, "no memory for rules");
	list->rules = rules;
	return 0;
}

int rule_list_add(struct rule_list *list, const struct rule *rule, struct diag *diag)
{
	int r = rule_list_reserve(list, 1, diag);

	if (r == 0)
		r = rule_compile(rule, &list->rules[list->nr_rules], diag);
	if (r == 0)
		list->nr_rules++;
	return r;
}

int rule_list_move(struct rule_list *to, struct rule_list *from, struct diag *diag)
{
	const int r = from->nr_rules ? rule_list_reserve(to, from->nr_rules, diag) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < from->nr_rules; i++)
		to->rules[to->nr_rules++] = from->rules[i];
	from->nr_rules = 0;
	return 0;
}

void rule_list_clear(struct rule_list *list)
{
	for (size_t i = 0; i < list->nr_rules; i++)
		compiled_rule_free(list->rules[i]);
	free(list->rules);
	*list = (struct rule_list){ 0 };
}

const struct rule *rule_list_find(const struct rule_list *list, struct rule_matcher *m,
				  const struct kernel_text *name)
{
	for (size_t i = 0; i < list->nr_rules; i++)
		if (rule_matches(list->rules[i], m, name))
			return compiled_rule_source(list->rules[i]);
	return NULL;
}
