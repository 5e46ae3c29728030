/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/function_name.h"

static void assert_name(const char *readable, const char *expected)
{
	char *name = function_name(readable);

	assert_string_equal(name, expected);
	free(name);
}

static void the_qualified_name_stays(void **state)
{
	(void)state;
	assert_name("at::_ops::conv2d::call(at::Tensor const&, c10::ArrayRef<long>)",
		    "at::_ops::conv2d::call");
	assert_name("at::Tensor at::native::sum<float, 4>(at::Tensor const&)", "at::native::sum");
	assert_name("unsigned long std::hash<int>::operator()(int) const", "std::hash::operator()");
	assert_name("_PyEval_EvalFrameDefault", "_PyEval_EvalFrameDefault");
}

static void functions_within_functions_name_both(void **state)
{
	(void)state;
	assert_name("at::native::(anonymous namespace)::add_kernel(at::TensorIterator&, int)::"
		    "{lambda(float)#1}::operator()(float) const",
		    "at::native::(anonymous namespace)::add_kernel::{lambda}::operator()");
	assert_name("void f<g(int)>(h<(i)3>) const::{lambda()#2}::operator()() const",
		    "f::{lambda}::operator()");
}

static void operators_are_names(void **state)
{
	(void)state;
	assert_name("std::ostream& std::operator<<(std::ostream&, char)", "std::operator<<");
	assert_name("a::b::operator bool() const", "a::b::operator bool");
	assert_name("bool operator==<int>(x<int> const&)", "operator==");
	assert_name("bool operator< <int>(x<int> const&)", "operator<");
	assert_name("c::operator_table::find(int)", "c::operator_table::find");
	assert_name("a::operator->() const", "a::operator->");
}

static void names_that_are_none_do_no_harm(void **state)
{
	(void)state;
	assert_name("", "");
	assert_name("(", "(");
	assert_name("<", "<");
	assert_name("a<", "a<");
	assert_name(")))>>>}}}", ")))>>>}}}");
	assert_name("f(", "f");
	assert_name(" ", " ");
	assert_name("{lambda", "{lambda");
	assert_name("operator", "operator");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_qualified_name_stays),
		cmocka_unit_test(functions_within_functions_name_both),
		cmocka_unit_test(operators_are_names),
		cmocka_unit_test(names_that_are_none_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
