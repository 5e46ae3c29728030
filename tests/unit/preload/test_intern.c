/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/intern.h"

static int set_up(void **state)
{
	(void)state;
	return intern_init() ? 0 : -1;
}

static uint32_t string(const char *s)
{
	return intern(INTERN_STRING, s, strlen(s));
}

static void the_same_content_has_the_same_id(void **state)
{
	const uint32_t id = string("flash_fwd_kernel");

	(void)state;
	assert_int_not_equal(id, 0);
	assert_int_equal(string("flash_fwd_kernel"), id);
	assert_int_not_equal(string("flash_fwd_kernel2"), id);
	assert_int_not_equal(string(""), id);
	assert_int_not_equal(string(""), 0);
}

static void tables_do_not_mix(void **state)
{
	const uint64_t content[2] = { 1, 2 };
	const uint32_t kernel = intern(INTERN_KERNEL, content, sizeof(content));
	size_t size;

	(void)state;
	assert_int_equal(intern_last(INTERN_KERNEL), kernel);
	assert_null(intern_content(INTERN_CONTEXT, kernel, &size));
	assert_memory_equal(intern_content(INTERN_KERNEL, kernel, &size), content, sizeof(content));
	assert_int_equal(size, sizeof(content));
}

static void a_guess_is_right_only_for_the_same_bytes(void **state)
{
	const uint64_t content[3] = { 7, 8, 9 }, other[3] = { 7, 8, 10 };
	const uint32_t id = intern(INTERN_TEMPLATE, content, sizeof(content));

	(void)state;
	assert_true(intern_is(INTERN_TEMPLATE, id, content, sizeof(content)));
	assert_false(intern_is(INTERN_TEMPLATE, id, other, sizeof(other)));
	assert_false(intern_is(INTERN_TEMPLATE, id, content, 16));
	assert_false(intern_is(INTERN_TEMPLATE, id + 1, content, sizeof(content)));
}

static void ids_that_do_not_exist_have_no_content(void **state)
{
	size_t size;

	(void)state;
	assert_null(intern_content(INTERN_STRING, 0, &size));
	assert_null(intern_content(INTERN_STRING, intern_last(INTERN_STRING) + 1, &size));
	assert_null(intern_content(INTERN_STRING, UINT32_MAX, &size));
}

enum { NR_THREADS = 8, NR_CONTENTS = 20000 };

/* Every thread adds the same contents, each from another place on. */
static void *add_all(void *ret_ids)
{
	uint32_t *ids = ret_ids;
	const uint64_t begin = (uintptr_t)ids / sizeof(*ids);

	for (uint64_t i = 0; i < NR_CONTENTS; i++) {
		const uint64_t value = (begin + i) % NR_CONTENTS;

		ids[value] = intern(INTERN_DEVICE_TEMPLATE, &value, sizeof(value));
	}
	return NULL;
}

static void threads_that_add_at_once_get_ids_of_their_content(void **state)
{
	static uint32_t ids[NR_THREADS][NR_CONTENTS];
	pthread_t threads[NR_THREADS];

	(void)state;
	for (int t = 0; t < NR_THREADS; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, add_all, ids[t]), 0);
	for (int t = 0; t < NR_THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int t = 0; t < NR_THREADS; t++)
		for (uint64_t value = 0; value < NR_CONTENTS; value++)
			assert_true(intern_is(INTERN_DEVICE_TEMPLATE, ids[t][value], &value,
					      sizeof(value)));
	/* Afterwards there is one id for each, whoever asks. */
	for (uint64_t value = 0; value < NR_CONTENTS; value++)
		assert_int_equal(intern(INTERN_DEVICE_TEMPLATE, &value, sizeof(value)),
				 intern(INTERN_DEVICE_TEMPLATE, &value, sizeof(value)));
}

static void a_full_table_gives_no_id_and_keeps_the_others(void **state)
{
	uint32_t first = 0, last = 0;
	uint64_t value = 0;

	(void)state;
	for (; value < 1100000; value++) {
		const uint32_t id = intern(INTERN_GRAPH_EXEC, &value, sizeof(value));

		if (!value)
			first = id;
		if (!id)
			break;
		last = id;
	}
	assert_in_range(value, 1000000, 1099999);
	value = 0;
	assert_int_equal(intern(INTERN_GRAPH_EXEC, &value, sizeof(value)), first);
	assert_int_not_equal(last, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_content_has_the_same_id),
		cmocka_unit_test(tables_do_not_mix),
		cmocka_unit_test(a_guess_is_right_only_for_the_same_bytes),
		cmocka_unit_test(ids_that_do_not_exist_have_no_content),
		cmocka_unit_test(threads_that_add_at_once_get_ids_of_their_content),
		cmocka_unit_test(a_full_table_gives_no_id_and_keeps_the_others),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
