/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <string.h>

#include "words.h"

enum { WHAT_MAX = 60 };

static char **words; /* the command, then what is behind it */
static size_t nr_words;

void complete_ask(size_t nr, char **asked)
{
	nr_words = nr;
	words = asked;
}

bool complete_is_asked(void)
{
	return nr_words > 0;
}

void complete_offer(const char *unfinished, const char *word, const char *what, FILE *out)
{
	if (strncmp(word, unfinished, strlen(unfinished)) != 0)
		return;
	fputs(word, out);
	/* A description is a phrase: what follows is for help. */
	if (what)
		fprintf(out, "\t%.*s", (int)strnlen(what, strcspn(what, ";:(")), what);
	fputc('\n', out);
}

/* --- options ---------------------------------------------------------------------------------- */

static bool is_shown(const struct argp_option *o)
{
	return !(o->flags & (OPTION_DOC | OPTION_HIDDEN));
}

static bool is_end(const struct argp_option *o)
{
	return !o->name && !o->key && !o->doc && !o->group;
}

static bool is_named(const struct argp_option *o, const char *word)
{
	const size_t size = strcspn(word, "=");

	if (!is_shown(o))
		return false;
	if (word[1] != '-')
		return o->key == word[1] && !word[2];
	return o->name && strlen(o->name) == size - 2 && !strncmp(o->name, word + 2, size - 2);
}

/* The option that a word is; NULL: not one of the command's. */
static const struct argp_option *find_option(const struct argp *argp, const char *word)
{
	const struct argp_option *named = NULL, *found = NULL;

	for (const struct argp_option *o = argp->options; o && !is_end(o) && !found; o++) {
		if (!(o->flags & OPTION_ALIAS))
			named = o;
		if (is_named(o, word))
			found = named;
	}
	for (const struct argp_child *c = argp->children; c && c->argp && !found; c++)
		found = find_option(c->argp, word);
	return found;
}

static void offer_options(const struct argp *argp, const char *unfinished, FILE *out)
{
	char name[WHAT_MAX];

	for (const struct argp_option *o = argp->options; o && !is_end(o); o++) {
		if (!is_shown(o) || !o->name)
			continue;
		snprintf(name, sizeof(name), "--%s%s", o->name, o->arg ? "=" : "");
		complete_offer(unfinished, name, o->doc, out);
	}
	for (const struct argp_child *c = argp->children; c && c->argp; c++)
		offer_options(c->argp, unfinished, out);
}

/* --- arguments -------------------------------------------------------------------------------- */

/* Arguments that name something on this machine. */
static const struct {
	const char *argument, *listing;
} listings[] = {
	{ "TRACE", ":traces" },   { "A", ":traces" },   { "B", ":traces" },
	{ "FILE", ":files" },     { "PATH", ":files" }, { "PATTERN", ":files" },
	{ "MODEL", ":files" },    { "OUT", ":files" },  { "PROGRAM", ":programs" },
	{ "ARGUMENT", ":files" },
};

struct unfinished {
	const char *text;
	FILE *out;
};

static void offer_word(void *context, const char *word)
{
	const struct unfinished *u = context;

	complete_offer(u->text, word, NULL, u->out);
}

static void offer_argument(const char *argument, const char *unfinished, FILE *out)
{
	struct unfinished u = { unfinished, out };

	words_each(argument, offer_word, &u);
	for (const char *part = argument; *part; part += strspn(part, "|")) {
		const size_t size = strcspn(part, "|");

		for (size_t i = 0; i < sizeof(listings) / sizeof(*listings); i++)
			if (strlen(listings[i].argument) == size &&
			    !strncmp(listings[i].argument, part, size))
				fprintf(out, "%s\n", listings[i].listing);
		part += size;
	}
}

/* The word of "TRACE [TRACE...]" for the argument of this number, without its brackets and dots. */
static bool find_argument(const char *doc, size_t number, char *ret, size_t size)
{
	bool is_found = false;

	for (const char *at = doc; at && *at && *at != '\n'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " \n");
		const char *begin = at + (*at == '[');

		at += n;
		n = strcspn(begin, " \n].");
		if (!strncmp(begin, "--", 2))
			continue;
		snprintf(ret, size, "%.*s", (int)n, begin);
		/* The last one with dots is for all that follow. */
		is_found = number-- == 0 || (begin[n] == '.' && (!*at || *at == '\n'));
		if (is_found)
			break;
	}
	return is_found;
}

static bool takes_program(const struct argp *argp)
{
	return argp->args_doc && strstr(argp->args_doc, "PROGRAM") != NULL;
}

void complete_command(const struct argp *argp, FILE *out)
{
	static const struct argp_option standard[] = {
		{ .name = "help", .key = '?', .doc = "the options, with examples" },
		{ .name = "usage", .key = 1, .doc = "the options in short" },
		{ .name = "version", .key = 'V', .doc = "which version this is" },
		{ 0 },
	};
	static const struct argp standard_argp = { .options = standard };
	const char *unfinished = nr_words > 1 ? words[nr_words - 1] : "";
	const struct argp_option *option = NULL; /* that waits for its argument */
	size_t nr_arguments = 0;
	bool only_arguments = false;
	char argument[WHAT_MAX];

	for (size_t i = 1; i + 1 < nr_words; i++) {
		const char *word = words[i];

		if (option) {
			option = NULL;
		} else if (!only_arguments && !strcmp(word, "--")) {
			only_arguments = true;
		} else if (!only_arguments && word[0] == '-' && word[1]) {
			option = strchr(word, '=') ? NULL : find_option(argp, word);
			if (option && !option->arg)
				option = NULL;
		} else {
			nr_arguments++;
			only_arguments |= takes_program(argp);
		}
	}
	if (!option && !only_arguments && unfinished[0] == '-' && strchr(unfinished, '=')) {
		option = find_option(argp, unfinished);
		unfinished = strchr(unfinished, '=') + 1;
		if (option && option->arg)
			offer_argument(option->arg, unfinished, out);
	} else if (option) {
		offer_argument(option->arg, unfinished, out);
	} else if (!only_arguments && unfinished[0] == '-') {
		offer_options(argp, unfinished, out);
		offer_options(&standard_argp, unfinished, out);
	} else if (find_argument(argp->args_doc, nr_arguments, argument, sizeof(argument))) {
		offer_argument(argument, unfinished, out);
	}
}
