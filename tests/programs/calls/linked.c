/* SPDX-License-Identifier: Apache-2.0 */
/* linked.c - linked with the libraries: into a program, or into a plug-in loaded RTLD_LOCAL. */
#include "tests/programs/calls/calls.h"

const struct libraries calls_linked = {
#define CUBLAS(name)   name,
#define CUBLASLT(name) name,
#define CUDNN(name)    name,
#include "tests/programs/calls/calls.def"
#undef CUBLAS
#undef CUBLASLT
#undef CUDNN
};

__attribute__((visibility("default"))) bool calls_plugin_run(const char *scenario)
{
	if (!cu.cuInit)
		driver_open("getproc");
	return calls_run(&calls_linked, scenario);
}
