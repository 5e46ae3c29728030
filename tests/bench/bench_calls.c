/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_calls.c - what a library call with one launch in it costs: CALLS of each sort.
 * Prints nanoseconds per call: cublasSgemm, cublasLtMatmul, cudnnBackendExecute.  Meant for the
 * stand-ins over the driver whose launches do nothing; bare and preloaded, the difference counts.
 */
#include "tests/programs/way/way.h"

#include <cublasLt.h>
#include <cublas_v2.h>
#include <dlfcn.h>
#include <time.h>

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *find(const char *library, const char *symbol)
{
	void *l = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	void *found = l ? dlsym(l, symbol) : NULL;
	if (!found)
		exit(2);
	return found;
}

static cublasHandle_t handle;
static __typeof__(&cublasSgemm_v2) sgemm;

static void product(int i)
{
	const float one = 1;
	const int n = 64 + i % 16;
	sgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, NULL, n, NULL, n, &one, NULL, n);
}

static cublasLtMatmulDescOpaque_t operation;
static cublasLtMatrixLayoutOpaque_t layouts[16];
static __typeof__(&cublasLtMatmul) lt;

static void matmul(int i)
{
	cublasLtMatrixLayout_t l = &layouts[i % 16];
	lt(NULL, &operation, NULL, NULL, l, NULL, l, NULL, NULL, l, NULL, l, NULL, NULL, 0, NULL);
}

static void *plan;
static int (*run_plan)(void *handle, void *plan, void *pack);

static void execute(int i)
{
	(void)i;
	run_plan(NULL, plan, NULL);
}

static void prepare(void)
{
	int (*create)(int type, void **d) = find("libcudnn.so.9", "cudnnBackendCreateDescriptor");
	int (*finalize)(void *d) = find("libcudnn.so.9", "cudnnBackendFinalize");
	run_plan = find("libcudnn.so.9", "cudnnBackendExecute");
	create(5, &plan);
	finalize(plan);
	sgemm = find("libcublas.so.13", "cublasSgemm_v2");
	lt = find("libcublasLt.so.13", "cublasLtMatmul");
	((__typeof__(&cublasCreate_v2))find("libcublas.so.13", "cublasCreate_v2"))(&handle);
	for (uint64_t i = 0; i < 16; i++)
		layouts[i] = (cublasLtMatrixLayoutOpaque_t){ { 0, 0, 64 + i, 64, 64 + i, 1 } };
}

int main(int argc, char **argv)
{
	static void (*const sorts[])(int) = { product, matmul, execute };
	const int n = argc > 1 ? atoi(argv[1]) : 100000;
	driver_open("getproc");
	driver_start();
	prepare();
	for (size_t s = 0; s < 3; s++) {
		for (int i = 0; i < 1000; i++)
			sorts[s](i);
		const double begin = now_ns();
		for (int i = 0; i < n; i++)
			sorts[s](i);
		printf("%.1f%c", (now_ns() - begin) / n, s < 2 ? ' ' : '\n');
	}
	return 0;
}
