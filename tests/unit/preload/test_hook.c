/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/hook.h"

static void every_entry_point_is_found_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < family_cuda.nr_hooks; i++) {
		const struct hook_family *family = NULL;

		/* Also: no name stands twice. */
		assert_ptr_equal(hook_by_name(family_cuda.hooks[i].symbol, &family),
				 &family_cuda.hooks[i]);
		assert_ptr_equal(family, &family_cuda);
	}
}

static void no_wrapper_calls_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < family_cuda.nr_hooks; i++)
		assert_ptr_not_equal(*family_cuda.hooks[i].real, family_cuda.hooks[i].wrapper);
}

static void names_that_only_look_like_ours_are_not_found(void **state)
{
	static const char *const names[] = { "cudnnCreate", "cuLaunch", "cuLaunchKernel_v2",
					     "cu",          "",         "CULAUNCHKERNEL" };
	const struct hook_family *family;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(hook_by_name(names[i], &family));
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
		cmocka_unit_test(no_wrapper_calls_itself),
		cmocka_unit_test(names_that_only_look_like_ours_are_not_found),
		cmocka_unit_test(an_entry_point_has_its_twin_for_the_per_thread_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
