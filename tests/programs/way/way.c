/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/way/way.h"

#include <dlfcn.h>
#include <string.h>

/* In programs linked with -lcuda (way_linked.c) and behind the third library (plugin/next.c). */
extern const struct driver linked_driver __attribute__((weak));
extern void *next_find(const char *name) __attribute__((weak));

typedef CUresult (*getproc_v1)(const char *name, void **pfn, int version, cuuint64_t flags);
typedef CUresult (*getproc_v2)(const char *name, void **pfn, int version, cuuint64_t flags,
			       CUdriverProcAddressQueryResult *status);
typedef void *(*finder)(const char *name);

struct driver cu;

static void *library;
static void *get;
static bool per_thread;

static void *by_dlsym(const char *name)
{
	return dlsym(library, name);
}

static void *by_default(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

/* Finds something in a driver with symbol versions only. */
static void *by_dlvsym(const char *name)
{
	return dlvsym(library, name, "libcuda.so.1");
}

/* cuGetProcAddress wants names without their version. */
static const char *bare_name(const char *name)
{
	static char bare[128];
	snprintf(bare, sizeof(bare), "%s", name);
	char *version = strstr(bare, "_v");
	if (version)
		*version = 0;
	return bare;
}

static cuuint64_t getproc_flags(void)
{
	return per_thread ? CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM
			  : CU_GET_PROC_ADDRESS_LEGACY_STREAM;
}

static void *by_getproc(const char *name)
{
	CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
	void *found = NULL;
	((getproc_v2)get)(bare_name(name), &found, CUDA_VERSION, getproc_flags(), &status);
	return status == CU_GET_PROC_ADDRESS_SUCCESS ? found : NULL;
}

static void *by_getproc_v1(const char *name)
{
	void *found = NULL;
	((getproc_v1)get)(bare_name(name), &found, CUDA_VERSION, getproc_flags());
	return found;
}

static void *twin_or_plain(finder find, const char *name)
{
	static const char *const twins[] = { "_ptsz", "_ptds" };
	for (size_t i = 0; per_thread && i < 2; i++) {
		char twin[128];
		snprintf(twin, sizeof(twin), "%s%s", name, twins[i]);
		void *found = find(twin);
		if (found)
			return found;
	}
	return find(name);
}

static void fill(finder find)
{
	static const struct {
		const char *name;
		size_t at;
	} functions[] = {
#define FUNCTION(name) { #name, offsetof(struct driver, name) },
#include "tests/programs/way/way.def"
#undef FUNCTION
	};
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *found = twin_or_plain(find, functions[i].name);
		if (!found) {
			fprintf(stderr, "no %s\n", functions[i].name);
			exit(2);
		}
		memcpy((char *)&cu + functions[i].at, &found, sizeof(found));
	}
}

static void library_open(int flags)
{
	library = dlopen("libcuda.so.1", RTLD_NOW | flags);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
}

void driver_open(const char *way)
{
	per_thread = strstr(way, "+ptsz") != NULL;
	const int length = (int)strcspn(way, "+");
	char plain[32];
	snprintf(plain, sizeof(plain), "%.*s", length, way);
	if (!strcmp(plain, "linked") && &linked_driver) {
		cu = linked_driver;
		return;
	}
	if (!strcmp(plain, "next") && next_find) {
		fill(next_find);
		return;
	}
	library_open(!strcmp(plain, "default") ? RTLD_GLOBAL : RTLD_LOCAL);
	if (!strcmp(plain, "dlsym")) {
		fill(by_dlsym);
	} else if (!strcmp(plain, "dlvsym")) {
		fill(by_dlvsym);
	} else if (!strcmp(plain, "default")) {
		fill(by_default);
	} else if (!strcmp(plain, "getproc")) {
		get = by_dlsym("cuGetProcAddress_v2");
		/* cudart asks for the function through itself and goes on with the answer. */
		get = by_getproc("cuGetProcAddress");
		fill(by_getproc);
	} else if (!strcmp(plain, "getproc_v1")) {
		get = by_dlsym("cuGetProcAddress");
		fill(by_getproc_v1);
	} else {
		fprintf(stderr, "no such way: %s\n", way);
		exit(2);
	}
}

CUcontext driver_start(void)
{
	CUcontext context = NULL;
	CHECK(cu.cuInit(0));
	CHECK(cu.cuDevicePrimaryCtxRetain(&context, 0));
	CHECK(cu.cuCtxSetCurrent(context));
	return context;
}

CUfunction kernel_named(CUmodule module, const char *name)
{
	CUfunction f = NULL;
	CHECK(cu.cuModuleGetFunction(&f, module, name));
	return f;
}

CUresult launch(CUfunction f, unsigned int x, unsigned int y, unsigned int z, CUstream stream)
{
	void *pointer = (void *)(uintptr_t)(0x1000 * (x + 1));
	int number = (int)y;
	void *params[] = { &pointer, &number };
	return cu.cuLaunchKernel(f, x, y, z, 32, 1, 1, 0, stream, params, NULL);
}
