/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operations.c - launches as PyTorch does: from functions with the names of its operations, which
 * are exported, through helpers, which are not.  A convolution adds its bias.
 */
#include "tests/programs/way/way.h"

/* Nothing that the compiler may turn into a jump or leave out. */
#define OPERATION(function, symbol)                  \
	void function(CUfunction f) __asm__(symbol); \
	__attribute__((noinline, visibility("default"))) void function(CUfunction f)
#define STAY __asm__ volatile("" ::: "memory")

static inline __attribute__((always_inline)) void inlined_helper(CUfunction f)
{
	CHECK(launch(f, 1, 1, 1, NULL)); /* the line that tests look for */
	STAY;
}

static __attribute__((noinline)) void add_kernel_helper(CUfunction f)
{
	inlined_helper(f); /* and its call */
	STAY;
}

OPERATION(add_redispatch, "_ZN2at4_ops11add__Tensor10redispatchEN3c1014DispatchKeySetERNS_6TensorE")
{
	add_kernel_helper(f);
	STAY;
}

OPERATION(conv2d_call, "_ZN2at4_ops6conv2d4callERKNS_6TensorE")
{
	add_redispatch(f);
	STAY;
}

OPERATION(silu_call, "_ZN2at4_ops4silu4callERKNS_6TensorE")
{
	add_kernel_helper(f);
	STAY;
}

__attribute__((constructor)) static void run_operations(void)
{
	CUmodule module = NULL;
	CUfunction f;

	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(
		&module, "_ZN2at6native29vectorized_elementwise_kernelILi4EEEvv" PARAMETERS));
	f = kernel_named(module, "_ZN2at6native29vectorized_elementwise_kernelILi4EEEvv");
	for (int i = 0; i < 3; i++)
		conv2d_call(f);
	silu_call(f);
	CHECK(cu.cuCtxSynchronize());
}
