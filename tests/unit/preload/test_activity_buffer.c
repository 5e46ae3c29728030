/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/activity_buffer.h"
#include "preload/counter.h"
#include "preload/options.h"

static void buffers_are_taken_in_the_order_they_were_filled(void **state)
{
	uint8_t *buffer[3];
	size_t bytes, valid;

	(void)state;
	for (int i = 0; i < 3; i++)
		buffer[i] = activity_buffer_request(&bytes);
	assert_null(activity_buffer_take(&valid));
	activity_buffer_complete(buffer[2], 30);
	activity_buffer_complete(buffer[0], 10);
	activity_buffer_complete(buffer[1], 20);
	for (int i = 0; i < 3; i++) {
		const int order[] = { 2, 0, 1 };

		assert_ptr_equal(activity_buffer_take(&valid), buffer[order[i]]);
		assert_int_equal(valid, 10 * (order[i] + 1));
		activity_buffer_release(buffer[order[i]]);
	}
	assert_null(activity_buffer_take(&valid));
}

static void a_released_buffer_is_used_again(void **state)
{
	size_t bytes, valid;
	uint8_t *buffer = activity_buffer_request(&bytes);

	(void)state;
	activity_buffer_complete(buffer, 8);
	assert_ptr_equal(activity_buffer_take(&valid), buffer);
	activity_buffer_release(buffer);
	assert_ptr_equal(activity_buffer_request(&bytes), buffer);
	activity_buffer_complete(buffer, 0);
	activity_buffer_release(activity_buffer_take(&valid));
}

static void beyond_the_limit_there_is_none_and_that_is_counted(void **state)
{
	const uint64_t before = atomic_load(&shared_counters.value[TTI_COUNTER_NO_BUFFER]);
	size_t bytes;

	(void)state;
	options.buffer_mb = 2;
	assert_non_null(activity_buffer_request(&bytes));
	assert_non_null(activity_buffer_request(&bytes));
	assert_null(activity_buffer_request(&bytes));
	assert_int_equal(bytes, 0);
	assert_int_equal(atomic_load(&shared_counters.value[TTI_COUNTER_NO_BUFFER]), before + 1);
}

static void a_cupti_that_takes_no_refusal_gets_more(void **state)
{
	size_t bytes;

	(void)state;
	options.buffer_mb = 2;
	activity_buffer_allow_refusal(false);
	for (int i = 0; i < 4; i++)
		assert_non_null(activity_buffer_request(&bytes));
	activity_buffer_allow_refusal(true);
	assert_null(activity_buffer_request(&bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_taken_in_the_order_they_were_filled),
		cmocka_unit_test(a_released_buffer_is_used_again),
		cmocka_unit_test(beyond_the_limit_there_is_none_and_that_is_counted),
		cmocka_unit_test(a_cupti_that_takes_no_refusal_gets_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
