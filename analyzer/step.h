/* SPDX-License-Identifier: Apache-2.0 */
/* step.h - what a kernel means to those that run before and behind it on its stream. */
#ifndef ANALYZER_STEP_H
#define ANALYZER_STEP_H

#include "works.h"

enum step {
	STEP_other,
	STEP_conv,       /* computes a convolution, or prepares nothing else */
	STEP_layout_in,  /* prepares what a convolution reads, as cuDNN does */
	STEP_layout_out, /* brings its result back */
	STEP_gemm,
	STEP_gemm_plain, /* may be a convolution's, if a bias is added behind it */
	STEP_tail,       /* adds up the parts of the gemm before */
	STEP_softmax,
	STEP_attention,
	STEP_broadcast_add, /* adds a bias, among others */
	STEP_elementwise,
	STEP_reduction,
	STEP_copy,
	STEP_strided_copy, /* changes a layout, as contiguous() does */
	STEP_norm,
	STEP_sampling,
	STEP_fill,
};

enum step step_of_work(const struct work *w); /* accepts NULL */

#endif
