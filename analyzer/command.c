/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complete.h"
#include "pager.h"
#include "terminal.h"
#include "words.h"

static const struct {
	const char *command, *line, *what;
} examples[] = {
#define EXAMPLE(command, line, what) { #command, line, what },
#include "examples.def"
#undef EXAMPLE
};

/* The command that is run; there is one. */
static const char *name;
static const struct argp *parsed;

static char *print_examples(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("Examples:", out);
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		if (!strcmp(examples[i].command, name))
			fprintf(out, "\n  # %s\n  %s", examples[i].what, examples[i].line);
	return fclose(out) ? NULL : text;
}

static char *print_words(int key, const char *doc)
{
	const struct argp_option *o = parsed->options;
	char *text;
	size_t size;
	FILE *out;

	while (o && o->name && o->key != key)
		o++;
	if (!o || !o->name || !o->arg || !doc)
		return (char *)doc;
	out = open_memstream(&text, &size);
	if (!out)
		return (char *)doc;
	fputs(doc, out);
	words_explain(o->arg, out);
	return fclose(out) ? (char *)doc : text;
}

/* Adds what all commands say: the words of lists, and examples behind it all. */
static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	switch (key) {
	case ARGP_KEY_HELP_PRE_DOC:
		pager_begin();
		return (char *)text;
	case ARGP_KEY_HELP_DUP_ARGS_NOTE:
		return NULL; /* everybody knows */
	case ARGP_KEY_HELP_EXTRA:
		return print_examples();
	case ARGP_KEY_HELP_POST_DOC:
	case ARGP_KEY_HELP_HEADER:
	case ARGP_KEY_HELP_ARGS_DOC:
		return (char *)text;
	default:
		return print_words(key, text);
	}
}

/* argp writes 79 columns wide unless it is told. */
static void set_margin(void)
{
	char format[32];
	struct terminal t;

	terminal_detect(&t, false);
	if (!t.is_terminal || t.columns >= 80)
		return;
	snprintf(format, sizeof(format), "rmargin=%zu", t.columns - 1);
	setenv("ARGP_HELP_FMT", format, 0);
}

error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	struct argp with_help = *argp;

	name = strchr(argv[0], ' ') ? strchr(argv[0], ' ') + 1 : argv[0];
	parsed = argp;
	if (complete_is_asked()) {
		complete_command(argp, stdout);
		exit(EXIT_FINE);
	}
	set_margin();
	with_help.help_filter = filter_help;
	return argp_parse(&with_help, argc, argv, flags, NULL, input);
}
