/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.h - ttitrace explain: why a kernel's name is of the kind that a report says. */
#ifndef ANALYZER_CMD_EXPLAIN_H
#define ANALYZER_CMD_EXPLAIN_H

/* argv[0] is the command's name.  Returns the exit code; a wrong command line exits with 2. */
int cmd_explain(int argc, char **argv);

#endif
