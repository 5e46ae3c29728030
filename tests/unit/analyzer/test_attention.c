/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes out of parameter bytes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/attention.h"

static uint8_t bytes[4096];
static uint64_t layout[2];

static void put(size_t offset, uint32_t value)
{
	memcpy(bytes + offset, &value, sizeof(value));
}

static void put_float(size_t offset, float value)
{
	memcpy(bytes + offset, &value, sizeof(value));
}

static struct launch_facts facts_of(const char *name, size_t size, uint64_t x, uint64_t y,
				    uint64_t z)
{
	layout[0] = 0;
	layout[1] = size;
	return (struct launch_facts){
		.name = name,
		.grid = { x, y, z },
		.block = { 128, 1, 1 },
		.layout = layout,
		.nr_layout = 2,
		.bytes = bytes,
		.nr_bytes = size,
	};
}

static int set_up(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	return 0;
}

static void assert_shape(const struct attention *a, uint64_t b, uint64_t h, uint64_t s_q,
			 uint64_t s_k, uint64_t d)
{
	assert_int_equal(a->b, b);
	assert_int_equal(a->h, h);
	assert_int_equal(a->s_q, s_q);
	assert_int_equal(a->s_k, s_k);
	assert_int_equal(a->d, d);
}

static const char flash_name[] =
	"pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64,128,128,4,false,false,"
	"cutlass::half_t>,false,false,false,false,false,true,false,false>";

/* q (2, 8, 4000, 40), k (2, 8, 77, 40) as PyTorch 2.11 passes it */
static void put_flash2(size_t scale_at)
{
	put(96, 8);
	put(100, 8);
	put(104, 1);
	put(176, 2);
	put(180, 4000);
	put(184, 77);
	put(192, 40);
	put(196, 4096);
	put(200, 128);
	put(204, 64);
	put_float(scale_at, 0.158F);
}

static void flash2_of_each_build_is_exact(void **state)
{
	static const struct {
		size_t size, scale;
	} builds[] = { { 448, 212 }, { 456, 212 }, { 456, 216 }, { 464, 216 }, { 472, 216 } };

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
		const struct launch_facts facts = facts_of(flash_name, builds[i].size, 32, 2, 8);
		struct attention a;

		set_up(NULL);
		put_flash2(builds[i].scale);
		assert_true(attention_decode(&facts, &a));
		assert_shape(&a, 2, 8, 4000, 77, 40);
		assert_int_equal(a.h_kv, 8);
		assert_int_equal(a.d_v, 40);
		assert_int_equal(a.exactness, EXACTNESS_exact);
		assert_int_equal(a.backend, BACKEND_flash2);
		assert_int_equal(a.type, TYPE_f16);
		assert_int_equal(attention_role(&a), ROLE_cross);
	}
}

static void flash2_with_strides_of_32_bits_is_exact(void **state)
{
	const struct launch_facts facts = facts_of(flash_name, 336, 8, 4, 16);
	struct attention a;

	(void)state;
	put(60, 16);
	put(64, 4);
	put(68, 4);
	put(128, 4);
	put(132, 1000);
	put(136, 1000);
	put(144, 64);
	put(148, 1024);
	put(152, 1024);
	put(156, 64);
	put_float(164, 0.125F);
	bytes[329] = 1;
	assert_true(attention_decode(&facts, &a));
	assert_shape(&a, 4, 16, 1000, 1000, 64);
	assert_int_equal(a.h_kv, 4);
	assert_true(a.causal);
	assert_int_equal(attention_role(&a), ROLE_prefill);
}

static void lengths_on_the_device_are_upper_bounds(void **state)
{
	const struct launch_facts facts = facts_of(flash_name, 472, 32, 2, 8);
	struct attention a;

	(void)state;
	put_flash2(216);
	put(224, 1); /* cu_seqlens_q: recorded as a pointer that is set */
	assert_true(attention_decode(&facts, &a));
	assert_int_equal(a.exactness, EXACTNESS_upper_bound);
}

static void swapped_groups_of_one_query_are_swapped_back(void **state)
{
	const struct launch_facts facts = facts_of(flash_name, 472, 1, 2, 8);
	struct attention a;

	(void)state;
	put_flash2(216);
	put(180, 4); /* 4 heads share keys: one query of 32 heads */
	put(196, 128);
	put(184, 500);
	put(200, 512);
	bytes[465] = 1;
	assert_true(attention_decode(&facts, &a));
	assert_shape(&a, 2, 32, 1, 500, 40);
	assert_int_equal(a.h_kv, 8);
	assert_int_equal(attention_role(&a), ROLE_decode);
}

static void what_contradicts_itself_is_refused(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} lies[] = { { 104, 2 }, { 196, 4000 }, { 200, 77 }, { 204, 32 }, { 216, 0 },
		     { 176, 0 }, { 180, 0 },    { 100, 3 },  { 192, 0 },  { 184, 1u << 30 } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		const struct launch_facts facts = facts_of(flash_name, 472, 32, 2, 8);
		struct attention a;

		set_up(NULL);
		put_flash2(216);
		put(lies[i].offset, lies[i].value);
		assert_false(attention_decode(&facts, &a));
	}
}

static void a_combine_kernel_is_no_attention_of_its_own(void **state)
{
	const struct launch_facts facts =
		facts_of("pytorch_flash::flash_fwd_splitkv_combine_kernel<x>", 472, 1, 1, 1);
	struct attention a;

	(void)state;
	put_flash2(216);
	assert_false(attention_decode(&facts, &a));
}

static void parameters_that_were_not_kept_give_nothing(void **state)
{
	struct launch_facts facts = facts_of(flash_name, 472, 1, 1, 1);
	struct attention a;

	(void)state;
	facts.bytes = NULL;
	facts.nr_bytes = 0;
	assert_false(attention_decode(&facts, &a));
	facts.bytes = bytes;
	facts.nr_bytes = 100; /* cut */
	assert_false(attention_decode(&facts, &a));
}

static const char efficient_name[] = "fmha_cutlassF_f16_aligned_64x128_rf_sm80";

/* The three forms of 272 bytes differ by where the numbers begin; the grid tells them apart. */
static void memory_efficient_forms_are_told_apart(void **state)
{
	static const struct {
		size_t d, b;
	} forms[] = { { 96, 192 }, { 100, 200 }, { 104, 200 } };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const struct launch_facts facts = facts_of(efficient_name, 272, 16, 10, 2);
		struct attention a;

		set_up(NULL);
		put(forms[i].d, 64);
		put(forms[i].d + 4, 64);
		put(forms[i].d + 8, 1021);
		put(forms[i].d + 12, 1020);
		put(forms[i].b, 2);
		put(forms[i].b + 4, 10);
		assert_true(attention_decode(&facts, &a));
		assert_shape(&a, 2, 10, 1021, 1020, 64);
		assert_int_equal(a.backend, BACKEND_efficient);
	}
}

static void memory_efficient_must_fit_its_grid(void **state)
{
	const struct launch_facts facts = facts_of(efficient_name, 272, 17, 10, 2);
	struct attention a;

	(void)state;
	put(96, 64);
	put(100, 64);
	put(104, 1021);
	put(108, 1020);
	put(192, 2);
	put(196, 10);
	assert_false(attention_decode(&facts, &a));
}

static void cudnn_has_its_shape_in_the_first_parameter(void **state)
{
	const struct launch_facts facts = facts_of("cudnn_generated_fort_native_sdpa_sm90_flash_"
						   "fprop_wgmma_f16_knob_7_64x128x64_4x1x1",
						   40, 132, 1, 1);
	static const uint32_t values[] = { 2, 8, 8, 8, 4096, 77, 40, 40 };
	struct attention a;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		put(4 * i, values[i]);
	assert_true(attention_decode(&facts, &a));
	assert_shape(&a, 2, 8, 4096, 77, 40);
	assert_int_equal(a.type, TYPE_f16);
	put(12, 3);
	assert_false(attention_decode(&facts, &a));
}

static const char flash3_name[] =
	"cutlass::device_kernel<flash::enable_sm90<flash::FlashAttnFwdSm90<...bfloat16_t>>>";

static void flash3_repeats_its_shape_or_packs_heads(void **state)
{
	const struct launch_facts facts = facts_of(flash3_name, 2944, 132, 1, 1);
	static const uint32_t shape[] = { 4608, 128, 24, 2 };
	struct attention a;

	(void)state;
	memcpy(bytes + 8, shape, sizeof(shape));
	memcpy(bytes + 48, shape, sizeof(shape));
	memcpy(bytes + 96, shape, sizeof(shape));
	assert_true(attention_decode(&facts, &a));
	assert_shape(&a, 2, 24, 4608, 4608, 128);
	assert_int_equal(a.type, TYPE_bf16);

	set_up(NULL);
	memcpy(bytes + 8, shape, sizeof(shape));
	put(48, 3); /* 24 heads share the keys of 8 */
	put(52, 4608);
	put(112, 1024);
	put(116, 128);
	put(120, 8);
	put(124, 2);
	assert_true(attention_decode(&facts, &a));
	assert_shape(&a, 2, 24, 4608, 1024, 128);
	assert_int_equal(a.h_kv, 8);
}

static void sage_takes_heads_from_its_grid(void **state)
{
	const struct launch_facts facts =
		facts_of("qk_int_sv_f16_attn_kernel<128,64,32,64,64,int8_t,half>", 8, 32, 16, 2);
	struct launch_facts all = facts;
	struct attention a;

	(void)state;
	all.nr_bytes = 96;
	put(64, 4096);
	put(68, 4096);
	put(72, 4);
	assert_true(attention_decode(&all, &a));
	assert_shape(&a, 2, 16, 4096, 4096, 64);
	assert_int_equal(a.h_kv, 4);
	put(64, 5000);
	assert_false(attention_decode(&all, &a));
}

static void softmax_kernels_say_their_rows(void **state)
{
	struct launch_facts facts =
		facts_of("softmax_warp_forward<half,half,float,9,false>", 8, 2, 1, 1);
	uint64_t rows, length;

	(void)state;
	facts.nr_bytes = 48;
	put(16, 60);
	put(20, 5);
	put(24, 5);
	assert_true(softmax_decode(&facts, &rows, &length));
	assert_int_equal(rows, 60);
	assert_int_equal(length, 5);
	facts = facts_of("at::native::cunn_SoftMaxForwardSmem<8,float>", 8, 82960, 1, 1);
	facts.nr_bytes = 24;
	put(16, 5185);
	assert_true(softmax_decode(&facts, &rows, &length));
	assert_int_equal(rows, 82960);
	assert_int_equal(length, 5185);
	facts.name = "softmax_of_somebody_else";
	assert_false(softmax_decode(&facts, &rows, &length));
}

static void assert_role(enum role role, struct attention a)
{
	a.exactness = EXACTNESS_exact;
	a.h_kv = a.h;
	a.d_v = a.d;
	assert_int_equal(attention_role(&a), role);
}

static void roles_follow_from_shapes(void **state)
{
	(void)state;
	assert_role(ROLE_self,
		    (struct attention){ .b = 2, .h = 8, .s_q = 4096, .s_k = 4096, .d = 40 });
	assert_role(ROLE_self,
		    (struct attention){ .b = 2, .h = 8, .s_q = 64, .s_k = 64, .d = 160 });
	assert_role(ROLE_cross,
		    (struct attention){ .b = 2, .h = 8, .s_q = 4096, .s_k = 77, .d = 40 });
	assert_role(ROLE_temporal,
		    (struct attention){ .b = 2048, .h = 5, .s_q = 16, .s_k = 16, .d = 64 });
	/* a spatial one of the same length: the middle block of 16 frames */
	assert_role(ROLE_self,
		    (struct attention){ .b = 32, .h = 20, .s_q = 16, .s_k = 16, .d = 64 });
	assert_role(ROLE_joint,
		    (struct attention){ .b = 1, .h = 24, .s_q = 4608, .s_k = 4608, .d = 128 });
	assert_role(ROLE_joint,
		    (struct attention){ .b = 2, .h = 24, .s_q = 4429, .s_k = 4429, .d = 64 });
	assert_role(ROLE_spatio_temporal,
		    (struct attention){ .b = 1, .h = 12, .s_q = 32760, .s_k = 32760, .d = 128 });
	assert_role(ROLE_cross,
		    (struct attention){ .b = 1, .h = 12, .s_q = 32760, .s_k = 512, .d = 128 });
	assert_role(ROLE_decode,
		    (struct attention){ .b = 1, .h = 32, .s_q = 1, .s_k = 513, .d = 128 });
	assert_role(ROLE_prefill,
		    (struct attention){
			    .b = 1, .h = 32, .s_q = 512, .s_k = 512, .d = 128, .causal = true });
	assert_role(ROLE_vae,
		    (struct attention){ .b = 1, .h = 1, .s_q = 4096, .s_k = 4096, .d = 512 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(flash2_of_each_build_is_exact, set_up),
		cmocka_unit_test_setup(flash2_with_strides_of_32_bits_is_exact, set_up),
		cmocka_unit_test_setup(lengths_on_the_device_are_upper_bounds, set_up),
		cmocka_unit_test_setup(swapped_groups_of_one_query_are_swapped_back, set_up),
		cmocka_unit_test_setup(what_contradicts_itself_is_refused, set_up),
		cmocka_unit_test_setup(a_combine_kernel_is_no_attention_of_its_own, set_up),
		cmocka_unit_test_setup(parameters_that_were_not_kept_give_nothing, set_up),
		cmocka_unit_test_setup(memory_efficient_forms_are_told_apart, set_up),
		cmocka_unit_test_setup(memory_efficient_must_fit_its_grid, set_up),
		cmocka_unit_test_setup(cudnn_has_its_shape_in_the_first_parameter, set_up),
		cmocka_unit_test_setup(flash3_repeats_its_shape_or_packs_heads, set_up),
		cmocka_unit_test_setup(sage_takes_heads_from_its_grid, set_up),
		cmocka_unit_test_setup(softmax_kernels_say_their_rows, set_up),
		cmocka_unit_test(roles_follow_from_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
