/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mangled_words.h"

struct scan {
	const char *start, *p, *end; /* input */
	char *text, *base;           /* output, KERNEL_TEXT_BYTES each */
	size_t text_length, base_length;
	unsigned int depth; /* open template brackets */
	unsigned int parens;
	unsigned int parens_at[64]; /* how many were open where that template bracket was opened */
	bool is_cpp;                /* not "Memcpy HtoD (Pageable -> Device)" */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool scan_at(const struct scan *s, const char *literal)
{
	const size_t n = strlen(literal);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, literal, n) == 0;
}

static bool scan_after_word(const struct scan *s)
{
	return s->p > s->start && is_word(s->p[-1]);
}

static void scan_emit(struct scan *s, const char *part, size_t n)
{
	for (size_t i = 0; i < n && s->text_length < KERNEL_TEXT_BYTES - 1; i++) {
		s->text[s->text_length++] = part[i];
		if (s->depth == 0)
			s->base[s->base_length++] = part[i];
	}
}

static char scan_last(const struct scan *s)
{
	return s->text_length ? s->text[s->text_length - 1] : '\0';
}

/* Returns the byte after the bracket that closes the one at p, or end. */
static const char *bracket_end(const char *p, const char *end)
{
	unsigned int depth = 0;

	for (; p < end; p++) {
		if (strchr("([{", *p) && *p)
			depth++;
		else if (strchr(")]}", *p) && *p && --depth == 0)
			return p + 1;
	}
	return end;
}

static bool scan_skip_literal(struct scan *s, const char *literal)
{
	if (!scan_at(s, literal))
		return false;
	s->p += strlen(literal);
	return true;
}

static bool scan_anonymous(struct scan *s)
{
	if (!scan_skip_literal(s, "(anonymous namespace)") && !scan_skip_literal(s, "<unnamed>"))
		return false;
	scan_skip_literal(s, "::");
	return true;
}

/* {lambda(float)#1}, [lambda(float) (instance 1)], 'lambda0'(float) */
static bool scan_lambda(struct scan *s)
{
	if (scan_at(s, "{lambda") || scan_at(s, "[lambda")) {
		s->p = bracket_end(s->p, s->end);
	} else if (scan_at(s, "'lambda")) {
		const char *const quote = memchr(s->p + 1, '\'', (size_t)(s->end - s->p - 1));

		s->p = quote ? quote + 1 : s->end;
		if (s->p < s->end && *s->p == '(')
			s->p = bracket_end(s->p, s->end);
	} else {
		return false;
	}
	scan_emit(s, "{lambda}", 8);
	return true;
}

/* (int)4, (bool)0, (ggml_type)12: Nsight and enumerations */
static bool scan_cast(struct scan *s)
{
	const char *q = s->p + 1;
	const bool is_bool = scan_at(s, "(bool)0") || scan_at(s, "(bool)1");

	if (*s->p != '(' || scan_after_word(s))
		return false;
	while (q < s->end && (is_word(*q) || *q == ':' || *q == ' '))
		q++;
	if (s->end - q < 2 || *q != ')' || !(isdigit((unsigned char)q[1]) || q[1] == '-'))
		return false;
	s->p = q + 1;
	if (is_bool) {
		scan_emit(s, *s->p == '1' ? "true" : "false", *s->p == '1' ? 4 : 5);
		s->p++;
	}
	return true;
}

/* 4, 2ul, 8u: only a number of its own, "64x64" and "f16" are parts of words */
static bool scan_number(struct scan *s)
{
	const char *q = s->p;

	if (!isdigit((unsigned char)*q) || scan_after_word(s))
		return false;
	while (q < s->end && isdigit((unsigned char)*q))
		q++;
	scan_emit(s, s->p, (size_t)(q - s->p));
	s->p = q;
	while (q < s->end && (*q == 'u' || *q == 'l' || *q == 'U' || *q == 'L'))
		q++;
	if (q == s->end || !is_word(*q))
		s->p = q;
	return true;
}

static bool word_is(const char *word, size_t n, const char *prefix, const char *suffix)
{
	const size_t nr_prefix = strlen(prefix), nr_suffix = strlen(suffix);

	return n >= nr_prefix + nr_suffix && memcmp(word, prefix, nr_prefix) == 0 &&
	       memcmp(word + n - nr_suffix, suffix, nr_suffix) == 0;
}

/* Namespaces that carry a version: thrust::THRUST_200301_900_NS, cub::CUB_200301_860_NS ... */
static bool word_is_inline_namespace(const char *word, size_t n)
{
	return word_is(word, n, "CUB_", "_NS") || word_is(word, n, "THRUST_", "_NS") ||
	       word_is(word, n, "_V_", "") || (n == 14 && word_is(word, n, "at_cuda_detail", ""));
}

static bool scan_word(struct scan *s)
{
	const char *q = s->p;

	if (!is_word(*q))
		return false;
	while (q < s->end && is_word(*q))
		q++;
	if (s->end - q >= 2 && q[0] == ':' && q[1] == ':' &&
	    word_is_inline_namespace(s->p, (size_t)(q - s->p))) {
		s->p = q + 2;
		return true;
	}
	scan_emit(s, s->p, (size_t)(q - s->p));
	if (q - s->p == 8 && memcmp(s->p, "operator", 8) == 0) {
		while (q < s->end && *q == ' ')
			q++;
		if (s->end - q >= 2 && q[0] == '(' && q[1] == ')') {
			scan_emit(s, "()", 2);
			q += 2;
		}
	}
	s->p = q;
	return true;
}

/*
 * Parameters, where a name stands before them.  Those of the kernel end its name; those of a
 * function around a lambda are followed by more.
 */
static bool scan_parameters(struct scan *s)
{
	const char last = scan_last(s);

	if (*s->p != '(' || !s->is_cpp || s->p == s->start || s->p[-1] == ' ' ||
	    !(is_word(last) || last == '>' || last == ')' || last == '}'))
		return false;
	s->p = bracket_end(s->p, s->end);
	scan_skip_literal(s, " const");
	if (s->depth == 0 && !scan_at(s, "::"))
		s->p = s->end;
	return true;
}

static bool scan_at_name(const struct scan *s)
{
	return is_word(*s->p) || scan_at(s, "(anonymous namespace)") || scan_at(s, "<unnamed>");
}

static bool scan_space(struct scan *s)
{
	if (*s->p != ' ')
		return false;
	while (s->p < s->end && *s->p == ' ')
		s->p++;
	if (s->p == s->end)
		return true;
	if (s->is_cpp && s->depth == 0 && scan_at_name(s))
		s->text_length = s->base_length = 0; /* all until here was the return type */
	else if (!s->is_cpp || (is_word(*s->p) && is_word(scan_last(s))))
		scan_emit(s, " ", 1);
	return true;
}

/* A '>' inside parentheses compares, as in enable_if<((8)>(0))>; deeper than 64 is no matter. */
static bool scan_closes_template(const struct scan *s)
{
	const bool is_arrow = s->p > s->start && s->p[-1] == '-';

	if (*s->p != '>' || is_arrow || !s->depth)
		return false;
	return s->depth > 64 || s->parens_at[s->depth - 1] == s->parens;
}

static void scan_other(struct scan *s)
{
	if (*s->p == '<') {
		if (s->depth < 64)
			s->parens_at[s->depth] = s->parens;
		s->depth++;
	}
	scan_emit(s, s->p, 1);
	if (scan_closes_template(s))
		s->depth--;
	if (*s->p == '(')
		s->parens++;
	else if (*s->p == ')' && s->parens)
		s->parens--;
	s->p++;
}

static void scan_run(struct scan *s)
{
	while (s->p < s->end && s->text_length < KERNEL_TEXT_BYTES - 1)
		if (!scan_anonymous(s) && !scan_lambda(s) && !scan_cast(s) && !scan_number(s) &&
		    !scan_word(s) && !scan_parameters(s) && !scan_space(s))
			scan_other(s);
	s->text[s->text_length] = '\0';
	s->base[s->base_length] = '\0';
}

/* A bracket right behind a word: foo<, foo( */
static bool name_is_cpp(const char *name)
{
	if (strncmp(name, "void ", 5) == 0)
		return true;
	for (const char *p = name; *p; p++)
		if ((*p == '<' || *p == '(') && p > name && is_word(p[-1]))
			return true;
	return false;
}

/* _GLOBAL__N__<hex>_<length>_<file>_cu_<hex>: gives the file without _cu, and its length */
static const char *mangled_file(const char *name, size_t *ret_length)
{
	const char *p = strncmp(name, "_Z", 2) ? NULL : strstr(name, "_GLOBAL__N__");
	char *file;
	unsigned long n;

	if (!p)
		return NULL;
	p += strlen("_GLOBAL__N__");
	p += strspn(p, "0123456789abcdef");
	if (p[0] != '_' || !isdigit((unsigned char)p[1]))
		return NULL;
	n = strtoul(p + 1, &file, 10);
	if (*file++ != '_' || n < 4 || n > strlen(file) || memcmp(file + n - 3, "_cu", 3) != 0)
		return NULL;
	*ret_length = n - 3;
	return file;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

static void text_add_file(char *text, const char *name)
{
	size_t n = 0;
	const char *const file = mangled_file(name, &n);
	const size_t length = strlen(text);

	if (!file || n + 3 > KERNEL_TEXT_BYTES - length)
		return;
	memcpy(text + length, " @", 2);
	memcpy(text + length + 2, file, n);
	text[length + 2 + n] = '\0';
}

void kernel_text_make(struct kernel_text *ret, const char *name, const char *demangled)
{
	struct scan s = { .text = ret->readable, .base = ret->base };

	if (strncmp(demangled, "_Z", 2) == 0) {
		mangled_words(ret->text, sizeof(ret->text), demangled);
		demangled = ret->text;
	}
	s.start = s.p = demangled;
	s.end = demangled + strlen(demangled);
	s.is_cpp = name_is_cpp(demangled);
	scan_run(&s);
	memcpy(ret->text, ret->readable, s.text_length + 1);
	text_add_file(ret->text, name);
	ret->text_length = strlen(ret->text);
	lower(ret->text);
	lower(ret->base);
}
