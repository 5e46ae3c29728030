/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throws.cc - calls of cuBLAS that are left from inside, by what the driver calls back, and launches
 * and calls after them: SCENARIO
 *   exception   thrown in a launch of a matrix product, caught by its caller, three times
 *   launch      the same in a launch of the program's own
 *   longjmp     the same by longjmp
 *   exit        a thread that ends itself there
 * The grid of a launch of the program's own is 100 or more, that of a product its m.
 */
#include <cublas_v2.h>
#include <dlfcn.h>
#include <pthread.h>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

extern "C" {
#include "tests/programs/way/way.h"
}

static CUfunction work;
static CUstream stream;
static cublasHandle_t handle;
static __typeof__(&cublasSgemm_v2) sgemm;
static void (**in_launch)();
static jmp_buf back;

/* Lives in a frame that is unwound: its end must be seen. */
struct counted {
	int *count;
	~counted()
	{
		++*count;
	}
};

static void product(int m)
{
	const float one = 1;

	sgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, 5, 7, &one, nullptr, m, nullptr, 7, &one, nullptr, m);
}

/* Deeper in the stack than any call before. */
__attribute__((noinline)) static void launch_deep(unsigned int grid)
{
	volatile char room[65536];

	room[0] = room[sizeof(room) - 1] = 0;
	CHECK(launch(work, grid, 1, 1, stream));
}

static void throw_something()
{
	*in_launch = nullptr;
	throw std::runtime_error("from inside");
}

static void jump()
{
	*in_launch = nullptr;
	longjmp(back, 1);
}

static void leave()
{
	*in_launch = nullptr;
	pthread_exit(nullptr);
}

static int exceptions(bool is_library)
{
	int nr_caught = 0, nr_ended = 0;

	for (int i = 0; i < 3; i++) {
		try {
			const counted c = { &nr_ended };

			*in_launch = throw_something;
			if (is_library)
				product(10 + i);
			else
				launch(work, 1, 1, 1, stream);
		} catch (const std::exception &e) {
			nr_caught += std::string(e.what()) == "from inside";
		}
		launch_deep(100 + (unsigned int)i);
		product(20 + i);
		launch_deep(200 + (unsigned int)i);
	}
	printf("caught %d, ended %d\n", nr_caught, nr_ended);
	return 0;
}

static int jumps()
{
	for (volatile int i = 0; i < 3; i = i + 1) {
		if (!setjmp(back)) {
			*in_launch = jump;
			product(10 + i);
		}
		product(20 + i);
		launch_deep(100 + (unsigned int)i);
	}
	return 0;
}

static void *in_thread(void *)
{
	*in_launch = leave;
	product(10);
	return nullptr;
}

static int exits()
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, nullptr, in_thread, nullptr);
		pthread_join(thread, nullptr);
	}
	product(20);
	return 0;
}

int main(int argc, char **argv)
{
	const std::string scenario = argc > 1 ? argv[1] : "";
	void *cublas, *driver;
	CUmodule module = nullptr;
	__typeof__(&cublasCreate_v2) create;
	__typeof__(&cublasSetStream_v2) set_stream;

	driver_open("getproc");
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	CHECK(cu.cuModuleLoadData(&module, "work" PARAMETERS));
	work = kernel_named(module, "work");
	cublas = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
	driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!cublas || !driver)
		return 2;
	in_launch = (void (**)())dlsym(driver, "fake_in_launch");
	create = (__typeof__(create))dlsym(cublas, "cublasCreate_v2");
	set_stream = (__typeof__(set_stream))dlsym(cublas, "cublasSetStream_v2");
	sgemm = (__typeof__(sgemm))dlsym(cublas, "cublasSgemm_v2");
	create(&handle);
	set_stream(handle, stream);
	/* The libraries start at their first call. */
	product(1);
	if (scenario == "exception" || scenario == "launch")
		return exceptions(scenario == "exception");
	if (scenario == "longjmp")
		return jumps();
	return scenario == "exit" ? exits() : 2;
}
