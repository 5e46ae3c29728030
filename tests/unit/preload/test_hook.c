/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/hook.h"

static const struct hook_family *const families[] = { &family_cuda, &family_cublas,
						      &family_cublaslt, &family_cudnn };
#define NR_FAMILIES (sizeof(families) / sizeof(families[0]))

static void is_found(const struct hook_family *f, const struct hook *h)
{
	const struct hook_family *family = NULL;

	/* What we only ask is not given to others.  Also: no name stands twice. */
	assert_ptr_equal(hook_by_name(h->symbol, &family), h->wrapper ? h : NULL);
	assert_ptr_equal(family, h->wrapper ? f : NULL);
}

static void every_entry_point_is_found_by_its_name(void **state)
{
	(void)state;
	for (size_t f = 0; f < NR_FAMILIES; f++)
		for (size_t i = 0; i < families[f]->nr_hooks; i++)
			is_found(families[f], &families[f]->hooks[i]);
}

static void an_entry_point_is_one_number(void **state)
{
	(void)state;
	for (uint32_t f = 0; f < NR_FAMILIES; f++)
		for (uint32_t i = 0; i < families[f]->nr_hooks; i++)
			assert_string_equal(hook_symbol(HOOK_API(f, i)),
					    families[f]->hooks[i].symbol);
}

static void no_wrapper_calls_itself(void **state)
{
	(void)state;
	for (size_t f = 0; f < NR_FAMILIES; f++)
		for (size_t i = 0; i < families[f]->nr_hooks; i++)
			assert_ptr_not_equal(*families[f]->hooks[i].real,
					     families[f]->hooks[i].wrapper);
}

static void names_that_only_look_like_ours_are_not_found(void **state)
{
	static const char *const names[] = { "cudnnCreate",
					     "cublasSgemm",
					     "cublasLtMatmulDescCreate",
					     "cuLaunch",
					     "cuLaunchKernel_v2",
					     "cu",
					     "",
					     "CULAUNCHKERNEL" };
	const struct hook_family *family;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(hook_by_name(names[i], &family));
}

static void sizes_of_64_bits_have_their_twin(void **state)
{
	const struct hook_family *family;

	(void)state;
	assert_non_null(hook_by_name("cublasGemmEx_64", &family));
	assert_non_null(hook_by_name("cublasSgemm_v2_64", &family));
}

static void an_entry_point_has_its_twin_for_the_per_thread_stream(void **state)
{
	const struct hook_family *family;

	(void)state;
	assert_non_null(hook_by_name("cuLaunchKernel_ptsz", &family));
	assert_non_null(hook_by_name("cuLaunchKernelEx_ptsz", &family));
	assert_non_null(hook_by_name("cuLaunchCooperativeKernel_ptsz", &family));
	assert_non_null(hook_by_name("cuGraphLaunch_ptsz", &family));
	assert_non_null(hook_by_name("cuMemcpyHtoD_v2_ptds", &family));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_point_is_found_by_its_name),
		cmocka_unit_test(an_entry_point_is_one_number),
		cmocka_unit_test(sizes_of_64_bits_have_their_twin),
		cmocka_unit_test(no_wrapper_calls_itself),
		cmocka_unit_test(names_that_only_look_like_ours_are_not_found),
		cmocka_unit_test(an_entry_point_has_its_twin_for_the_per_thread_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
