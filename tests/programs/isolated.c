/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolated.c - launches 5 kernels through a driver that was opened apart from the rest:
 *   deepbind    dlopen with RTLD_DEEPBIND
 *   namespace   dlmopen into a namespace of its own
 *   local       dlopen with RTLD_LOCAL
 */
#include <cuda.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *driver;

static void *find(const char *name)
{
	void *found = dlsym(driver, name);
	if (!found) {
		printf("%s: not found\n", name);
		exit(3);
	}
	return found;
}

#define CALL(name, ...) ((__typeof__(&(name)))find(#name))(__VA_ARGS__)

static void *open_driver(const char *how)
{
	if (!strcmp(how, "namespace"))
		return dlmopen(LM_ID_NEWLM, "libcuda.so.1", RTLD_NOW);
	return dlopen("libcuda.so.1",
		      RTLD_NOW | (strcmp(how, "deepbind") ? RTLD_LOCAL : RTLD_DEEPBIND));
}

int main(int argc, char **argv)
{
	CUcontext context = NULL;
	CUmodule module = NULL;
	CUfunction f = NULL;
	void *pointer = NULL;
	int number = 1, failed = 0;
	void *params[] = { &pointer, &number };
	driver = open_driver(argc > 1 ? argv[1] : "local");
	if (!driver) {
		printf("no driver\n");
		return 2;
	}
	failed |= CALL(cuInit, 0);
	failed |=
		((CUresult(*)(CUcontext *, CUdevice))find("cuDevicePrimaryCtxRetain"))(&context, 0);
	failed |= CALL(cuCtxSetCurrent, context);
	failed |= CALL(cuModuleLoadData, &module, "apart 8 4\n");
	failed |= CALL(cuModuleGetFunction, &f, module, "apart");
	for (unsigned int i = 1; i <= 5; i++)
		failed |= CALL(cuLaunchKernel, f, i, 1, 1, 32, 1, 1, 0, NULL, params, NULL);
	failed |= ((__typeof__(&cuCtxSynchronize))find("cuCtxSynchronize"))();
	printf("failed: %d\n", failed);
	return failed;
}
