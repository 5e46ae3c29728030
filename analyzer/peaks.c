/* SPDX-License-Identifier: Apache-2.0 */
#include "peaks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* cublasComputeType_t */
enum { COMPUTE_FAST_TF32 = 77 };

static const struct gpu {
	const char *word;
	double tflops[NR_UNITS], gbytes, memory_gbytes;
} gpus[] = {
#define GPU(in_word, fp16, tf32, fp32, fp64, fp8, int8, in_gbytes, in_memory) \
	{ .word = (in_word),                                                  \
	  .tflops = { fp16, tf32, fp32, fp64, fp8, int8 },                    \
	  .gbytes = (in_gbytes),                                              \
	  .memory_gbytes = (in_memory) },
#include "gpus.def"
#undef GPU
};

static const char *const unit_names[NR_UNITS] = { "fp16", "tf32", "fp32", "fp64", "fp8", "int8" };

const char *unit_name(enum unit u)
{
	return unit_names[u];
}

void peaks_of_device(const char *name, struct peaks *ret)
{
	*ret = (struct peaks){ 0 };
	for (size_t i = 0; name && i < sizeof(gpus) / sizeof(*gpus); i++) {
		if (!strstr(name, gpus[i].word))
			continue;
		ret->gpu = gpus[i].word;
		ret->bytes = 1e9 * gpus[i].gbytes;
		ret->memory_bytes = 1e9 * gpus[i].memory_gbytes;
		for (enum unit u = 0; u < NR_UNITS; u++)
			ret->flops[u] = 1e12 * gpus[i].tflops[u];
		return;
	}
}

static bool is_positive(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return end != text && !*end && *ret > 0 && *ret < 1e9;
}

bool peaks_set(struct peaks *user, const char *text)
{
	double value;

	for (enum unit u = 0; u < NR_UNITS; u++) {
		const size_t n = strlen(unit_names[u]);

		if (strncmp(text, unit_names[u], n) != 0 || text[n] != '=' ||
		    !is_positive(text + n + 1, &value))
			continue;
		user->flops[u] = 1e12 * value;
		user->is_measured[u] = true;
		return true;
	}
	return false;
}

bool peaks_set_bandwidth(struct peaks *user, const char *text)
{
	double value;

	if (!is_positive(text, &value))
		return false;
	user->bytes = 1e9 * value;
	user->is_measured_bytes = true;
	return true;
}

void peaks_override(struct peaks *p, const struct peaks *user)
{
	for (enum unit u = 0; u < NR_UNITS; u++)
		if (user->is_measured[u]) {
			p->flops[u] = user->flops[u];
			p->is_measured[u] = true;
		}
	if (user->is_measured_bytes) {
		p->bytes = user->bytes;
		p->is_measured_bytes = true;
	}
}

/* Words of kernels that multiply fp32 with tensor cores: the call asks for fp32 all the same. */
static bool is_tf32_kernel(const char *kernel)
{
	return strstr(kernel, "tf32") || strstr(kernel, "tensorop_s1688") ||
	       !strncmp(kernel, "nvjet_", 6);
}

enum unit unit_of(enum type t, uint64_t compute, const char *kernel)
{
	switch (t) {
	case TYPE_f16:
	case TYPE_bf16:
		return UNIT_fp16;
	case TYPE_f8e4m3:
	case TYPE_f8e5m2:
	case TYPE_f4e2m1:
		return UNIT_fp8;
	case TYPE_i8:
	case TYPE_u8:
		return UNIT_int8;
	case TYPE_f64:
	case TYPE_c64:
		return UNIT_fp64;
	default:
		return compute == COMPUTE_FAST_TF32 || is_tf32_kernel(kernel) ? UNIT_tf32
									      : UNIT_fp32;
	}
}

double peaks_seconds(const struct peaks *p, enum unit u, double flops, double bytes)
{
	const double compute = p->flops[u] > 0 ? flops / p->flops[u] : 0;
	const double memory = p->bytes > 0 ? bytes / p->bytes : 0;

	if (p->flops[u] <= 0 || p->bytes <= 0)
		return 0;
	return compute > memory ? compute : memory;
}
