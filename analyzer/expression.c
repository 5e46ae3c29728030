/* SPDX-License-Identifier: Apache-2.0 */
#include "expression.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_MAX = 1024, DEPTH_MAX = 64, ARGUMENTS_MAX = 16 };

struct parser {
	const char *text, *at;
	expression_lookup lookup;
	void *scope;
	struct diag *diag;
	int depth;
	bool is_skipping; /* a branch that is not taken: nothing in it need have a value */
	bool has_failed;  /* diag has the first reason */
};

static double ternary(struct parser *p);

static double fail(struct parser *p, const char *what)
{
	if (!p->has_failed)
		diag_set(p->diag, -EINVAL, "\"%s\", character %zu: %s", p->text,
			 (size_t)(p->at - p->text) + 1, what);
	p->has_failed = true;
	return 0;
}

static bool takes(struct parser *p, const char *word)
{
	const size_t size = strlen(word);

	while (isspace((unsigned char)*p->at))
		p->at++;
	if (p->has_failed || strncmp(p->at, word, size) != 0)
		return false;
	p->at += size;
	return true;
}

static void expect(struct parser *p, const char *word, const char *what)
{
	if (!takes(p, word))
		fail(p, what);
}

/* --- names and functions ---------------------------------------------------------------------- */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t name_size(const char *s)
{
	size_t n = 0;

	while (is_name(s[n]))
		n++;
	return n;
}

static bool is_word(const char *name, size_t size, const char *word)
{
	return strlen(word) == size && !memcmp(name, word, size);
}

static double length(struct parser *p)
{
	struct operand q = { 0 };
	const char *name;
	size_t size;

	takes(p, "");
	name = p->at;
	size = name_size(name);
	p->at += size;
	expect(p, ")", "')' is missing");
	if (!p->is_skipping && !p->has_failed && p->lookup(p->scope, name, size, &q) < 0)
		return fail(p, "len() of a name that is not known");
	return (double)q.nr;
}

static double call_function(struct parser *p, const char *name, size_t size)
{
	double v[ARGUMENTS_MAX], best;
	size_t nr = 0;

	if (is_word(name, size, "len"))
		return length(p);
	do {
		if (nr == ARGUMENTS_MAX)
			return fail(p, "too many arguments");
		v[nr++] = ternary(p);
	} while (takes(p, ","));
	expect(p, ")", "')' is missing");
	best = v[0];
	for (size_t i = 1; i < nr; i++)
		best = is_word(name, size, "min") ? fmin(best, v[i]) : fmax(best, v[i]);
	if (is_word(name, size, "min") || is_word(name, size, "max"))
		return best;
	if (nr != 1)
		return fail(p, "this function has one argument");
	if (is_word(name, size, "ceil"))
		return ceil(v[0]);
	if (is_word(name, size, "floor"))
		return floor(v[0]);
	if (is_word(name, size, "sqrt"))
		return v[0] < 0 ? fail(p, "root of a negative number") : sqrt(v[0]);
	return fail(p, "there is no such function");
}

static double element(struct parser *p, const struct operand *q)
{
	const double i = ternary(p);

	expect(p, "]", "']' is missing");
	if (p->has_failed || p->is_skipping)
		return 0;
	if (!q->is_list)
		return fail(p, "a number has no elements");
	if (i < 0 || i >= (double)q->nr || i != floor(i))
		return fail(p, "there is no such element");
	return q->values[(size_t)i];
}

static double name(struct parser *p)
{
	const char *text = p->at;
	const size_t size = name_size(text);
	struct operand q = { 0 };

	p->at += size;
	if (takes(p, "("))
		return call_function(p, text, size);
	if (!p->is_skipping && p->lookup(p->scope, text, size, &q) < 0) {
		p->at = text;
		return fail(p, "this name is not known");
	}
	if (takes(p, "["))
		return element(p, &q);
	if (p->is_skipping || p->has_failed)
		return 0;
	return q.is_list || !q.nr ? fail(p, "a list where a number is wanted") : q.values[0];
}

/* --- operators, from the tightest to the loosest ---------------------------------------------- */

static double number(struct parser *p)
{
	char *end;
	const double v = strtod(p->at, &end);

	p->at = end;
	return v;
}

static double primary(struct parser *p)
{
	double v;

	if (takes(p, "(")) {
		v = ternary(p);
		expect(p, ")", "')' is missing");
		return v;
	}
	if (isdigit((unsigned char)*p->at) || *p->at == '.')
		return number(p);
	return is_name(*p->at) ? name(p) : fail(p, "a number or a name is missing");
}

static double unary(struct parser *p)
{
	double v;

	if (p->depth == DEPTH_MAX)
		return fail(p, "nested too deep");
	p->depth++;
	if (takes(p, "-"))
		v = -unary(p);
	else if (takes(p, "!"))
		v = !(unary(p) != 0);
	else
		v = primary(p);
	p->depth--;
	return v;
}

static double divided(struct parser *p, double a, double b)
{
	return b != 0 ? a / b : p->is_skipping ? 0 : fail(p, "division by zero");
}

static double product(struct parser *p)
{
	double v = unary(p), other;

	for (;;) {
		if (takes(p, "//")) {
			v = floor(divided(p, v, unary(p)));
		} else if (takes(p, "*")) {
			v *= unary(p);
		} else if (takes(p, "/")) {
			v = divided(p, v, unary(p));
		} else if (takes(p, "%")) {
			other = unary(p);
			v -= other * floor(divided(p, v, other));
		} else {
			return v;
		}
	}
}

static double sum(struct parser *p)
{
	double v = product(p);

	for (;;) {
		if (takes(p, "+"))
			v += product(p);
		else if (takes(p, "-"))
			v -= product(p);
		else
			return v;
	}
}

static double comparison(struct parser *p)
{
	const double v = sum(p);

	if (takes(p, "=="))
		return v == sum(p);
	if (takes(p, "!="))
		return v != sum(p);
	if (takes(p, "<="))
		return v <= sum(p);
	if (takes(p, ">="))
		return v >= sum(p);
	if (takes(p, "<"))
		return v < sum(p);
	if (takes(p, ">"))
		return v > sum(p);
	return v;
}

/* The right side of what is decided already is read, not asked. */
static double side(struct parser *p, bool is_decided, double (*read)(struct parser *))
{
	const bool was_skipping = p->is_skipping;
	double v;

	p->is_skipping |= is_decided;
	v = read(p);
	p->is_skipping = was_skipping;
	return v;
}

static double conjunction(struct parser *p)
{
	double v = comparison(p);

	while (takes(p, "&&")) {
		const double right = side(p, v == 0, comparison);

		v = v != 0 && right != 0;
	}
	return v;
}

static double disjunction(struct parser *p)
{
	double v = conjunction(p);

	while (takes(p, "||")) {
		const double right = side(p, v != 0, conjunction);

		v = v != 0 || right != 0;
	}
	return v;
}

static double ternary(struct parser *p)
{
	double v, yes, no;

	if (p->depth == DEPTH_MAX)
		return fail(p, "nested too deep");
	p->depth++;
	v = disjunction(p);
	if (takes(p, "?")) {
		yes = side(p, v == 0, ternary);
		expect(p, ":", "':' is missing");
		no = side(p, v != 0, ternary);
		v = v != 0 ? yes : no;
	}
	p->depth--;
	return v;
}

int expression_value(const char *text, expression_lookup lookup, void *scope, double *ret,
		     struct diag *diag)
{
	struct parser p = {
		.text = text, .at = text, .lookup = lookup, .scope = scope, .diag = diag
	};
	double v;

	if (strlen(text) > LENGTH_MAX)
		return diag_set(diag, -EINVAL, "an expression of more than %d characters",
				LENGTH_MAX);
	v = ternary(&p);
	takes(&p, "");
	if (!p.has_failed && *p.at)
		fail(&p, "this is not understood");
	if (!p.has_failed && !isfinite(v))
		fail(&p, "too large");
	if (p.has_failed)
		return -EINVAL;
	*ret = v;
	return 0;
}
