/* SPDX-License-Identifier: Apache-2.0 */
#include "short_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nests are shown as they are. */
#define DEPTH_MAX 64

/* Templates that stand for their first argument. */
static const char *const wrappers[] = { "gpu_kernel_impl_nocast", "gpu_kernel_impl" };

/* Parts of a qualified name that say nothing. */
static const char *const noise[] = { "{lambda}", "operator()" };

/* Arguments that say nothing. */
static const char *const dull[] = { "true", "false", "array<char*>" };

struct cursor_text {
	const char *in;
	char *out;
	size_t used;
};

static bool is_one_of(const char *s, size_t n, const char *const *words, size_t nr_words)
{
	for (size_t i = 0; i < nr_words; i++)
		if (strlen(words[i]) == n && !memcmp(words[i], s, n))
			return true;
	return false;
}

#define IS_ONE_OF(s, n, words) is_one_of(s, n, words, sizeof(words) / sizeof((words)[0]))

static bool is_dull(const char *s, size_t n)
{
	bool is_number = n > 0;

	for (size_t i = 0; i < n; i++)
		is_number &= isdigit((unsigned char)s[i]) || (i == 0 && s[i] == '-' && n > 1);
	return is_number || IS_ONE_OF(s, n, dull);
}

static void put_name(struct cursor_text *c, unsigned depth);

/* Behind the `<`: the arguments worth showing, or nothing at all. */
static void put_arguments(struct cursor_text *c, unsigned depth)
{
	const size_t begin = c->used;
	size_t nr = 0;

	c->out[c->used++] = '<';
	while (*c->in && *c->in != '>') {
		size_t argument;

		if (nr)
			c->out[c->used++] = ',';
		argument = c->used;
		put_name(c, depth + 1);
		if (is_dull(c->out + argument, c->used - argument))
			c->used = nr ? argument - 1 : argument;
		else
			nr++;
		if (*c->in == ',')
			c->in++;
	}
	if (*c->in == '>')
		c->in++;
	if (nr)
		c->out[c->used++] = '>';
	else
		c->used = begin;
}

/* One part of a qualified name lies in out from `begin`: `part` and perhaps its arguments. */
static void unwrap(struct cursor_text *c, size_t begin, size_t part_end)
{
	const size_t n = part_end - begin;

	if (!IS_ONE_OF(c->out + begin, n, wrappers) || c->used <= part_end + 2)
		return;
	memmove(c->out + begin, c->out + part_end + 1, c->used - part_end - 2);
	c->used -= n + 2;
}

/*
 * A qualified name up to the `,` or `>` behind it.  Of its parts the last one stays that is not
 * noise.
 */
static void put_name(struct cursor_text *c, unsigned depth)
{
	const size_t begin = c->used;
	size_t part = begin;

	while (*c->in && *c->in != ',' && *c->in != '>') {
		if (c->in[0] == ':' && c->in[1] == ':') {
			const char *next = c->in + 2;
			const size_t n = strcspn(next, ":,<>");

			if (IS_ONE_OF(next, n, noise)) {
				c->in = next + n;
				continue;
			}
			c->in = next;
			c->used = part = begin; /* what stood before was a namespace */
		} else if (*c->in == '<' && depth < DEPTH_MAX) {
			const size_t part_end = c->used;

			c->in++;
			put_arguments(c, depth);
			unwrap(c, part, part_end);
		} else {
			c->out[c->used++] = *c->in++;
		}
	}
}

char *short_name_fit(const char *name, size_t width, const char *ellipsis)
{
	const size_t size = strlen(name), head = width / 2;
	char *text = malloc(size + strlen(ellipsis) + 1);

	if (!text)
		return NULL;
	if (size <= width || width < 8) {
		strcpy(text, name);
		return text;
	}
	memcpy(text, name, head);
	strcpy(text + head, ellipsis);
	strcat(text, name + size - (width - head - 1));
	return text;
}

char *short_name(const char *readable)
{
	/* Every `<` that is not closed gets its `>`. */
	struct cursor_text c = { .in = readable, .out = malloc(2 * strlen(readable) + 1) };

	if (!c.out)
		return NULL;
	while (*c.in) {
		put_name(&c, 0);
		if (*c.in) /* unbalanced: no kernel's name */
			c.out[c.used++] = *c.in++;
	}
	c.out[c.used] = '\0';
	return c.out;
}
