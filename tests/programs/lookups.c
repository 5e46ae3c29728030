/* SPDX-License-Identifier: Apache-2.0 */
/* lookups.c - answers of dlsym and cuGetProcAddress that an interposer must not change. */
#include <cuda.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef CUresult (*getproc)(const char *name, void **pfn, int version, cuuint64_t flags,
			    CUdriverProcAddressQueryResult *status);

static void say(const char *what, const void *found)
{
	const char *error = dlerror();
	/* Which object was asked is the loader's own affair; what is missing is not. */
	const char *missing = error ? strchr(error, ':') : NULL;
	printf("%s: %s%s\n", what, found ? "found" : "not found", missing ? missing : "");
}

static void ask(getproc get, const char *name, int version, cuuint64_t flags)
{
	CUdriverProcAddressQueryResult status = (CUdriverProcAddressQueryResult)99;
	void *found = NULL;
	const CUresult r = get(name, &found, version, flags, &status);
	printf("%s %d: result %d, status %d, %s\n", name, version, (int)r, (int)status,
	       found ? "found" : "not found");
}

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	say("printf in libc", dlsym(libc, "printf"));
	say("printf by version", dlvsym(libc, "printf", "GLIBC_2.2.5"));
	say("printf by no version", dlvsym(libc, "printf", "GLIBC_9.9"));
	say("cuInit in libc", dlsym(libc, "cuInit"));
	say("cuInit nowhere", dlsym(RTLD_DEFAULT, "cuInit"));
	say("cuInit behind the program", dlsym(RTLD_NEXT, "cuInit"));
	say("printf behind the program", dlsym(RTLD_NEXT, "printf"));
	say("execv behind the program", dlsym(RTLD_NEXT, "execv"));
	void *cuda = dlopen("libcuda.so.1", RTLD_NOW);
	say("cuInit", dlsym(cuda, "cuInit"));
	say("cuNoSuchThing", dlsym(cuda, "cuNoSuchThing"));
	say("cuLaunchKernel", dlsym(cuda, "cuLaunchKernel"));
	printf("twice the same: %d\n", dlsym(cuda, "cuInit") == dlsym(cuda, "cuInit"));
	getproc get = (getproc)dlsym(cuda, "cuGetProcAddress_v2");
	ask(get, "cuLaunchKernel", 13000, 0);
	ask(get, "cuLaunchKernelEx", 11000, 0);
	ask(get, "cuNoSuchThing", 13000, 0);
	ask(get, "cuLaunchKernel", 13000, CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM);
	ask(get, "", 13000, 0);
	return 0;
}
