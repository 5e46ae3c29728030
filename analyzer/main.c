/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in, until the table of commands is there. */
#include <stdio.h>
#include <string.h>

#include "cmd_explain.h"

int main(int argc, char **argv)
{
	struct diag diag;

	if (argc < 2 || strcmp(argv[1], "explain") != 0)
		return 2;
	argv[1] = (char[]){ "ttitrace explain" };
	if (cmd_explain(argc - 1, argv + 1, &diag) == 0)
		return 0;
	fprintf(stderr, "ttitrace explain: %s\n", diag.message);
	return 1;
}
