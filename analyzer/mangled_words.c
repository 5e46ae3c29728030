/* SPDX-License-Identifier: Apache-2.0 */
#include "mangled_words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

struct words {
	char *text;
	size_t length, size;
	bool after_name; /* the next identifier belongs to the last one: a::b */
};

static void words_append(struct words *w, const char *part, size_t n)
{
	const size_t room = w->size - 1 - w->length;

	if (n > room)
		n = room;
	memcpy(w->text + w->length, part, n);
	w->length += n;
}

static bool words_needs_comma(const struct words *w)
{
	return w->length && w->text[w->length - 1] != '<';
}

/* Returns what follows the identifier, or just the digits where they are no length. */
static const char *words_identifier(struct words *w, const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end && isdigit((unsigned char)*p); p++)
		if (n <= (size_t)(end - p))
			n = n * 10 + (size_t)(*p - '0');
	if (n == 0 || n > (size_t)(end - p))
		return p;
	if (w->after_name)
		words_append(w, "::", 2);
	else if (words_needs_comma(w))
		words_append(w, ",", 1);
	words_append(w, p, n);
	w->after_name = true;
	return p + n;
}

/* S_, S0_ ... and the literals Li4E, Lb1E carry digits which are no lengths. */
static const char *words_skip(struct words *w, const char *p, const char *end)
{
	const char *q = p + 1;

	if (*p == 'L' && q < end && isdigit((unsigned char)*q))
		return q; /* an internal name, as of nvcc's static stubs: _ZN5flashL16... */
	if (*p == 'I' && w->after_name)
		words_append(w, "<", 1);
	w->after_name = false;
	if (*p == 'S' || *p == 'T') {
		while (q < end && isalnum((unsigned char)*q) && !islower((unsigned char)*q))
			q++;
		return q < end && *q == '_' ? q + 1 : p + 1;
	}
	if (*p == 'L' && q < end && islower((unsigned char)*q)) {
		for (q++; q < end && (isdigit((unsigned char)*q) || *q == 'n'); q++)
			;
		return q;
	}
	return q;
}

void mangled_words(char *ret, size_t size, const char *mangled)
{
	const char *const end = mangled + strlen(mangled);
	struct words w = { .text = ret, .size = size };
	const char *p = mangled + (strncmp(mangled, "_Z", 2) ? 0 : 2);

	while (p < end)
		p = isdigit((unsigned char)*p) ? words_identifier(&w, p, end)
					       : words_skip(&w, p, end);
	ret[w.length] = '\0';
}
