/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - what main() calls.
 *
 * A command parses its own options and returns the exit code it asks for (EXIT_FINE, EXIT_DAMAGED;
 * `record` that of its program), or a negative errno with the reason in diag.  Wrong usage ends
 * the process with EXIT_USAGE inside argp.
 */
#ifndef ANALYZER_COMMAND_H
#define ANALYZER_COMMAND_H

#include <argp.h>

#include "diag.h"

enum { EXIT_FINE = 0, EXIT_DAMAGED = 1, EXIT_USAGE = 2 };

#define COMMAND(name, help) int cmd_##name(int argc, char **argv, struct diag *diag);
#include "commands.def"
#undef COMMAND

/*
 * argp_parse() as every command calls it: help ends with the command's examples and says what the
 * words of lists are, and completion is answered, which ends the process.
 */
error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

#endif
