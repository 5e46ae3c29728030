/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <cudnn.h>

static void names_have_the_numbers_of_the_header(void **state)
{
	(void)state;
#define IS(number, name)             assert_int_equal(number, CUDNN_ATTR_##name);
#define NUMBER(number, name, field)  IS(number, name)
#define NUMBERS(number, name, field) IS(number, name)
#define TENSOR(number, name, role)   IS(number, name)
#define PART(number, name)           IS(number, name)
#define MARK(number, name, field)    IS(number, name)
#include "preload/cudnn_attribute.def"
	assert_int_equal(41, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
	assert_int_equal(801, CUDNN_ATTR_OPERATIONGRAPH_OPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_the_numbers_of_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
