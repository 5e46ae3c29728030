/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

/* Real names need fewer than a hundred steps of any built-in rule. */
enum { MATCH_LIMIT = 20000, HEAP_LIMIT_KIB = 1024 };

struct compiled_rule {
	struct rule rule;
	char *literal; /* the pattern in lower case, for all but RULE_REGEX */
	pcre2_code *regex;
};

struct rule_matcher {
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static const char *const how_names[NR_RULE_HOWS] = {
	[RULE_SUBSTR] = "SUBSTR",
	[RULE_BASE] = "BASE",
	[RULE_PREFIX] = "PREFIX",
	[RULE_REGEX] = "REGEX",
};

const char *rule_how_name(enum rule_how how)
{
	return how_names[how];
}

enum rule_how rule_how_by_name(const char *name, size_t length)
{
	enum rule_how how = 0;

	while (how < NR_RULE_HOWS &&
	       (strlen(how_names[how]) != length || memcmp(how_names[how], name, length) != 0))
		how++;
	return how;
}

struct rule_matcher *rule_matcher_new(void)
{
	struct rule_matcher *const m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->data = pcre2_match_data_create(1, NULL);
	m->limits = pcre2_match_context_create(NULL);
	if (!m->data || !m->limits) {
		rule_matcher_free(m);
		return NULL;
	}
	pcre2_set_match_limit(m->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(m->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(m->limits, HEAP_LIMIT_KIB);
	return m;
}

void rule_matcher_free(struct rule_matcher *m)
{
	if (!m)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	free(m);
}

/* \C would let a pattern leave a character in its middle; nothing else can harm. */
static int regex_compile(struct compiled_rule *c, struct diag *diag)
{
	const uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NO_UTF_CHECK |
				 PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
	PCRE2_UCHAR message[256];
	PCRE2_SIZE offset;
	int error;

	c->regex = pcre2_compile((PCRE2_SPTR)c->rule.pattern, PCRE2_ZERO_TERMINATED, options,
				 &error, &offset, NULL);
	if (!c->regex) {
		pcre2_get_error_message(error, message, sizeof(message));
		return diag_set(diag, -EINVAL, "%s at character %zu of '%s'", (char *)message,
				(size_t)offset, c->rule.pattern);
	}
	pcre2_jit_compile(c->regex, PCRE2_JIT_COMPLETE); /* only faster: may fail */
	return 0;
}

static int literal_make(struct compiled_rule *c, struct diag *diag)
{
	c->literal = strdup(c->rule.pattern);
	if (!c->literal)
		return diag_set(diag, -ENOMEM, "no memory for a rule");
	for (char *p = c->literal; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

static char *copy_or_null(const char *text)
{
	return text ? strdup(text) : NULL;
}

int rule_compile(const struct rule *rule, struct compiled_rule **ret, struct diag *diag)
{
	struct compiled_rule *const c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return diag_set(diag, -ENOMEM, "no memory for a rule");
	c->rule = *rule;
	c->rule.sub = copy_or_null(rule->sub);
	c->rule.pattern = copy_or_null(rule->pattern);
	c->rule.sample = copy_or_null(rule->sample);
	c->rule.file = copy_or_null(rule->file);
	if (!c->rule.sub || !c->rule.pattern || (rule->file && !c->rule.file))
		r = diag_set(diag, -ENOMEM, "no memory for a rule");
	else if (rule->how == RULE_REGEX)
		r = regex_compile(c, diag);
	else
		r = literal_make(c, diag);
	if (r == 0)
		*ret = c;
	else
		compiled_rule_free(c);
	return r;
}

void compiled_rule_free(struct compiled_rule *c)
{
	if (!c)
		return;
	free((char *)c->rule.sub);
	free((char *)c->rule.pattern);
	free((char *)c->rule.sample);
	free((char *)c->rule.file);
	free(c->literal);
	pcre2_code_free(c->regex);
	free(c);
}

const struct rule *compiled_rule_source(const struct compiled_rule *c)
{
	return &c->rule;
}

bool rule_matches(const struct compiled_rule *c, struct rule_matcher *m,
		  const struct kernel_text *name)
{
	switch (c->rule.how) {
	case RULE_SUBSTR:
		return strstr(name->text, c->literal);
	case RULE_BASE:
		return strstr(name->base, c->literal);
	case RULE_PREFIX:
		return strncmp(name->base, c->literal, strlen(c->literal)) == 0;
	case RULE_REGEX:
		return pcre2_match(c->regex, (PCRE2_SPTR)name->text, name->text_length, 0, 0,
				   m->data, m->limits) >= 0;
	case NR_RULE_HOWS:
		break;
	}
	return false;
}
