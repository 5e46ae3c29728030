/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - one rule "a kernel whose name looks like this is of that kind". */
#ifndef ANALYZER_RULE_H
#define ANALYZER_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "diag.h"
#include "kernel_text.h"
#include "kinds.h"

/* How a pattern is compared with a kernel_text; letters' case never matters. */
enum rule_how {
	RULE_SUBSTR, /* anywhere in the text, template arguments included */
	RULE_BASE,   /* anywhere in the name before and behind template arguments */
	RULE_PREFIX, /* the name begins so, namespaces included */
	RULE_REGEX,  /* PCRE2 searches the text */
	NR_RULE_HOWS
};

struct rule {
	enum kind kind;
	const char *sub; /* "" for none */
	enum rule_how how;
	const char *pattern;
	const char *sample; /* built-in rules: a name that this very rule must catch */
	const char *file;   /* user's rules: where they stand; NULL for built-in ones */
	unsigned int line;
};

/* A rule ready to be used; what it points to belongs to it. */
struct compiled_rule;
/* What matching needs besides the rule; of one thread at a time. */
struct rule_matcher;

const char *rule_how_name(enum rule_how how);                    /* "SUBSTR" ... */
enum rule_how rule_how_by_name(const char *name, size_t length); /* NR_RULE_HOWS: none */

struct rule_matcher *rule_matcher_new(void);    /* NULL: no memory */
void rule_matcher_free(struct rule_matcher *m); /* accepts NULL */

/* Copies the rule, strings included.  -EINVAL: not a regular expression; -ENOMEM. */
int rule_compile(const struct rule *rule, struct compiled_rule **ret, struct diag *diag);
void compiled_rule_free(struct compiled_rule *c); /* accepts NULL */
const struct rule *compiled_rule_source(const struct compiled_rule *c);

/*
 * A regular expression that needs more than a fixed effort for this name does not match it, so
 * that no pair of rule and name can hang a report.
 */
bool rule_matches(const struct compiled_rule *c, struct rule_matcher *m,
		  const struct kernel_text *name);

#endif
