/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c - launches 500 kernels, does as it likes with the descriptors of the process, and
 * launches 500 more:
 *   keeps       does nothing
 *   closefrom   closes all but the first three
 *   takes       puts a file of its own, `mine`, behind every number
 *   stderr      closes standard error and opens `mine` instead
 *   redirects   the same, to append to it
 *   removes     removes every trace there is
 * Says at the end how large `mine` is.
 */
#include "tests/programs/way/way.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBERS 2048

static void launch_some(CUfunction f)
{
	for (unsigned int i = 1; i <= 500; i++)
		CHECK(launch(f, i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
	usleep(300000); /* the writer comes by */
}

static void act(const char *how)
{
	const int append = strcmp(how, "redirects") ? 0 : O_APPEND;
	int mine;
	if (!strcmp(how, "closefrom"))
		closefrom(3);
	if (!strcmp(how, "stderr") || append)
		close(STDERR_FILENO);
	mine = open("mine", O_RDWR | O_CREAT | O_TRUNC | append, 0600);
	if (!strcmp(how, "removes") && system("rm -f *.ttt"))
		exit(3);
	if (!strcmp(how, "takes"))
		for (int n = 3; n < NUMBERS; n++)
			dup2(mine, n);
}

int main(int argc, char **argv)
{
	struct stat st;
	CUmodule module = NULL;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "stubborn" PARAMETERS));
	launch_some(kernel_named(module, "stubborn"));
	act(argc > 1 ? argv[1] : "keeps");
	launch_some(kernel_named(module, "stubborn"));
	printf("%ld bytes\n", stat("mine", &st) ? -1 : (long)st.st_size);
	return 0;
}
