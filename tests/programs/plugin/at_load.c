/* SPDX-License-Identifier: Apache-2.0 */
/* at_load.c - a library that launches from its constructor, under the loader's lock. */
#include "tests/programs/way/way.h"

__attribute__((constructor)) static void launch_at_load(void)
{
	CUmodule module = NULL;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "launched_at_load" PARAMETERS));
	for (unsigned int i = 1; i <= 7; i++)
		CHECK(launch(kernel_named(module, "launched_at_load"), i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
}
