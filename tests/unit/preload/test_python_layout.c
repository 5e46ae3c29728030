/* SPDX-License-Identifier: Apache-2.0 */
#include "preload/python_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NR_WORDS 128

/* The head of a _PyRuntime, whose every published offset is its own number times 8. */
static void publish(uint64_t *words, int minor)
{
	memcpy(words, "xdebugpy", 8);
	words[1] = 3u << 24 | (unsigned)minor << 16 | 0x0102;
	words[2] = 0;
	for (uint64_t i = 3; i < NR_WORDS; i++)
		words[i] = 8 * i;
}

static void every_version_has_its_layout(void **state)
{
	uint64_t words[NR_WORDS];
	struct python_layout l;
	const char *reason;

	(void)state;
	for (int minor = PYTHON_MINOR_FIRST; minor <= PYTHON_MINOR_LAST; minor++) {
		publish(words, minor);
		assert_true(python_layout_find(minor, words, &l, &reason));
		assert_int_equal(l.minor, minor);
		assert_int_equal(l.cframe_frame >= 0, minor == 11 || minor == 12);
		assert_int_equal(l.code_version >= 0, minor >= 12);
		assert_int_equal(l.code_start >= 0, minor >= 11);
	}
}

static void what_is_published_counts(void **state)
{
	uint64_t words[NR_WORDS];
	struct python_layout l;
	const char *reason;

	(void)state;
	publish(words, 13);
	assert_true(python_layout_find(13, words, &l, &reason));
	assert_int_equal(l.frame_back, 8 * 29);
	assert_int_equal(l.text_other, 56);
	publish(words, 14);
	assert_true(python_layout_find(14, words, &l, &reason));
	assert_int_equal(l.frame_back, 8 * 32);
}

static void what_is_not_known_is_refused(void **state)
{
	uint64_t words[NR_WORDS];
	struct python_layout l;
	const char *reason;

	(void)state;
	publish(words, 15);
	assert_false(python_layout_find(8, words, &l, &reason));
	assert_false(python_layout_find(15, words, &l, &reason));
	assert_string_equal(reason, "is not a version this library knows");
	assert_false(python_layout_find(-1, words, &l, &reason));
	assert_false(python_layout_find(14, words, &l, &reason));
	assert_string_equal(reason, "does not publish its layout");
	assert_false(python_layout_find(13, NULL, &l, &reason));
	publish(words, 13);
	words[2] = 1;
	assert_false(python_layout_find(13, words, &l, &reason));
	assert_string_equal(reason, "is free-threaded");
	publish(words, 13);
	words[32] = 1u << 20;
	assert_false(python_layout_find(13, words, &l, &reason));
	assert_string_equal(reason, "publishes a layout that cannot be");
}

static void types_of_another_build_do_not_fit(void **state)
{
	uint64_t code[64] = { 0 }, text[64] = { 0 }, type[64] = { 0 };
	struct python_layout l;
	const char *reason;

	(void)state;
	assert_true(python_layout_find(11, NULL, &l, &reason));
	code[l.type_of / 8] = text[l.type_of / 8] = (uintptr_t)type;
	code[l.type_name / 8] = (uintptr_t) "code";
	text[l.type_name / 8] = (uintptr_t) "str";
	code[l.type_basic_size / 8] = (uint64_t)l.code_basic_size;
	text[l.type_basic_size / 8] = (uint64_t)l.text_basic_size;
	assert_true(python_layout_fits(&l, code, text, type));
	code[l.type_basic_size / 8] += 8;
	assert_false(python_layout_fits(&l, code, text, type));
	code[l.type_basic_size / 8] -= 8;
	text[l.type_of / 8] = 0;
	assert_false(python_layout_fits(&l, code, text, type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_has_its_layout),
		cmocka_unit_test(what_is_published_counts),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(types_of_another_build_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
