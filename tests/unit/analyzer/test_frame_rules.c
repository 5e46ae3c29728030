/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of PyTorch -> operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/frame_rules.h"

static void every_row_takes_its_sample(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_frame_rules; i++) {
		const struct frame_rule *rule = frame_rule_of(frame_rules[i].sample);

		if (rule != &frame_rules[i])
			fail_msg("'%s' is taken by %s", frame_rules[i].sample,
				 rule ? rule->operation : "none");
	}
}

/* symbols from the innermost to the outermost, ended by NULL */
static enum operator operator_of(const char *const *symbols)
{
	struct frame_verdict verdict = { 0 };
	const struct frame_rule *rule;

	for (; *symbols; symbols++)
		frame_verdict_add(&verdict, *symbols);
	rule = frame_verdict_of(&verdict);
	return rule ? rule->op : OPERATOR_unknown;
}

#define STACK(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void the_outermost_strong_operation_decides(void **state)
{
	(void)state;
	assert_int_equal(operator_of(STACK("_ZN2at6native3fooEv", "_ZN2at4_ops11add__Tensor4callE",
					   "_ZN2at4_ops12_convolution10redispatchE",
					   "_ZN2at4_ops6conv2d4callE", "main")),
			 OPERATOR_convolution);
	assert_int_equal(operator_of(STACK("_ZN2at4_ops3bmm4callE",
					   "_ZN2at4_ops35_scaled_dot_product_attention_math4callE",
					   "_ZN2at4_ops28scaled_dot_product_attention4callE")),
			 OPERATOR_attention);
	assert_int_equal(operator_of(STACK("_ZN2at4_ops5copy_4callE", "_ZN2at4_ops3any4callE")),
			 OPERATOR_reduction);
}

static void without_one_the_innermost_decides(void **state)
{
	(void)state;
	assert_int_equal(operator_of(STACK("_ZN2at4_ops5copy_4callE",
					   "_ZN2at4_ops11masked_fill4callE")),
			 OPERATOR_memory);
	assert_int_equal(operator_of(STACK("_ZN2at4_ops10where_self4callE")), OPERATOR_elementwise);
}

static void overloads_do_not_become_other_operations(void **state)
{
	(void)state;
	assert_int_equal(operator_of(STACK("_ZN2at4_ops10max_pool2d4callE")), OPERATOR_resample);
	assert_int_equal(operator_of(STACK("_ZN2at4_ops7max_dim4callE")), OPERATOR_reduction);
	assert_int_equal(operator_of(STACK("at::_ops::softmax_int::call(at::Tensor const&)")),
			 OPERATOR_softmax);
	assert_int_equal(operator_of(STACK("_ZN2at4_ops15to_dtype_layout4callE")), OPERATOR_memory);
}

static void what_is_no_operation_says_nothing(void **state)
{
	(void)state;
	assert_null(frame_rule_of(""));
	assert_null(frame_rule_of("_ZN2at4_ops"));
	assert_null(frame_rule_of("_ZN2at4_ops99999999999999999999conv2d4callE"));
	assert_null(frame_rule_of("_ZN2at4_ops400conv2d4callE"));
	assert_null(frame_rule_of("_ZN2at4_ops9my_conv2d4callE"));
	assert_null(frame_rule_of("at::native::conv2d(at::Tensor const&)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_takes_its_sample),
		cmocka_unit_test(the_outermost_strong_operation_decides),
		cmocka_unit_test(without_one_the_innermost_decides),
		cmocka_unit_test(overloads_do_not_become_other_operations),
		cmocka_unit_test(what_is_no_operation_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
