/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ttitrace/ttitrace.h"

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

static void print_usage(FILE *out)
{
	fputs("usage: ttitrace COMMAND [OPTION...] [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
	fputs("\n'ttitrace COMMAND --help' explains a command; --version says which this is.\n",
	      out);
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

int main(int argc, char **argv)
{
	const struct command *command;

	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return EXIT_FINE;
	}
	command = find_command(argv[1]);
	if (!command) {
		fprintf(stderr,
			"ttitrace: there is no command '%s'; 'ttitrace --help' lists them\n",
			argv[1]);
		return EXIT_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
