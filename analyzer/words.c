/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <string.h>

enum { WORD_MAX = 64, NEAR = 2 };

#define COMMAND(name, help) #name,
static const char *const words_COMMAND[] = {
#include "commands.def"
	NULL
};
#define AXIS(id, name, what) name,
static const char *const words_AXIS[] = {
#include "axes.def"
	NULL
};
#define ROLE(name, what) #name,
static const char *const words_ROLE[] = {
#include "roles.def"
	NULL
};
#define INFORMATION(name, text) text,
static const char *const words_LEVEL[] = {
#include "information.def"
	NULL
};
#define EXPORT(name, source, is_binary, makes_file, what) #name,
static const char *const words_FORMAT[] = {
#include "exports.def"
	NULL
};
#define SHEET(name, columns, axis, what) #name,
static const char *const words_SHEET[] = {
#include "sheets.def"
	NULL
};
#define PRESET(id, name) name,
static const char *const words_MODEL[] = {
#include "presets.def"
	NULL
};

static const struct words {
	const char *name;
	bool in_help;
	const char *const *words;
} lists[] = {
#define WORDS(name, in_help) { #name, in_help, words_##name },
#include "words.def"
#undef WORDS
};

static const struct words *find_list(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (strlen(lists[i].name) == size && !memcmp(lists[i].name, name, size))
			return &lists[i];
	return NULL;
}

static size_t part_size(const char *part)
{
	return strcspn(part, "|");
}

static const char *next_part(const char *part)
{
	part += part_size(part);
	return *part ? part + 1 : NULL;
}

void words_each(const char *argument, void (*take)(void *context, const char *word), void *context)
{
	char word[WORD_MAX];

	for (const char *part = argument; part; part = next_part(part)) {
		const struct words *list = find_list(part, part_size(part));
		size_t size = 0;

		for (size_t i = 0; list && list->words[i]; i++)
			take(context, list->words[i]);
		if (list)
			continue;
		while (size < part_size(part) && size < WORD_MAX - 1 &&
		       !(part[size] >= 'A' && part[size] <= 'Z'))
			size++;
		snprintf(word, sizeof(word), "%.*s", (int)size, part);
		if (size)
			take(context, word);
	}
}

void words_explain(const char *argument, FILE *out)
{
	for (const char *part = argument; part; part = next_part(part)) {
		const struct words *list = find_list(part, part_size(part));

		if (!list || !list->in_help)
			continue;
		fprintf(out, "; %s:", list->name);
		for (size_t i = 0; list->words[i]; i++)
			fprintf(out, "%s %s", i ? "," : "", list->words[i]);
	}
}

/* --- what was meant --------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Characters to change, add, leave out or swap with the next one. */
static size_t distance(const char *a, const char *b)
{
	const size_t size_a = strlen(a), size_b = strlen(b);
	size_t rows[3][WORD_MAX + 1];

	if (size_a > WORD_MAX || size_b > WORD_MAX)
		return WORD_MAX;
	for (size_t k = 0; k <= size_b; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= size_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *before = rows[(i - 1) % 3], *twice = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t k = 1; k <= size_b; k++) {
			row[k] = least(least(before[k], row[k - 1]) + 1,
				       before[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = least(row[k], twice[k - 2] + 1);
		}
	}
	return rows[size_a % 3][size_b];
}

struct nearest {
	const char *given;
	size_t distance;
	char word[WORD_MAX];
};

static void take_nearer(void *context, const char *word)
{
	struct nearest *n = context;
	size_t d = distance(n->given, word);

	/* A plural, or what somebody began to write. */
	if (strlen(n->given) >= 3 && !strncmp(word, n->given, strlen(n->given)))
		d = least(d, 1);
	if (d >= n->distance || d >= strlen(word))
		return;
	n->distance = d;
	snprintf(n->word, sizeof(n->word), "%s", word);
}

const char *words_nearest(const char *argument, const char *given)
{
	static struct nearest n;

	n = (struct nearest){ .given = given, .distance = NEAR + 1 };
	words_each(argument, take_nearer, &n);
	return n.word[0] ? n.word : NULL;
}

static void print_word(void *context, const char *word)
{
	FILE *out = context;

	fprintf(out, "%s%s", ftell(out) ? ", " : "", word);
}

void words_refuse(const struct argp_state *state, const char *argument, const char *given)
{
	const char *nearest = words_nearest(argument, given);
	char all[1024] = "";
	FILE *out;

	if (nearest)
		argp_error(state, "'%s' is not understood; is '%s' meant?", given, nearest);
	out = fmemopen(all, sizeof(all), "w");
	if (out) {
		words_each(argument, print_word, out);
		fclose(out);
	}
	argp_error(state, "'%s' is none of %s", given, all);
}
