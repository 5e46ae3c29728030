/* SPDX-License-Identifier: Apache-2.0 */
/* What launches say about those around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/sequence.h"

static const char gemm_name[] = "nvjet_sm90_hsh_64x8_64x16_2x4_h_bz_bias_TNT";
static const char scores_name[] = "nvjet_sm90_hsh_256x128_64x4_1x2_h_bz_coopA_TNT";
static const char values_name[] = "nvjet_sm90_hsh_96x128_64x6_1x2_h_bz_NNN";
static const char softmax_name[] = "void softmax_warp_forward<half, half, float, 9>(half*)";
static const char mul_name[] = "void at::native::vectorized_elementwise_kernel<4, "
			       "at::native::AUnaryFunctor<float, float, float, "
			       "at::native::binary_internal::MulFunctor<float> > >(int)";
static const char add_name[] = "void at::native::elementwise_kernel<128, 4, "
			       "at::native::gpu_kernel_impl_nocast<at::native::CUDAFunctor_add<"
			       "c10::Half> > >(int)";
static const char to_nhwc_name[] = "void cudnn::engines_precompiled::nchwToNhwcKernel<half>(int)";
static const char conv_name[] = "sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc";
static const char to_nchw_name[] = "void cudnn::engines_precompiled::nhwcToNchwKernel<half>(int)";
static const char tail_name[] = "void cublasLt::splitKreduce_kernel<32, 16, int>(int)";

static struct names *names;
static struct classifier *classifier;
static struct works *works;
static struct model model;
static struct pairs pairs;
static struct sequence sequence;
static struct sequence_world world;
static uint64_t next_id;

static int set_up(void **state)
{
	(void)state;
	names = names_new();
	classifier = classifier_new();
	works = works_new(names, classifier);
	sequence = (struct sequence){ 0 };
	world = (struct sequence_world){ .model = &model, .pairs = &pairs };
	next_id = 1;
	return model_init(&model, names, works) < 0 || pairs_init(&pairs) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	pairs_clear(&pairs);
	model_clear(&model);
	works_free(works);
	classifier_free(classifier);
	names_free(names);
	return 0;
}

static void take(uint64_t kind, union record_fields fields)
{
	assert_int_equal(model_take(&model, kind, &fields), 0);
}

static uint64_t gemm(uint64_t m, uint64_t n, uint64_t k, uint64_t batch, uint64_t ld_b)
{
	const uint64_t id = next_id++;

	take(TTI_RECORD_GEMM, (union record_fields){ .gemm = { .id = id,
							       .m = m,
							       .n = n,
							       .k = k,
							       .batch = batch,
							       .type_a = 2,
							       .ld_b = ld_b } });
	return id;
}

/* A launch of a kernel in a call, from a line of Python (0: not known). */
static void launch_from(const char *name, uint64_t call, uint64_t path)
{
	const uint64_t id = next_id++;
	struct sequence_entry entry = { 0 };

	take(TTI_RECORD_STRING,
	     (union record_fields){ .string = { .id = id, .text = { name, strlen(name) } } });
	take(TTI_RECORD_KERNEL, (union record_fields){ .kernel = { .id = id, .name = id } });
	if (path && !id_map_find(&model.python_frame_ids, path))
		take(TTI_RECORD_PYTHON_FRAME,
		     (union record_fields){ .python_frame = { .id = path, .line = path } });
	take(TTI_RECORD_TEMPLATE, (union record_fields){ .template = { .id = id,
								       .op = TTI_OP_LAUNCH,
								       .kernel = id,
								       .call = call,
								       .path = path } });
	entry.template = id_map_find(&model.template_ids, id);
	entry.step = (enum step)model.templates.rows[entry.template].step;
	sequence_push(&sequence, &world, &entry);
}

static void launch(const char *name, uint64_t call)
{
	launch_from(name, call, 0);
}

/* Of the launches so far, in order; every one leaves. */
static struct hint leave(void)
{
	if (sequence.nr_left == 0)
		sequence_end(&sequence, &world);
	return sequence_leave(&sequence, &world)->hint;
}

static void assert_next(enum operator op)
{
	const struct hint hint = leave();

	assert_true(hint.has_operator);
	assert_int_equal(hint.op, op);
}

static void assert_next_is_open(void)
{
	assert_false(leave().has_operator);
}

static void products_are_linked_by_their_shapes(void **state)
{
	const uint64_t linear = gemm(320, 512, 768, 1, 768);
	const uint64_t scores = gemm(77, 256, 64, 16, 64), values = gemm(64, 256, 77, 16, 77);
	struct hint hint;

	(void)state;
	launch(gemm_name, linear);
	launch(scores_name, scores);
	launch(gemm_name, linear); /* whatever stands between */
	launch(mul_name, 0);
	launch(softmax_name, 0);
	launch(gemm_name, linear);
	launch(values_name, values);
	assert_next_is_open();
	hint = leave();
	assert_int_equal(hint.part, PART_scores);
	assert_int_equal(pairs.attentions[hint.attention].s_q, 256);
	assert_int_equal(pairs.attentions[hint.attention].s_k, 77);
	assert_int_equal(pairs.attentions[hint.attention].d, 64);
	assert_int_equal(pairs.attentions[hint.attention].b, 16);
	assert_true(pairs.attentions[hint.attention].heads_in_batch);
	assert_int_equal(pairs.attentions[hint.attention].exactness, EXACTNESS_exact);
	assert_next_is_open();
	assert_next_is_open();
	assert_int_equal(leave().part, PART_softmax);
	assert_next_is_open();
	assert_int_equal(leave().part, PART_values);
}

static void heads_are_told_by_the_strides_of_queries(void **state)
{
	const uint64_t scores = gemm(256, 256, 64, 16, 8 * 64);
	const uint64_t values = gemm(64, 256, 256, 16, 256);
	struct hint hint;

	(void)state;
	launch(scores_name, scores);
	launch(softmax_name, 0);
	launch(values_name, values);
	hint = leave();
	assert_int_equal(pairs.attentions[hint.attention].b, 2);
	assert_int_equal(pairs.attentions[hint.attention].h, 8);
	assert_false(pairs.attentions[hint.attention].heads_in_batch);
}

static void other_batches_or_lengths_are_not_linked(void **state)
{
	(void)state;
	launch(scores_name, gemm(256, 256, 64, 16, 64));
	launch(softmax_name, 0);
	launch(values_name, gemm(64, 256, 256, 8, 256));
	launch(softmax_name, 0);
	launch(values_name, gemm(64, 256, 128, 16, 128));
	for (int i = 0; i < 5; i++)
		assert_int_equal(leave().part, PART_none);
}

static void without_calls_the_order_links(void **state)
{
	(void)state;
	launch(gemm_name, 0);
	launch(scores_name, 0);
	launch(add_name, 0); /* a mask, no bias of a convolution */
	launch(softmax_name, 0);
	launch(values_name, 0);
	assert_next_is_open();
	assert_next(OPERATOR_attention);
	assert_next_is_open();
	assert_next(OPERATOR_attention);
	assert_next(OPERATOR_attention);
}

static void a_softmax_alone_is_no_attention(void **state)
{
	(void)state;
	launch(gemm_name, 0);
	launch(softmax_name, 0);
	launch(conv_name, 0);
	launch(gemm_name, 0);
	assert_next_is_open();
	assert_next_is_open();
}

static void one_line_of_python_is_attention_as_a_whole(void **state)
{
	(void)state;
	launch_from(mul_name, 0, 6);
	launch_from(mul_name, 0, 7);
	launch_from(scores_name, gemm(256, 256, 64, 16, 64), 7);
	launch_from(softmax_name, 0, 7);
	launch_from(values_name, gemm(64, 256, 256, 16, 256), 7);
	launch_from(mul_name, 0, 7);
	launch_from(mul_name, 0, 8);
	assert_next_is_open();
	for (int i = 0; i < 5; i++)
		assert_next(OPERATOR_attention);
	assert_next_is_open();
}

static void layouts_and_bias_belong_to_their_convolution(void **state)
{
	(void)state;
	launch(mul_name, 0);
	launch(to_nhwc_name, 0);
	launch(to_nhwc_name, 0);
	launch(conv_name, 0);
	launch(to_nchw_name, 0);
	launch(add_name, 0);
	launch(add_name, 0); /* of something else */
	assert_next_is_open();
	assert_next(OPERATOR_convolution);
	assert_next(OPERATOR_convolution);
	assert_next_is_open(); /* its name says it */
	assert_next(OPERATOR_convolution);
	assert_next(OPERATOR_convolution);
	assert_next_is_open();
}

static void a_product_between_layouts_is_a_convolution(void **state)
{
	(void)state;
	launch(to_nhwc_name, 0);
	launch(gemm_name, 0);
	launch(tail_name, 0);
	launch(gemm_name, 0);
	launch(tail_name, 0);
	assert_next(OPERATOR_convolution);
	assert_next(OPERATOR_convolution);
	assert_next(OPERATOR_convolution);
	assert_next_is_open();
	assert_next_is_open();
}

/* One kernel of each execution of a problem stands for it. */
static void every_execution_has_one_principal(void **state)
{
	const uint64_t linear = gemm(320, 512, 320, 1, 320);

	(void)state;
	launch_from(gemm_name, linear, 3); /* q, k and v have one problem */
	launch_from(tail_name, linear, 3);
	launch_from(gemm_name, linear, 4);
	launch_from(tail_name, linear, 4);
	launch_from(gemm_name, linear, 5);
	assert_true(leave().is_principal);
	assert_false(leave().is_principal);
	assert_true(leave().is_principal);
	assert_false(leave().is_principal);
	assert_true(leave().is_principal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(products_are_linked_by_their_shapes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(heads_are_told_by_the_strides_of_queries, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(other_batches_or_lengths_are_not_linked, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_calls_the_order_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_softmax_alone_is_no_attention, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_line_of_python_is_attention_as_a_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(layouts_and_bias_belong_to_their_convolution,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_product_between_layouts_is_a_convolution, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_execution_has_one_principal, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
