/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in, until the table of commands is there. */
#include <string.h>

#include "cmd_explain.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "explain") == 0)
		return cmd_explain(argc - 1, argv + 1);
	return 2;
}
