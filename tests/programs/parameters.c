/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parameters.c - launches of kernels whose parameters tell something.
 *   attention  one struct: pointers from a pool, four shapes in turn
 *   seed       the same with a number that is new at each launch
 *   growing    a length that grows with every fourth launch
 *   softmax    parameters one by one, then packed
 *   plain      a kernel from which nothing is to be read
 */
#include "tests/programs/way/way.h"

#include <string.h>

#define NR_BUFFERS 64

/* As PyTorch's flash attention has it, as far as we fill it in. */
struct attention {
	uint64_t q, k, v, o;
	uint64_t null_first; /* a pointer from the second launch on */
	uint64_t never;
	uint64_t seed;
	uint8_t between[96 - 56];
	int32_t heads, heads_k, ratio;
	uint8_t then[176 - 108];
	int32_t batch, queries, keys, fresh, depth;
	uint8_t rest[472 - 196];
};
_Static_assert(sizeof(struct attention) == 472, "the size that has these places");

static CUdeviceptr buffers[NR_BUFFERS];
static CUmodule module;

static void attend(int32_t queries, int32_t keys, unsigned int i, uint64_t seed)
{
	struct attention a = { .q = buffers[i % NR_BUFFERS],
			       .k = buffers[i * 7 % NR_BUFFERS] + 16 * (i % 3),
			       .v = buffers[i * 5 % NR_BUFFERS],
			       .o = buffers[0],
			       .null_first = i ? buffers[i % 5] : 0,
			       .seed = seed,
			       .heads = 8,
			       .heads_k = 4,
			       .ratio = 2,
			       .batch = 2,
			       .queries = queries,
			       .keys = keys,
			       .depth = 40 };
	void *params[] = { &a };
	CHECK(cu.cuLaunchKernel(kernel_named(module, "flash_fwd_kernel"), (unsigned int)queries,
				(unsigned int)keys, 1, 128, 1, 1, 0, NULL, params, NULL));
}

static void attention(void)
{
	/* Beside `batch` these lengths are like addresses; the driver knows better. */
	static const int32_t lengths[][2] = {
		{ 32760, 32760 }, { 32761, 77 }, { 4096, 4096 }, { 30000, 77 }
	};
	for (unsigned int i = 0; i < 1000; i++)
		attend(lengths[i % 4][0], lengths[i % 4][1], i, 0);
}

static void seed(void)
{
	for (unsigned int i = 0; i < 12000; i++)
		attend(64, 64, i, 0x9e3779b97f4a7c15u * (i + 1));
}

static void growing(void)
{
	for (unsigned int i = 0; i < 4 * 400; i++)
		attend(1, 100 + (int32_t)(i / 4), i, 0);
}

static void softmax(void)
{
	CUfunction f = kernel_named(module, "softmax_warp_forward");
	for (int i = 0; i < 20; i++) {
		uint64_t to = buffers[i], from = buffers[i + 1];
		int rows = 65536, stride = 77, length = 77;
		void *params[] = { &to, &from, &rows, &stride, &length };
		CHECK(cu.cuLaunchKernel(f, 7, 1, 1, 128, 1, 1, 0, NULL, params, NULL));
	}
	for (int i = 0; i < 20; i++) {
		struct {
			uint64_t to, from;
			int rows, stride, length;
		} packed = { buffers[i], buffers[i + 2], 65536, 128, 127 };
		size_t size = sizeof(packed);
		void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, &packed,
				  CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END };
		CHECK(cu.cuLaunchKernel(f, 8, 1, 1, 128, 1, 1, 0, NULL, NULL, extra));
	}
}

static void plain(void)
{
	for (unsigned int i = 1; i < 10; i++)
		CHECK(launch(kernel_named(module, "plain"), i, 1, 1, NULL));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = { { "attention", attention },
			  { "seed", seed },
			  { "growing", growing },
			  { "softmax", softmax },
			  { "plain", plain } };
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "flash_fwd_kernel 472\n"
					   "softmax_warp_forward 8 8 4 4 4\n"
					   "plain" PARAMETERS));
	for (int i = 0; i < NR_BUFFERS; i++)
		CHECK(cu.cuMemAlloc_v2(&buffers[i], 1 << 20));
	for (int i = 1; i < argc; i++)
		for (size_t s = 0; s < sizeof(scenarios) / sizeof(scenarios[0]); s++)
			if (!strcmp(scenarios[s].name, argv[i]))
				scenarios[s].run();
	return 0;
}
