/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cuda12.c - an application of CUDA 12 on whatever driver there is: its runtime, libcudart.so.12,
 * loads a kernel from PTX and launches it.  Prints how many launches it made; exit 77: no such
 * runtime.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { NR_LAUNCHES = 5000, NR_THREADS = 32 };

static const char ptx[] = ".version 7.0\n"
			  ".target sm_50\n"
			  ".address_size 64\n"
			  ".visible .entry of_cuda_12(.param .u64 out)\n"
			  "{\n"
			  "	.reg .b64 %rd<3>;\n"
			  "	.reg .b32 %r<2>;\n"
			  "	ld.param.u64 %rd1, [out];\n"
			  "	cvta.to.global.u64 %rd2, %rd1;\n"
			  "	mov.u32 %r1, 1;\n"
			  "	red.global.add.u32 [%rd2], %r1;\n"
			  "	ret;\n"
			  "}\n";

struct dim3 {
	unsigned int x, y, z;
};

static void check(int rc, const char *what)
{
	if (rc) {
		fprintf(stderr, "%s: error %d\n", what, rc);
		exit(1);
	}
}

static void *symbol(void *library, const char *name)
{
	void *found = dlsym(library, name);

	if (!found) {
		printf("skipped: libcudart.so.12 has no %s\n", name);
		exit(77);
	}
	return found;
}

int main(void)
{
	void *runtime = dlopen("libcudart.so.12", RTLD_NOW);
	unsigned int *out, sum = 0;
	void *library, *kernel;

	if (!runtime) {
		printf("skipped: %s\n", dlerror());
		return 77;
	}
	int (*load)(void **, const void *, void *, void *, unsigned, void *, void *, unsigned) =
		symbol(runtime, "cudaLibraryLoadData");
	int (*get)(void **, void *, const char *) = symbol(runtime, "cudaLibraryGetKernel");
	int (*launch)(const void *, struct dim3, struct dim3, void **, size_t, void *) =
		symbol(runtime, "cudaLaunchKernel");
	int (*allocate)(void **, size_t) = symbol(runtime, "cudaMalloc");
	int (*fill)(void *, int, size_t) = symbol(runtime, "cudaMemset");
	int (*copy)(void *, const void *, size_t, int) = symbol(runtime, "cudaMemcpy");

	check(allocate((void **)&out, sizeof(*out)), "cudaMalloc");
	check(fill(out, 0, sizeof(*out)), "cudaMemset");
	check(load(&library, ptx, NULL, NULL, 0, NULL, NULL, 0), "cudaLibraryLoadData");
	check(get(&kernel, library, "of_cuda_12"), "cudaLibraryGetKernel");
	for (unsigned int i = 0; i < NR_LAUNCHES; i++)
		check(launch(kernel, (struct dim3){ 1 + i % 7, 1, 1 }, (struct dim3){ NR_THREADS, 1, 1 },
			     (void *[]){ &out }, 0, NULL),
		      "cudaLaunchKernel");
	check(copy(&sum, out, sizeof(sum), 2), "cudaMemcpy");
	printf("launches %d, sum %u\n", NR_LAUNCHES, sum);
	return 0;
}
