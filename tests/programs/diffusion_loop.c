/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diffusion_loop.c - launches like a text-to-image pipeline: a text encoder, 20 denoising steps
 * that attend and convolve, the later ones replayed from a graph, and a decoder.  The kernels have
 * the names that such a pipeline really launches; what they compute here is nothing.
 */
#include "tests/programs/way/way.h"

#include <string.h>

#define NR_STEPS  20
#define NR_EAGER  4 /* steps before the graph takes over */
#define NR_BLOCKS 8 /* of the network */

/*     name here, threads, symbol */
#define KERNELS(KERNEL)                                                                         \
	KERNEL(embedding, 128,                                                                  \
	       "_ZN2at6native12_GLOBAL__N_121indexSelectLargeIndexIN3c104HalfElEEvPT_PKS5_PKT0" \
	       "_ii")                                                                           \
	KERNEL(layer_norm, 128,                                                                 \
	       "_ZN2at6native12_GLOBAL__N_128vectorized_layer_norm_kernelIN3c104HalfEfLb0EEEvi" \
	       "fPKT_S7_S7_PT0_S9_PS5_")                                                        \
	KERNEL(group_norm, 512,                                                                 \
	       "_ZN2at6native12_GLOBAL__N_124RowwiseMomentsCUDAKernelIN3c104HalfEEEvlT_PKS5_PS" \
	       "5_S8_")                                                                         \
	KERNEL(gemm, 384, "nvjet_hsh_128x256_64x4_1x2_h_bz_coopA_bias_TNN")                     \
	KERNEL(convolution, 384,                                                                \
	       "sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x192x" \
	       "64_warpgroupsize2x1x1_g1_execute_segment_k_off_kernel__5x_cudnn")               \
	KERNEL(attention, 128,                                                                  \
	       "_ZN13pytorch_flash16flash_fwd_kernelINS_23Flash_fwd_kernel_traitsILi64ELi128EL" \
	       "i128ELi4ELb0ELb0EN7cutlass6half_tEEELb0ELb0ELb0ELb0ELb1ELb1ELb0EEEvNS_16Flash_" \
	       "fwd_paramsE")                                                                   \
	KERNEL(cross_attention, 128,                                                            \
	       "_Z39fmha_cutlassF_f16_aligned_64x64_rf_sm80N22PyTorchMemEffAttention15Attentio" \
	       "nKernelIN7cutlass6half_tELb1ELi64ELi64ELi64ELb1ELb1EE6ParamsE")                 \
	KERNEL(silu, 128,                                                                       \
	       "_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_12_GLOBAL__N_111silu_kern" \
	       "elESt5arrayIPcLm2EEEEviT0_T1_")                                                 \
	KERNEL(add, 128,                                                                        \
	       "_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_15CUDAFunctor_addIN3c104H" \
	       "alfEEESt5arrayIPcLm3EEEEviT0_T1_")                                              \
	KERNEL(upsample, 256,                                                                   \
	       "_ZN2at6native12_GLOBAL__N_133upsample_nearest2d_nhwc_out_frameIN3c104HalfEEEvP" \
	       "KT_PS5_mm")                                                                     \
	KERNEL(softmax, 128,                                                                    \
	       "_ZN2at6native12_GLOBAL__N_120softmax_warp_forwardIN3c104HalfES4_fLi7ELb0ELb0EE" \
	       "EvPT_PKT0_iiiPKbib")

enum kernel {
#define KERNEL(name, threads, symbol) K_##name,
	KERNELS(KERNEL)
#undef KERNEL
		NR_KERNELS
};

static const struct {
	const char *symbol;
	unsigned int threads;
} kernels[NR_KERNELS] = {
#define KERNEL(name, threads, symbol) { symbol, threads },
	KERNELS(KERNEL)
#undef KERNEL
};

static CUfunction functions[NR_KERNELS];
static CUstream stream;

static void load(void)
{
	char image[4096] = "";
	CUmodule module = NULL;
	for (int k = 0; k < NR_KERNELS; k++) {
		strcat(image, kernels[k].symbol);
		strcat(image, PARAMETERS);
	}
	CHECK(cu.cuModuleLoadData(&module, image));
	for (int k = 0; k < NR_KERNELS; k++)
		functions[k] = kernel_named(module, kernels[k].symbol);
}

static void run(enum kernel k, unsigned int x, unsigned int y)
{
	void *pointer = NULL;
	int number = (int)x;
	void *params[] = { &pointer, &number };
	CHECK(cu.cuLaunchKernel(functions[k], x, y, 1, kernels[k].threads, 1, 1, 0, stream, params,
				NULL));
}

static void encode_text(void)
{
	run(K_embedding, 77, 1);
	for (int layer = 0; layer < 12; layer++) {
		run(K_layer_norm, 77, 1);
		run(K_gemm, 18, 1);
		run(K_softmax, 154, 1);
		run(K_gemm, 6, 1);
		run(K_add, 58, 1);
	}
}

/* Blocks work on ever fewer positions and then on ever more: a U-Net. */
static void denoise(void)
{
	for (int block = 0; block < NR_BLOCKS; block++) {
		const int level = block < NR_BLOCKS / 2 ? block : NR_BLOCKS - 1 - block;
		const unsigned int tokens = 4096u >> (2 * level);
		run(K_group_norm, 64, 1);
		run(K_silu, tokens, 1);
		run(K_convolution, tokens / 16, 5);
		run(K_layer_norm, tokens, 1);
		run(K_gemm, tokens / 16, 3);
		run(K_attention, (tokens + 127) / 128, 16);
		run(K_gemm, tokens / 16, 1);
		run(K_cross_attention, (tokens + 63) / 64, 16);
		run(K_add, tokens, 1);
		if (block >= NR_BLOCKS / 2)
			run(K_upsample, tokens, 1);
	}
}

static void decode(void)
{
	for (unsigned int size = 64; size <= 512; size *= 2) {
		run(K_group_norm, 64, 1);
		run(K_silu, size * size / 16, 1);
		run(K_convolution, size * size / 64, 4);
		run(K_upsample, size * size / 16, 1);
	}
}

static CUgraphExec capture_step(void)
{
	CUgraph graph = NULL;
	CUgraphExec exec = NULL;
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	denoise();
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	CHECK(cu.cuGraphDestroy(graph));
	return exec;
}

int main(void)
{
	unsigned char latents[64] = { 1 };
	CUdeviceptr memory = 0;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	load();
	CHECK(cu.cuMemAlloc_v2(&memory, sizeof(latents)));
	CHECK(cu.cuMemcpyHtoDAsync_v2(memory, latents, sizeof(latents), stream));
	encode_text();
	for (int step = 0; step < NR_EAGER; step++)
		denoise();
	CUgraphExec exec = capture_step();
	for (int step = NR_EAGER; step < NR_STEPS; step++)
		CHECK(cu.cuGraphLaunch(exec, stream));
	decode();
	CHECK(cu.cuMemcpyDtoHAsync_v2(latents, memory, sizeof(latents), stream));
	CHECK(cu.cuStreamSynchronize(stream));
	CHECK(cu.cuGraphExecDestroy(exec));
	printf("an image of %d steps\n", NR_STEPS);
	return 0;
}
