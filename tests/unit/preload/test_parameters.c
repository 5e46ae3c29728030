/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/counter.h"
#include "preload/driver.h"
#include "preload/identity.h"
#include "preload/intern.h"
#include "preload/options.h"
#include "preload/parameters.h"

#define POINTER 0x7f1234560000u

/* A driver that knows of one megabyte. */
static CUresult has_address(void *value, CUpointer_attribute a, CUdeviceptr p)
{
	(void)a;
	*(unsigned int *)value = CU_MEMORYTYPE_DEVICE;
	errno = EIO; /* as a driver may leave it */
	return p >= POINTER && p < POINTER + (1 << 20) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/* A kernel of one struct of four words. */
static uint32_t new_kernel(uint32_t name)
{
	struct kernel_content k = { .name = name, .nr_parameters = 1 };

	k.parameters[0].size = 32;
	return intern(INTERN_KERNEL, &k,
		      offsetof(struct kernel_content, parameters) + sizeof(k.parameters[0]));
}

static uint32_t launch(uint32_t kernel, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t words[4] = { a, b, c, d };
	void *params[] = { words };

	return parameters_id(kernel, params, NULL);
}

static const uint64_t *words_of(uint32_t id)
{
	size_t size;
	const struct parameters_content *c = intern_content(INTERN_PARAMETERS, id, &size);

	assert_non_null(c);
	assert_int_equal(size, 8 + 32);
	return (const uint64_t *)c->bytes;
}

static int set_up(void **state)
{
	(void)state;
	driver.cuPointerGetAttribute = has_address;
	return intern_init() ? 0 : -1;
}

static void only_the_words_asked_for_are_masked(void **state)
{
	uint64_t words[130] = { [0] = 5, [1] = 6, [64] = 7, [129] = 8 };
	const uint64_t pointers[8] = { 1 | 4, 1, 2 };

	(void)state;
	parameters_mask((uint8_t *)words, pointers, 130);
	assert_int_equal(words[0], 1);
	assert_int_equal(words[1], 6);
	assert_int_equal(words[2], 0); /* null stays null */
	assert_int_equal(words[64], 1);
	assert_int_equal(words[129], 1);
	words[129] = 9;
	parameters_mask((uint8_t *)words, pointers, 129);
	assert_int_equal(words[129], 9);
}

static void pointers_that_move_give_one_content(void **state)
{
	const uint32_t kernel = new_kernel(1);
	uint32_t last;

	(void)state;
	launch(kernel, POINTER, 4096, 0, 3);
	last = launch(kernel, POINTER + 64, 4096, 0, 3);
	for (uint64_t i = 2; i < 1000; i++)
		assert_int_equal(launch(kernel, POINTER + 64 * i, 4096, 0, 3), last);
	assert_int_equal(words_of(last)[0], 1);
	assert_int_equal(words_of(last)[1], 4096);
}

static void two_ints_beside_each_other_stay_what_they_are(void **state)
{
	const uint32_t kernel = new_kernel(2);

	(void)state;
	for (uint64_t length = 28000; length < 28100; length++) {
		const uint64_t pair = length << 32 | 2;

		assert_int_equal(words_of(launch(kernel, pair, 0, 0, 0))[0], pair);
	}
}

static void a_pointer_that_was_null_at_first_is_one_later(void **state)
{
	const uint32_t kernel = new_kernel(3);
	const uint32_t first = launch(kernel, 0, 1, 1, 1);
	const uint32_t later = launch(kernel, POINTER, 1, 1, 1);

	(void)state;
	assert_int_equal(words_of(first)[0], 0);
	assert_int_equal(words_of(later)[0], 1);
	assert_int_equal(launch(kernel, POINTER + 8, 1, 1, 1), later);
	assert_int_equal(launch(kernel, 0, 1, 1, 1), first);
}

static void a_number_that_is_never_the_same_is_given_up(void **state)
{
	const uint32_t kernel = new_kernel(4);
	uint32_t kept = 0;

	(void)state;
	for (uint64_t i = 0; i < 6000; i++)
		kept += launch(kernel, i * 0x9e3779b97f4a7c15u | 1ull << 63, 0, 0, 0) != 0;
	assert_in_range(kept, 4096, 4096 + 6000 / 16 + 2);
	/* What is known is still found. */
	assert_int_not_equal(launch(kernel, 1ull << 63, 0, 0, 0), 0);
}

static void packed_bytes_end_where_the_caller_says(void **state)
{
	const uint32_t kernel = new_kernel(5);
	uint64_t words[4] = { 1, 2, 3, 4 };
	size_t size = sizeof(words);
	void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, words, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
			  CU_LAUNCH_PARAM_END };

	(void)state;
	assert_int_equal(words_of(parameters_id(kernel, NULL, extra))[3], 4);
	size = 24;
	assert_int_equal(parameters_id(kernel, NULL, extra), 0);
	assert_int_equal(parameters_id(kernel, NULL, NULL), 0);
}

static void the_table_wants_attention_and_softmax(void **state)
{
	(void)state;
	assert_true(parameters_are_wanted("_ZN13pytorch_flash16flash_fwd_kernelI23Flash"));
	assert_true(parameters_are_wanted("fmha_cutlassF_f16_aligned_64x128_rf_sm80"));
	assert_true(parameters_are_wanted("cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wg"));
	assert_true(parameters_are_wanted("_ZN2at6native20cunn_SoftMaxForwardRegI"));
	assert_false(parameters_are_wanted("ampere_fp16_s16816gemm_fp16_128x128_tn"));
	assert_false(parameters_are_wanted("_ZN2at6native29vectorized_elementwise_kernelILi4E"));
	assert_false(parameters_are_wanted(NULL));
	options.parameters = PARAMETERS_NONE;
	assert_false(parameters_are_wanted("flash_fwd_kernel"));
	options.parameters = PARAMETERS_ALL;
	assert_true(parameters_are_wanted(NULL));
	options.parameters = PARAMETERS_KNOWN;
}

static void asking_about_a_pointer_keeps_errno(void **state)
{
	const uint32_t kernel = new_kernel(70);

	(void)state;
	launch(kernel, POINTER, 2, 3, 4);
	errno = ENOENT;
	launch(kernel, POINTER + 64, 2, 3, 4);
	assert_int_equal(errno, ENOENT);
}

static void bytes_of_another_size_than_the_first_are_counted(void **state)
{
	const _Atomic uint64_t *dropped = &shared_counters.value[TTI_COUNTER_PARAMETERS_DROPPED];
	struct kernel_content k = { .name = 71, .nr_parameters = 2 };
	uint64_t words[2] = { 1, 2 };
	size_t size = sizeof(words);
	void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, words, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
			  CU_LAUNCH_PARAM_END };
	uint64_t before;
	uint32_t kernel;

	(void)state;
	k.parameters[0].size = 8;
	k.parameters[1].offset = 8;
	k.parameters[1].size = 8;
	kernel = intern(INTERN_KERNEL, &k,
			offsetof(struct kernel_content, parameters) + 2 * sizeof(k.parameters[0]));
	assert_int_not_equal(parameters_id(kernel, NULL, extra), 0);
	before = atomic_load(dropped);
	size = 8;
	assert_int_equal(parameters_id(kernel, NULL, extra), 0);
	assert_int_equal(atomic_load(dropped), before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_words_asked_for_are_masked),
		cmocka_unit_test(pointers_that_move_give_one_content),
		cmocka_unit_test(two_ints_beside_each_other_stay_what_they_are),
		cmocka_unit_test(a_pointer_that_was_null_at_first_is_one_later),
		cmocka_unit_test(a_number_that_is_never_the_same_is_given_up),
		cmocka_unit_test(packed_bytes_end_where_the_caller_says),
		cmocka_unit_test(the_table_wants_attention_and_softmax),
		cmocka_unit_test(asking_about_a_pointer_keeps_errno),
		cmocka_unit_test(bytes_of_another_size_than_the_first_are_counted),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
