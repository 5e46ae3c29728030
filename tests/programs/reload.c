/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - modules come and go; a later kernel gets the handle of an earlier one. */
#include "tests/programs/way/way.h"

int main(void)
{
	CUfunction earlier = NULL;
	int reused = 0;
	driver_open("getproc");
	driver_start();
	for (unsigned int i = 1; i <= 10; i++) {
		char name[32], image[64];
		CUmodule module = NULL;
		snprintf(name, sizeof(name), "generation_%u", i);
		snprintf(image, sizeof(image), "%s" PARAMETERS, name);
		CHECK(cu.cuModuleLoadData(&module, image));
		CUfunction f = kernel_named(module, name);
		reused += f == earlier;
		earlier = f;
		for (unsigned int n = 0; n < i; n++)
			CHECK(launch(f, i, 1, 1, NULL));
		CHECK(cu.cuCtxSynchronize());
		CHECK(cu.cuModuleUnload(module));
	}
	printf("%d handles came back\n", reused);
	return 0;
}
