/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct frame_rule frame_rules[] = {
#define FRAME(in_operation, in_operator, in_sample) \
	{ .operation = #in_operation, .op = OPERATOR_##in_operator, .sample = in_sample },
#include "frame_rules.def"
#undef FRAME
};

const size_t nr_frame_rules = sizeof(frame_rules) / sizeof(*frame_rules);

struct word {
	const char *text;
	size_t length; /* 0: there is none */
};

/* "_ZN2at4_ops9linear4callE..." -> linear */
static struct word operation_of_mangled(const char *symbol)
{
	static const char prefix[] = "_ZN2at4_ops";
	struct word word = { 0 };
	char *end;

	if (strncmp(symbol, prefix, sizeof(prefix) - 1) != 0 ||
	    !isdigit((unsigned char)symbol[sizeof(prefix) - 1]))
		return word;
	word.length = strtoul(symbol + sizeof(prefix) - 1, &end, 10);
	word.text = end;
	if (word.length > strlen(end))
		word.length = 0;
	return word;
}

/* "at::_ops::linear::call(...)", and as profilers have it "aten::linear" -> linear */
static struct word operation_of_plain(const char *symbol)
{
	static const char *const prefixes[] = { "at::_ops::", "aten::" };
	struct word word = { 0 };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		const size_t n = strlen(prefixes[i]);

		if (strncmp(symbol, prefixes[i], n) != 0)
			continue;
		word.text = symbol + n;
		word.length = strcspn(word.text, ":(");
	}
	return word;
}

/* The rule's own name, or that with an overload behind it. */
static bool takes(const struct frame_rule *rule, struct word word)
{
	const size_t n = strlen(rule->operation);

	return n <= word.length && !memcmp(rule->operation, word.text, n) &&
	       (n == word.length || word.text[n] == '_');
}

const struct frame_rule *frame_rule_of(const char *symbol)
{
	struct word word = operation_of_mangled(symbol);
	const struct frame_rule *best = NULL;

	if (!word.length)
		word = operation_of_plain(symbol);
	for (size_t i = 0; word.length && i < nr_frame_rules; i++)
		if (takes(&frame_rules[i], word) &&
		    (!best || strlen(frame_rules[i].operation) > strlen(best->operation)))
			best = &frame_rules[i];
	return best;
}

void frame_verdict_add(struct frame_verdict *v, const char *symbol)
{
	const struct frame_rule *rule = frame_rule_of(symbol);

	if (!rule)
		return;
	if (!v->inner)
		v->inner = rule;
	if (operator_is_strong(rule->op))
		v->strong = rule; /* further out than those before */
}

const struct frame_rule *frame_verdict_of(const struct frame_verdict *v)
{
	return v->strong ? v->strong : v->inner;
}
