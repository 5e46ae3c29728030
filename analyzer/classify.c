/* SPDX-License-Identifier: Apache-2.0 */
#include "classify.h"

#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "kernel_rules.h"
#include "rule_file.h"
#include "rule_list.h"

struct classifier {
	struct rule_list user, built_in;
	struct rule_matcher *matcher;
};

struct classifier *classifier_new(void)
{
	struct classifier *const c = calloc(1, sizeof(*c));
	struct diag diag; /* built-in rules compile, the tests see to that: only memory can lack */
	int r = 0;

	if (!c)
		return NULL;
	c->matcher = rule_matcher_new();
	for (size_t i = 0; i < nr_kernel_rules && r == 0; i++)
		r = rule_list_add(&c->built_in, &kernel_rules[i], &diag);
	if (!c->matcher || r < 0) {
		classifier_free(c);
		return NULL;
	}
	return c;
}

void classifier_free(struct classifier *c)
{
	if (!c)
		return;
	rule_list_clear(&c->user);
	rule_list_clear(&c->built_in);
	rule_matcher_free(c->matcher);
	free(c);
}

int classifier_add_rules(struct classifier *c, const char *path, struct diag *diag)
{
	struct rule_list rules = { 0 };
	int r = rule_file_read(path, &rules, diag);

	if (r == 0)
		r = rule_list_move(&c->user, &rules, diag);
	rule_list_clear(&rules);
	return r;
}

void classify_text(const struct classifier *c, const struct kernel_text *text,
		   struct classification *ret)
{
	const struct rule *rule = rule_list_find(&c->user, c->matcher, text);

	if (!rule)
		rule = rule_list_find(&c->built_in, c->matcher, text);
	*ret = (struct classification){
		.kind = kind_name(rule ? rule->kind : KIND_unknown),
		.sub = rule ? rule->sub : "",
		.operator_name = rule ? kind_operator(rule->kind, rule->sub) : "unknown",
		.rule = rule,
	};
}

void classify(const struct classifier *c, const char *name, struct classification *ret)
{
	struct kernel_text text;
	char *const demangled = demangle(name);

	kernel_text_make(&text, name, demangled ? demangled : name);
	free(demangled);
	classify_text(c, &text, ret);
}
