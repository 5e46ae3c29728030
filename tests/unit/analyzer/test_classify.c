/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernels: demangling, one spelling, built-in rules, the user's rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/classify.h"
#include "analyzer/demangle.h"
#include "analyzer/kernel_rules.h"
#include "analyzer/mangled_words.h"

static struct classifier *classifier;

static int set_up(void **state)
{
	(void)state;
	classifier = classifier_new();
	return classifier ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	classifier_free(classifier);
	return 0;
}

/* Rules are copied: two are the same row where all that decides is the same. */
static int is_row(const struct rule *found, const struct rule *row)
{
	return found && found->kind == row->kind && found->how == row->how &&
	       strcmp(found->sub, row->sub) == 0 && strcmp(found->pattern, row->pattern) == 0;
}

static void every_row_catches_its_sample(void **state)
{
	size_t nr_wrong = 0;

	(void)state;
	for (size_t i = 0; i < nr_kernel_rules; i++) {
		const struct rule *const row = &kernel_rules[i];
		struct classification c;

		classify(classifier, row->sample, &c);
		if (is_row(c.rule, row))
			continue;
		nr_wrong++;
		print_error("rule '%s': its sample %s is taken by '%s'\n", row->pattern,
			    row->sample, c.rule ? c.rule->pattern : "none");
	}
	assert_int_equal(nr_wrong, 0);
}

static void no_two_rows_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_kernel_rules; i++)
		for (size_t j = 0; j < i; j++)
			if (is_row(&kernel_rules[i], &kernel_rules[j]))
				fail_msg("twice: '%s'", kernel_rules[i].pattern);
}

static void assert_kind(const char *name, const char *kind, const char *sub)
{
	struct classification c;

	classify(classifier, name, &c);
	if (strcmp(c.kind, kind) != 0 || strcmp(c.sub, sub) != 0)
		fail_msg("%.200s is %s/%s, not %s/%s", name, c.kind, c.sub, kind, sub);
}

static void a_name_no_rule_knows_is_unknown(void **state)
{
	struct classification c;

	(void)state;
	classify(classifier, "zzz", &c);
	assert_string_equal(c.kind, "unknown");
	assert_string_equal(c.operator_name, "unknown");
	assert_null(c.rule);
	assert_kind("", "unknown", "");
}

static void operators_follow_kinds(void **state)
{
	struct classification c;

	(void)state;
	classify(classifier, "nvjet_hsh_128x256_64x4_1x2_h_bz_TNT", &c);
	assert_string_equal(c.operator_name, "linear");
	classify(classifier, "Memset (Device)", &c);
	assert_string_equal(c.operator_name, "memory");
	classify(classifier,
		 "void at::native::vectorized_elementwise_kernel<4, "
		 "at::native::FillFunctor<float>, std::array<char*, 1ul> >(int)",
		 &c);
	assert_string_equal(c.kind, "elementwise");
	assert_string_equal(c.operator_name, "memory");
}

/* The same kernel as CUPTI, Nsight, llvm and the ABI spell it. */
static void spellings_become_one_text(void **state)
{
	static const char *const spellings[] = {
		"void at::native::vectorized_elementwise_kernel<4, at::native::(anonymous "
		"namespace)::silu_kernel(at::TensorIteratorBase&)::{lambda(float)#1}, "
		"std::array<char*, 2ul> >(int, std::array<char*, 2ul>)",
		"void at::native::vectorized_elementwise_kernel<(int)4, at::native::<unnamed>::"
		"silu_kernel(at::TensorIteratorBase &)::[lambda(float) (instance 1)], "
		"std::array<char *, (unsigned long)2>>(int, T2, T3)",
		"void at::native::vectorized_elementwise_kernel<4, at::native::(anonymous "
		"namespace)::silu_kernel(at::TensorIteratorBase&)::'lambda'(float), "
		"std::array<char*, 2ul>>(int, std::array<char*, 2ul>)",
	};
	struct kernel_text text;

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		kernel_text_make(&text, spellings[i], spellings[i]);
		assert_string_equal(text.readable,
				    "at::native::vectorized_elementwise_kernel<4,at::native::"
				    "silu_kernel::{lambda},std::array<char*,2>>");
		assert_string_equal(text.base, "at::native::vectorized_elementwise_kernel");
	}
}

static void assert_readable(const char *name, const char *readable)
{
	struct kernel_text text;
	char *const demangled = demangle(name);

	kernel_text_make(&text, name, demangled);
	assert_string_equal(text.readable, readable);
	free(demangled);
}

static void names_lose_what_decides_nothing(void **state)
{
	(void)state;
	assert_readable("std::enable_if<!(false), void>::type internal::gemvx::kernel<int, 8u, "
			"(bool)1>(int)",
			"internal::gemvx::kernel<int,8,true>");
	assert_readable("std::enable_if<(((8)>(0)))&&(x), void>::type a::b<float>(int)",
			"a::b<float>");
	assert_readable("void (anonymous namespace)::foo<(ggml_type)12, -1>(T1 *)", "foo<12,-1>");
	assert_readable("void cub::CUB_200301_860_NS::DeviceScanKernel<int>(int)",
			"cub::DeviceScanKernel<int>");
	assert_readable("void at_cuda_detail::cub::X<int>(int)", "cub::X<int>");
	assert_readable("Memcpy HtoD (Pageable -> Device)", "Memcpy HtoD (Pageable -> Device)");
	assert_readable("_Z3fooIfEvT_", "foo<float>");
	assert_readable("unsigned long foo(unsigned long)", "foo");
}

static void the_file_in_a_mangled_name_is_evidence(void **state)
{
	(void)state;
	assert_kind("_ZN2at6native53_GLOBAL__N__3d2d9a4f_20_group_norm_kernel_cu_2fb1d2c9"
		    "3fooIfEEvPT_",
		    "group_norm", "");
	assert_kind("_ZN2at6native53_GLOBAL__N__e3a1b2c4_20_layer_norm_kernel_cu_9c2f7a11"
		    "3fooIfEEvPT_",
		    "layer_norm", "");
	/* a length that lies */
	assert_kind("_ZN2at6native53_GLOBAL__N__e3a1b2c4_99_layer_norm_kernel_cu_9c2f7a11"
		    "3fooIfEEvPT_",
		    "unknown", "");
}

static void arity_tells_the_two_moments_kernels_apart(void **state)
{
	(void)state;
	assert_kind(
		"void at::native::(anonymous namespace)::RowwiseMomentsCUDAKernel<c10::Half>(long)",
		"group_norm", "");
	assert_kind("void at::native::(anonymous namespace)::RowwiseMomentsCUDAKernel<float, "
		    "float>(long)",
		    "layer_norm", "");
}

static void words_that_mislead_do_not(void **state)
{
	(void)state;
	assert_kind("triton_poi_fused_convolution_native_group_norm_silu_5", "group_norm", "");
	assert_kind("triton_poi_fused_addmm_relu_5", "elementwise", "");
	assert_kind("triton_tem_fused_convolution_5", "conv", "");
	assert_kind("void vllm::reshape_and_cache_flash_kernel<float>(float*)", "kv_cache", "");
	assert_kind("void vllm::cross_device_reduce_1stage<float, 2>(float*)", "communication", "");
	assert_kind("void fbgemm_gpu::_compute_FP8_quantize_cuda_kernel<float>(int)", "quantize",
		    "");
	assert_kind(
		"kernel_cutlass_kernel_flash_attncuteflash_fwd_sm100FlashAttentionForwardSm100_0",
		"attention", "flash");
}

static void a_long_mangled_name_is_read_by_its_words(void **state)
{
	char name[3000] = "_ZN7cutlass13device_kernelIN5flash11enable_sm90INS1_16FlashAttnFwdSm90I";
	char words[64];

	(void)state;
	while (strlen(name) < 2000)
		strcat(name, "N4cute1CILi128EEE");
	strcat(name, "EEEEvv");
	assert_kind(name, "attention", "flash");
	mangled_words(words, sizeof(words), name);
	assert_memory_equal(words, "cutlass::device_kernel<flash::enable_sm90<FlashAttnFwdSm90<",
			    59);
	mangled_words(words, 1, name);
	assert_string_equal(words, "");
	mangled_words(words, sizeof(words), "_ZN5flashL9flash_fwdILi4E3fooEvv");
	assert_string_equal(words, "flash::flash_fwd<foo");
	mangled_words(words, sizeof(words), "_Z99999999999999999999999999x3foo");
	assert_string_equal(words, "foo");
}

/* a<b, b> of a<c, c> of ...: each level doubles the text */
static void a_demangled_name_cannot_explode(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[1000] = "_Z1fI1aIiiE";
	char *demangled;

	(void)state;
	for (int i = 1; i < 30; i++) {
		const char level[] = { 'S', '0', '_',       'I', 'S', digits[i],
				       '_', 'S', digits[i], '_', 'E', 0 };

		strcat(name, level);
	}
	strcat(name, "Evv");
	demangled = demangle(name);
	assert_string_equal(demangled, name);
	free(demangled);
}

static void names_that_are_not_mangled_stay(void **state)
{
	static const char *const names[] = { "", "_Z", "foo", "_Znonsense", "_Z3fo", "_ZN" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *const demangled = demangle(names[i]);

		assert_string_equal(demangled, names[i]);
		free(demangled);
	}
}

/* Repeats the part until the name is long, and asks for its kind: it must only come back. */
static void try_repeated(const char *start, const char *part)
{
	const size_t size = 200 * 1000;
	char *const name = malloc(size + 1);
	const size_t length = strlen(start), nr_part = strlen(part);
	struct classification c;

	assert_non_null(name);
	memcpy(name, start, length);
	for (size_t i = length; i < size; i++)
		name[i] = part[(i - length) % nr_part];
	name[size] = '\0';
	classify(classifier, name, &c);
	assert_non_null(c.kind);
	free(name);
}

static void hostile_names_come_back(void **state)
{
	static const char *const parts[] = {
		"a",
		"<",
		">",
		"(",
		")",
		"foo<",
		"foo(",
		"(int)",
		"{lambda",
		"[lambda(",
		"'lambda",
		" ",
		"::",
		"softmax",
		"layernorm",
		"mean_pow_",
		"elementwise_kernel<",
		"nchw",
		"cudnn::",
		"cask::",
		"\xff",
		"\x80\x01",
		"9",
		"_Z",
		"operator ",
		"operator()",
		"(anonymous namespace)",
		"<unnamed>::",
		"->",
		"CUB_",
		"CUB_1_NS::",
		"4u",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		try_repeated("", parts[i]);
		try_repeated("void foo", parts[i]);
		try_repeated("_Z", parts[i]);
		try_repeated("_ZN3fooI", parts[i]);
		try_repeated("triton_red_fused_", parts[i]);
	}
}

static void random_bytes_come_back(void **state)
{
	uint32_t seed = 1;
	char name[300];
	struct classification c;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		for (size_t i = 0; i < sizeof(name) - 1; i++) {
			seed = seed * 1664525 + 1013904223;
			name[i] = (char)(1 + (seed >> 24) % 255);
		}
		name[sizeof(name) - 1 - seed % 200] = '\0';
		if (round % 2)
			memcpy(name, "_ZN", 3);
		classify(classifier, name, &c);
		assert_non_null(c.kind);
	}
}

static char rules_path[64];

static int add_rules(const char *text, struct diag *diag)
{
	int fd, r;

	strcpy(rules_path, "/tmp/ttitrace-rules-XXXXXX");
	fd = mkstemp(rules_path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = classifier_add_rules(classifier, rules_path, diag);
	unlink(rules_path);
	return r;
}

static void rules_of_the_user_come_first(void **state)
{
	struct classification c;
	struct diag diag;

	(void)state;
	assert_int_equal(add_rules("# mine\n\nsampling/top_p\tSUBSTR\tAcme::Fused\r\n"
				   "gemm\tREGEX\t^nvjet|a\tb\nmoe/x/y\tPREFIX\tnv",
				   &diag),
			 0);
	classify(classifier, "void acme::fused<int>(int)", &c);
	assert_string_equal(c.kind, "sampling");
	assert_string_equal(c.sub, "top_p");
	assert_int_equal(c.rule->line, 3);
	assert_string_equal(c.rule->file, rules_path);
	classify(classifier, "nvjet_hsh", &c);
	assert_int_equal(c.rule->line, 4);
	assert_kind("nvfoo", "moe", "x/y");
	assert_kind("ncclDevKernel_AllReduce_Sum_f32_RING_LL", "communication", "");
}

static void assert_refused(const char *text, const char *where_and_what)
{
	struct diag diag;
	const char *after_path;

	assert_int_equal(add_rules(text, &diag), -EINVAL);
	assert_memory_equal(diag.message, rules_path, strlen(rules_path));
	after_path = diag.message + strlen(rules_path);
	assert_memory_equal(after_path, where_and_what, strlen(where_and_what));
}

static void errors_in_a_rule_file_name_the_line(void **state)
{
	struct diag diag;

	(void)state;
	assert_refused("gemm SUBSTR foo\n", ":1: expected kind");
	assert_refused("#\ngemm\tSUBSTR\n", ":2: expected kind");
	assert_refused("gemm\tSUBSTR\t\n", ":1: expected kind");
	assert_refused("gem\tSUBSTR\tfoo\n", ":1: there is no kind 'gem'");
	assert_refused("gemm\tsubstr\tfoo\n", ":1: how is none of");
	assert_refused("gemm\tSUBSTR\tfoo\n\ngemm\tREGEX\t(\n", ":3: missing closing parenthesis");
	assert_kind("xfoo", "unknown", ""); /* nothing of a bad file is used */
	assert_int_equal(classifier_add_rules(classifier, "/nowhere/rules", &diag), -ENOENT);
	assert_string_equal(diag.message, "/nowhere/rules: No such file or directory");
	assert_int_equal(classifier_add_rules(classifier, "/", &diag), -EISDIR);
}

static void a_costly_expression_does_not_hang(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(add_rules("gemm\tREGEX\t(a+)+$\ngemm\tREGEX\t^(a|aa)+x$\n", &diag), 0);
	assert_kind("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
		    "unknown", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_row_catches_its_sample, set_up, tear_down),
		cmocka_unit_test(no_two_rows_are_the_same),
		cmocka_unit_test_setup_teardown(a_name_no_rule_knows_is_unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(operators_follow_kinds, set_up, tear_down),
		cmocka_unit_test(spellings_become_one_text),
		cmocka_unit_test(names_lose_what_decides_nothing),
		cmocka_unit_test_setup_teardown(the_file_in_a_mangled_name_is_evidence, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(arity_tells_the_two_moments_kernels_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(words_that_mislead_do_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_mangled_name_is_read_by_its_words, set_up,
						tear_down),
		cmocka_unit_test(a_demangled_name_cannot_explode),
		cmocka_unit_test(names_that_are_not_mangled_stay),
		cmocka_unit_test_setup_teardown(hostile_names_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_bytes_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules_of_the_user_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_in_a_rule_file_name_the_line, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_costly_expression_does_not_hang, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
