/* SPDX-License-Identifier: Apache-2.0 */
/* nothing.c - a program without CUDA: says how many threads and open files it has. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>

static int count(const char *directory)
{
	int n = 0;
	DIR *d = opendir(directory);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

int main(void)
{
	/* Looking around is not using CUDA. */
	void *found = dlsym(RTLD_DEFAULT, "cuInit_no_such_function");
	printf("%d threads, %d files, %s\n", count("/proc/self/task"), count("/proc/self/fd") - 1,
	       found ? "found" : "not found");
	return 0;
}
