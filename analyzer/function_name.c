/* SPDX-License-Identifier: Apache-2.0 */
#include "function_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char anonymous[] = "(anonymous namespace)";
static const char operator_word[] = "operator";
static const char lambda[] = "{lambda";

struct text {
	const char *in;
	char *out; /* as long as what is read */
	size_t used;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static bool at_word(const struct text *t, const char *word)
{
	return !strncmp(t->in, word, strlen(word));
}

static void put(struct text *t, const char *bytes, size_t n)
{
	memcpy(t->out + t->used, bytes, n);
	t->used += n;
}

/* Behind the bracket that closes the one here; NULL: none does. */
static const char *behind_bracket(const char *s)
{
	static const char brackets[] = "(){}<>";
	size_t depth = 0;

	for (; *s; s++) {
		const char *bracket = strchr(brackets, *s);

		if (!bracket || (*s == '>' && s[-1] == '-'))
			continue;
		if ((bracket - brackets) % 2 == 0)
			depth++;
		else if (--depth == 0)
			return s + 1;
	}
	return NULL;
}

static size_t operator_length(const char *s)
{
	/* Those that could be taken for brackets; the longer first. */
	static const char *const signs[] = { "()", "[]", "<<=", ">>=", "<=>", "->*", "<<",
					     ">>", "<=", ">=",  "->",  "<",   ">" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (!strncmp(s, signs[i], strlen(signs[i])))
			return strlen(signs[i]);
	return *s == ' ' ? strcspn(s, "(<") : strspn(s, "=!+-*/%&|^~,");
}

/* "operator<<", "operator()", "operator bool": what looks like brackets or a type is the name. */
static void put_operator(struct text *t)
{
	const size_t n = strlen(operator_word) + operator_length(t->in + strlen(operator_word));

	put(t, t->in, n);
	t->in += n;
	if (!strncmp(t->in, " <", 2)) /* of a template */
		t->in++;
}

/* False: the name ends here. */
static bool skip_parameters(struct text *t)
{
	static const char constant[] = " const";
	const char *end = behind_bracket(t->in);

	if (!end)
		return false;
	if (!strncmp(end, constant, strlen(constant)))
		end += strlen(constant);
	t->in = end;
	return !strncmp(end, "::", 2);
}

static bool put_next(struct text *t)
{
	const bool begins_word = !t->used || !is_word(t->out[t->used - 1]);
	const char *end = strchr("<{", *t->in) ? behind_bracket(t->in) : NULL;

	if (at_word(t, anonymous)) {
		put(t, anonymous, strlen(anonymous));
		t->in += strlen(anonymous);
	} else if (begins_word && at_word(t, operator_word) &&
		   !is_word(t->in[strlen(operator_word)])) {
		put_operator(t);
	} else if (*t->in == '(') {
		return skip_parameters(t);
	} else if (end && at_word(t, lambda)) {
		put(t, lambda, strlen(lambda));
		put(t, "}", 1);
		t->in = end;
	} else if (end && *t->in == '<') {
		t->in = end;
	} else if (*t->in == ' ') {
		t->used = 0; /* it was the return type */
		t->in++;
	} else {
		put(t, t->in++, 1);
	}
	return true;
}

char *function_name(const char *readable)
{
	struct text t = { .in = readable, .out = malloc(strlen(readable) + 1) };

	if (!t.out)
		return NULL;
	while (*t.in && put_next(&t))
		;
	t.out[t.used] = '\0';
	if (!t.used)
		strcpy(t.out, readable);
	return t.out;
}
