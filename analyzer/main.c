/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complete.h"
#include "pager.h"
#include "terminal.h"
#include "ttitrace/ttitrace.h"
#include "words.h"

const char *argp_program_version = "ttitrace " TTI_VERSION;

struct command {
	const char *name;
	int (*run)(int argc, char **argv, struct diag *diag);
	const char *help;
};

static const struct command commands[] = {
#define COMMAND(name, help) { #name, cmd_##name, help },
#include "commands.def"
#undef COMMAND
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(*commands) };

static char help_option[] = "--help";
static const char *const options[] = { help_option, "--no-pager", "--version" };
enum { NR_OPTIONS = sizeof(options) / sizeof(*options) };

static void print_commands(FILE *out)
{
	fputs("usage: ttitrace [--no-pager] COMMAND [OPTION...] [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
	fputs("\n  ttitrace record -- python generate.py    # then:\n"
	      "  ttitrace report\n\n"
	      "'ttitrace COMMAND --help' explains a command, with examples; --version says which "
	      "this is.\n",
	      out);
}

static void print_usage(void)
{
	struct terminal t;
	FILE *out;

	terminal_detect(&t, false);
	out = terminal_open(&t);
	print_commands(out);
	terminal_close(out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct diag diag = { .message = "" };
	char name[64];
	int r;

	/* What argp calls the program in its messages. */
	snprintf(name, sizeof(name), "ttitrace %s", command->name);
	argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	r = command->run(argc, argv, &diag);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, diag.message);
		return EXIT_DAMAGED;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output\n", name);
		return EXIT_DAMAGED;
	}
	return r;
}

/* Before there is a command its name is what can come next; then the command knows. */
static int complete(int argc, char **argv)
{
	const struct command *command;
	char *help[] = { NULL, help_option, NULL };

	if (argc > 1 && !strcmp(argv[0], "--no-pager")) {
		argv++;
		argc--;
	}
	command = argc > 1 ? find_command(argv[0]) : NULL;
	if (command) {
		complete_ask((size_t)argc, argv);
		return run_command(command, 2, help);
	}
	for (size_t i = 0; argc <= 1 && i < NR_COMMANDS; i++)
		complete_offer(argc ? argv[0] : "", commands[i].name, commands[i].help, stdout);
	for (size_t i = 0; argc == 1 && argv[0][0] == '-' && i < NR_OPTIONS; i++)
		complete_offer(argv[0], options[i], NULL, stdout);
	return EXIT_FINE;
}

static int refuse(const char *word)
{
	const char *nearest = words_nearest("COMMAND", word);

	if (nearest)
		fprintf(stderr, "ttitrace: there is no command '%s'; is '%s' meant?\n", word,
			nearest);
	else if (access(word, F_OK) == 0)
		fprintf(stderr,
			"ttitrace: '%s' is a file, a command comes first: 'ttitrace report %s'\n",
			word, word);
	else
		fprintf(stderr,
			"ttitrace: there is no command '%s'; 'ttitrace --help' lists them\n", word);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	setlocale(LC_CTYPE, "");
	if (argc > 1 && !strcmp(argv[1], "--no-pager")) {
		pager_forbid();
		argv++;
		argc--;
	}
	if (argc < 2) {
		print_commands(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") && argc > 2) {
		/* As git has it: help COMMAND. */
		argv[1] = argv[2];
		argv[2] = help_option;
		argc = 3;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage();
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--complete"))
		return complete(argc - 2, argv + 2);
	command = find_command(argv[1]);
	if (!command)
		return refuse(argv[1]);
	return run_command(command, argc - 1, argv + 1);
}
