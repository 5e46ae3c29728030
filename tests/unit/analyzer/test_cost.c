/* SPDX-License-Identifier: Apache-2.0 */
/* FLOPs and bytes of real layers, against torch.utils.flop_counter and the published figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/cost.h"
#include "analyzer/peaks.h"

static void assert_near(double value, double wanted)
{
	if (fabs(value - wanted) > 1e-6 * fabs(wanted))
		fail_msg("%.9g, not %.9g", value, wanted);
}

static struct dims dims4(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return (struct dims){ .nr = 4, .v = { a, b, c, d } };
}

static struct cost cost_of_gemm(uint64_t m, uint64_t n, uint64_t k, uint64_t batch)
{
	const struct call call = { .kind = CALL_GEMM,
				   .gemm = { .m = m,
					     .n = n,
					     .k = k,
					     .batch = batch,
					     .type_a = TYPE_f16,
					     .type_b = TYPE_f16,
					     .type_d = TYPE_f16 } };
	struct cost cost;

	assert_true(cost_of_call(&call, &cost));
	return cost;
}

static void a_gemm_multiplies_and_adds(void **state)
{
	const struct cost cost = cost_of_gemm(320, 8192, 1280, 1);

	(void)state;
	assert_near(cost.flops, 2.0 * 320 * 8192 * 1280);
	assert_near(cost.bytes, 2.0 * (320.0 * 1280 + 1280.0 * 8192 + 320.0 * 8192));
	assert_near(cost.parameter_bytes, 2.0 * 320 * 1280);
}

static struct cost cost_of_conv(uint64_t direction, struct dims x, struct dims w, struct dims y)
{
	const struct call call = { .kind = CALL_CONVOLUTION,
				   .convolution = { .direction = direction,
						    .x = x,
						    .w = w,
						    .y = y,
						    .type_x = TYPE_f16,
						    .type_w = TYPE_f16,
						    .type_y = TYPE_f16 } };
	struct cost cost;

	assert_true(cost_of_call(&call, &cost));
	return cost;
}

static void convolutions_count_what_they_write(void **state)
{
	/* conv_in of SD 1.5 */
	struct cost cost =
		cost_of_conv(0, dims4(2, 4, 64, 64), dims4(320, 4, 3, 3), dims4(2, 320, 64, 64));

	(void)state;
	assert_near(cost.flops, 2.0 * 2 * 320 * 64 * 64 * 4 * 9);
	/* in groups: each channel by itself */
	cost = cost_of_conv(0, dims4(1, 64, 32, 32), dims4(64, 1, 3, 3), dims4(1, 64, 32, 32));
	assert_near(cost.flops, 2.0 * 64 * 32 * 32 * 9);
	/* transposed: y is what it reads, every element of it meets the whole window */
	cost = cost_of_conv(1, dims4(1, 32, 16, 16), dims4(64, 32, 2, 2), dims4(1, 64, 8, 8));
	assert_near(cost.flops, 2.0 * 64 * 8 * 8 * 32 * 4);
}

/* SD 1.5, one forward at 512 pixels, batch 2: pairs of self and cross attention by level. */
static void attention_of_stable_diffusion_is_that_of_the_flop_counter(void **state)
{
	static const struct {
		uint64_t s_q, d, nr;
	} levels[] = { { 4096, 40, 5 }, { 1024, 80, 5 }, { 256, 160, 5 }, { 64, 160, 1 } };
	double self = 0, cross = 0, matrices = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct attention a = { .b = 2,
				       .h = 8,
				       .h_kv = 8,
				       .s_q = levels[i].s_q,
				       .s_k = levels[i].s_q,
				       .d = levels[i].d,
				       .d_v = levels[i].d,
				       .type = TYPE_f16,
				       .exactness = EXACTNESS_exact };
		struct cost cost, softmax;

		assert_true(cost_of_attention(&a, PART_none, &cost));
		assert_true(cost_of_attention(&a, PART_softmax, &softmax));
		self += (double)levels[i].nr * cost.flops;
		matrices += (double)levels[i].nr * softmax.bytes;
		a.s_k = 77;
		assert_true(cost_of_attention(&a, PART_none, &cost));
		assert_true(cost_of_attention(&a, PART_softmax, &softmax));
		cross += (double)levels[i].nr * cost.flops;
		matrices += (double)levels[i].nr * softmax.bytes;
	}
	assert_near(self + cross, 252104540160.0);
	assert_true(fabs(self / 2 - 122.5e9) < 0.05e9);
	assert_true(fabs(cross / 2 - 3.56e9) < 0.005e9);
	/* 183,070,848 bytes of similarity matrices a head; softmax reads and writes them. */
	assert_near(matrices, 2 * 2.0 * 8 * 183070848);
}

static void parts_of_attention_add_up_to_the_whole(void **state)
{
	const struct attention a = { .b = 1,
				     .h = 1,
				     .h_kv = 1,
				     .s_q = 4096,
				     .s_k = 4096,
				     .d = 512,
				     .d_v = 512,
				     .type = TYPE_f16,
				     .exactness = EXACTNESS_exact };
	struct cost whole, scores, values, fused;

	(void)state;
	assert_true(cost_of_attention(&a, PART_none, &whole));
	assert_true(cost_of_attention(&a, PART_scores, &scores));
	assert_true(cost_of_attention(&a, PART_values, &values));
	assert_near(whole.flops, 34359738368.0); /* SD's image decoder */
	assert_near(scores.flops + values.flops, whole.flops);
	assert_true(cost_of_attention(&a, PART_none, &fused));
	assert_near(fused.bytes, 2.0 * 4 * 4096 * 512);
}

static void what_is_not_known_has_no_cost(void **state)
{
	const struct attention a = { .s_k = 77 };
	const struct call call = { .kind = CALL_OPERATION };
	struct cost cost;

	(void)state;
	assert_false(cost_of_attention(&a, PART_none, &cost));
	assert_false(cost_of_call(&call, &cost));
}

static void an_sdpa_call_says_its_shape(void **state)
{
	const struct call c = { .kind = CALL_SDPA,
				.sdpa = { .q = dims4(1, 32, 512, 128),
					  .k = dims4(1, 8, 128, 700), /* transposed */
					  .v = dims4(1, 8, 700, 128),
					  .type = TYPE_bf16 } };
	struct attention a;

	(void)state;
	assert_true(attention_of_sdpa(&c, &a));
	assert_int_equal(a.s_q, 512);
	assert_int_equal(a.s_k, 700);
	assert_int_equal(a.h_kv, 8);
	assert_int_equal(a.d_v, 128);
}

static void peaks_are_those_of_the_device(void **state)
{
	struct peaks peaks, user = { 0 };

	(void)state;
	peaks_of_device("NVIDIA H200", &peaks);
	assert_near(peaks.flops[UNIT_fp16], 989.5e12);
	assert_near(peaks.bytes, 4.8e12);
	peaks_of_device("NVIDIA A100-SXM4-80GB", &peaks);
	assert_near(peaks.bytes, 2.039e12);
	peaks_of_device("NVIDIA A10", &peaks);
	assert_near(peaks.flops[UNIT_fp16], 125e12);
	peaks_of_device("NVIDIA GB200", &peaks);
	assert_near(peaks.flops[UNIT_fp16], 2500e12);
	peaks_of_device("GPU of the future", &peaks);
	assert_true(peaks_seconds(&peaks, UNIT_fp16, 1e12, 1e9) <= 0);
	assert_true(peaks_set(&user, "fp16=780"));
	assert_true(peaks_set_bandwidth(&user, "4300"));
	assert_false(peaks_set(&user, "fp16="));
	assert_false(peaks_set(&user, "int4=1"));
	assert_false(peaks_set_bandwidth(&user, "-1"));
	peaks_override(&peaks, &user);
	assert_near(peaks_seconds(&peaks, UNIT_fp16, 780e12, 1), 1);
	assert_near(peaks_seconds(&peaks, UNIT_fp16, 1, 4.3e12), 1);
}

static void single_precision_may_run_as_tf32(void **state)
{
	(void)state;
	assert_int_equal(unit_of(TYPE_f32, 68, "ampere_sgemm_128x64_tn"), UNIT_fp32);
	assert_int_equal(unit_of(TYPE_f32, 77, "x"), UNIT_tf32);
	assert_int_equal(unit_of(TYPE_f32, 68, "sm90_xmma_gemm_f32f32_tf32f32_f32"), UNIT_tf32);
	assert_int_equal(unit_of(TYPE_f32, 68, "cutlass::Kernel2<cutlass_80_tensorop_s1688gemm_x>"),
			 UNIT_tf32);
	assert_int_equal(unit_of(TYPE_bf16, 68, "x"), UNIT_fp16);
	assert_int_equal(unit_of(TYPE_f8e4m3, 68, "x"), UNIT_fp8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gemm_multiplies_and_adds),
		cmocka_unit_test(convolutions_count_what_they_write),
		cmocka_unit_test(attention_of_stable_diffusion_is_that_of_the_flop_counter),
		cmocka_unit_test(parts_of_attention_add_up_to_the_whole),
		cmocka_unit_test(what_is_not_known_has_no_cost),
		cmocka_unit_test(an_sdpa_call_says_its_shape),
		cmocka_unit_test(peaks_are_those_of_the_device),
		cmocka_unit_test(single_precision_may_run_as_tf32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
