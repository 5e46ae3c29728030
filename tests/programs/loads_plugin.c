/* SPDX-License-Identifier: Apache-2.0 */
/* loads_plugin.c - opens the library of its first argument, whose constructor launches. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	printf("%s\n", plugin ? "loaded" : dlerror());
	return plugin ? 0 : 1;
}
