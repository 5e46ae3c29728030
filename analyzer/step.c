/* SPDX-License-Identifier: Apache-2.0 */
#include "step.h"

#include <ctype.h>
#include <string.h>

#include "attention.h"

static bool is_sub(const struct work *w, const char *sub)
{
	return !strcmp(w->sub, sub);
}

/* Its name says that it adds no bias itself, as a linear layer's with a bias would. */
static bool is_nvjet_plain(const char *name)
{
	return !strncmp(name, "nvjet_", 6) && !strstr(name, "_bias_");
}

/* cutlass and older cuBLAS say _nn_, _nt_ or end so: the first operand is no linear layer's. */
static bool has_plain_letters(const char *name)
{
	for (const char *at = strstr(name, "_n"); at; at = strstr(at + 1, "_n"))
		if ((at[2] == 'n' || at[2] == 't') && !isalnum((unsigned char)at[3]))
			return true;
	return false;
}

static enum step gemm_step(const struct work *w)
{
	const char *name = w->name->text;

	if (is_sub(w, "splitk_reduce"))
		return STEP_tail;
	return is_nvjet_plain(name) || has_plain_letters(name) ? STEP_gemm_plain : STEP_gemm;
}

static enum step layout_step(const struct work *w)
{
	const char *name = w->name->text;

	if (strcasestr(name, "nhwcToNchw"))
		return STEP_layout_out;
	return strcasestr(name, "nchw") || strcasestr(name, "nhwc") || strstr(name, "cudnn")
		       ? STEP_layout_in
		       : STEP_copy;
}

/* The general kernel of ATen: the vectorized one runs where nothing is broadcast. */
static enum step elementwise_step(const struct work *w)
{
	if (is_sub(w, "copy_cast"))
		return strstr(w->name->text, "elementwise_kernel<128,") &&
				       strstr(w->name->text, "direct_copy")
			       ? STEP_strided_copy
			       : STEP_copy;
	if (is_sub(w, "add") && strstr(w->name->text, "elementwise_kernel<128,") &&
	    strstr(w->name->text, "CUDAFunctor_add"))
		return STEP_broadcast_add;
	return STEP_elementwise;
}

enum step step_of_work(const struct work *w)
{
	if (!w)
		return STEP_other;
	switch (w->kind_id) {
	case KIND_conv:
		return STEP_conv;
	case KIND_gemm:
		return gemm_step(w);
	case KIND_layout:
		return layout_step(w);
	case KIND_softmax:
		return STEP_softmax;
	case KIND_attention:
		return attention_is_helper(w->name->text) ? STEP_other : STEP_attention;
	case KIND_elementwise:
		return elementwise_step(w);
	case KIND_reduction:
		return STEP_reduction;
	case KIND_group_norm:
	case KIND_layer_norm:
		return STEP_norm;
	case KIND_sampling:
		return STEP_sampling;
	case KIND_memcpy:
		return STEP_copy;
	case KIND_memset:
		return STEP_fill;
	default:
		return STEP_other;
	}
}
