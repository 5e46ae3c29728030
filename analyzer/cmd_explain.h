/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.h - ttitrace explain: why a kernel's name is of the kind that a report says. */
#ifndef ANALYZER_CMD_EXPLAIN_H
#define ANALYZER_CMD_EXPLAIN_H

#include "diag.h"

/*
 * argv[0] is what argp calls the program.  Returns 0, or a negative errno with the reason in diag;
 * a wrong command line and a wrong file of rules end the process with argp_err_exit_status.
 */
int cmd_explain(int argc, char **argv, struct diag *diag);

#endif
