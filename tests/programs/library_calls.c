/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library_calls.c - library_calls WAY SCENARIO...: calls of cuBLAS, cuBLASLt and cuDNN.
 *   linked   the program is linked with them (library_calls_linked)
 *   plugin   a plug-in that is linked with them, loaded RTLD_LOCAL, as Python does
 *   plugin12 the same with another version of cuBLAS beside it, whose plug-in runs too
 *   dlsym    dlopen and dlsym
 *   absent   none of them is loaded: says what a look-up finds
 */
#include "tests/programs/calls/calls.h"

#include <dlfcn.h>
#include <string.h>

extern const struct libraries calls_linked __attribute__((weak));

static void *open_or_end(const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return library;
}

typedef bool (*runner)(const char *scenario);

static runner plugin(const char *name)
{
	return (runner)dlsym(open_or_end(name), "calls_plugin_run");
}

static const struct libraries *by_dlsym(void)
{
	static struct libraries found;
	void *cublas = open_or_end("libcublas.so.13"), *cublaslt = open_or_end("libcublasLt.so.13");
	void *cudnn = open_or_end("libcudnn.so.9");
#define CUBLAS(name)   found.name = (__typeof__(&(name)))dlsym(cublas, #name);
#define CUBLASLT(name) found.name = (__typeof__(&(name)))dlsym(cublaslt, #name);
#define CUDNN(name)    found.name = (__typeof__(&(name)))dlsym(cudnn, #name);
#include "tests/programs/calls/calls.def"
	return &found;
}

static int say_what_is_found(void)
{
	static const char *const names[] = { "cublasGemmEx", "cublasLtMatmul",
					     "cudnnBackendExecute" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *found = dlsym(RTLD_DEFAULT, names[i]);
		printf("%s: %s\n", names[i], found ? "found" : dlerror());
		found = dlsym(dlopen(NULL, RTLD_NOW), names[i]);
		printf("%s in the program: %s\n", names[i], found ? "found" : dlerror());
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	const struct libraries *libraries = NULL;
	runner first = NULL, second = NULL;
	if (!strcmp(way, "absent"))
		return say_what_is_found();
	driver_open("getproc");
	driver_start();
	if (!strcmp(way, "linked"))
		libraries = &calls_linked;
	if (!strcmp(way, "plugin") || !strcmp(way, "plugin12"))
		first = plugin("libcalls.so");
	if (!strcmp(way, "plugin12"))
		second = plugin("libcalls12.so");
	if (!strcmp(way, "dlsym"))
		libraries = by_dlsym();
	for (int i = 2; i < argc; i++) {
		if (first ? !first(argv[i]) : !libraries || !calls_run(libraries, argv[i]))
			return 2;
		if (second && !second(argv[i]))
			return 2;
	}
	return 0;
}
