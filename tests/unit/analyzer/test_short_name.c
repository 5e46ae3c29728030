/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/short_name.h"

static void assert_short(const char *readable, const char *expected)
{
	char *name = short_name(readable);

	assert_string_equal(name, expected);
	free(name);
}

static void what_an_elementwise_kernel_computes_is_shown(void **state)
{
	(void)state;
	assert_short("at::native::elementwise_kernel<128,4,at::native::gpu_kernel_impl_nocast<at::"
		     "native::CUDAFunctor_add<c10::Half>>::{lambda}>",
		     "elementwise_kernel<CUDAFunctor_add<Half>>");
	assert_short("at::native::vectorized_elementwise_kernel<8,at::native::silu_kernel::{lambda}"
		     "::operator()::{lambda}::operator()::{lambda},std::array<char*,2>>",
		     "vectorized_elementwise_kernel<silu_kernel>");
	assert_short("at::native::elementwise_kernel<128,4,at::native::gpu_kernel_impl_nocast<at::"
		     "native::direct_copy_kernel_cuda::{lambda}::operator()::{lambda}::operator()::"
		     "{lambda}>::{lambda}>",
		     "elementwise_kernel<direct_copy_kernel_cuda>");
}

static void namespaces_and_numbers_go_types_stay(void **state)
{
	(void)state;
	assert_short(
		"cudnn::engines_precompiled::nchwToNhwcKernel<__half,__half,float,false,true,0>",
		"nchwToNhwcKernel<__half,__half,float>");
	assert_short("at::native::RowwiseMomentsCUDAKernel<c10::Half>",
		     "RowwiseMomentsCUDAKernel<Half>");
	assert_short("flash_fwd_kernel<128,true>", "flash_fwd_kernel");
}

static void names_without_templates_stay(void **state)
{
	(void)state;
	assert_short("nvjet_sm90_hsh_168x128_64x5_1x2_h_bz_coopA_bias_TNN",
		     "nvjet_sm90_hsh_168x128_64x5_1x2_h_bz_coopA_bias_TNN");
	assert_short("[copy device to host]", "[copy device to host]");
	assert_short("", "");
}

static void names_that_are_none_do_no_harm(void **state)
{
	char deep[4001];

	(void)state;
	assert_short("a<b", "a<b>");
	assert_short("a>b<", "a>b");
	free(short_name("<>,<,>::"));
	memset(deep, '<', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	free(short_name(deep));
	memset(deep, ':', sizeof(deep) - 1);
	free(short_name(deep));
}

static void the_middle_goes_where_the_width_ends(void **state)
{
	char *name = short_name_fit("nvjet_sm90_hsh_168x128_64x5_1x2_h_bz_TNN", 20, "~");

	(void)state;
	assert_string_equal(name, "nvjet_sm90~_h_bz_TNN");
	free(name);
	name = short_name_fit("gemm", 20, "~");
	assert_string_equal(name, "gemm");
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_elementwise_kernel_computes_is_shown),
		cmocka_unit_test(namespaces_and_numbers_go_types_stay),
		cmocka_unit_test(names_without_templates_stay),
		cmocka_unit_test(names_that_are_none_do_no_harm),
		cmocka_unit_test(the_middle_goes_where_the_width_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
