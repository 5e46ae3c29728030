/* SPDX-License-Identifier: Apache-2.0 */
#include "preload/python_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "preload/intern.h"

/* Objects laid out as an interpreter of some version would. */
static struct python p;
static uint64_t code_type[64], text_type[64];
static struct object {
	_Alignas(16) uint8_t bytes[512];
} code, lines, name, file, names, kinds;

static uint64_t at(struct object *o)
{
	return (uintptr_t)o;
}

static void put(struct object *o, int offset, uint64_t value, size_t size)
{
	memcpy(o->bytes + offset, &value, size);
}

static void interpreter(int minor)
{
	static uint64_t published[128];
	const char *reason;

	/* From 3.13 on what is published counts: take the table's own from a version before. */
	assert_in_range(minor, 9, 12);
	assert_true(python_layout_find(minor, published, &p.layout, &reason));
	p.PyCode_Type = code_type;
	p.PyUnicode_Type = text_type;
	memset(&code, 0, sizeof(code));
	put(&code, p.layout.type_of, (uintptr_t)code_type, 8);
}

static void line_table(const void *table, size_t size, int first_line)
{
	memset(&lines, 0, sizeof(lines));
	put(&lines, p.layout.bytes_size, size, 8);
	memcpy(lines.bytes + p.layout.bytes_data, table, size);
	put(&code, p.layout.code_lines, at(&lines), 8);
	put(&code, p.layout.code_first_line, (uint64_t)first_line, 4);
}

static void text(struct object *o, const void *data, size_t characters, unsigned kind,
		 bool is_ascii)
{
	memset(o, 0, sizeof(*o));
	put(o, p.layout.type_of, (uintptr_t)text_type, 8);
	put(o, p.layout.text_length, characters, 8);
	put(o, p.layout.text_state, kind << 2 | 1u << 5 | (unsigned)is_ascii << 6, 4);
	memcpy(o->bytes + (is_ascii ? p.layout.text_ascii : p.layout.text_other), data,
	       characters * kind);
}

static uint32_t line(uint64_t offset)
{
	if (p.layout.minor >= 11)
		offset += at(&code) + (uint64_t)p.layout.code_start;
	return python_code_line(&p, at(&code), offset);
}

static void lines_of_3_9(void **state)
{
	(void)state;
	interpreter(9);
	/* 4 bytes on line 10, 6 on 11, 2 on 300 (by two steps), 2 on 299. */
	line_table("\4\1\6\x7f\0\x7f\0\x23\2\xff", 10, 10);
	assert_int_equal(line(0), 10);
	assert_int_equal(line(2), 10);
	assert_int_equal(line(4), 11);
	assert_int_equal(line(10), 300);
	assert_int_equal(line(12), 299);
	assert_int_equal(line((uint64_t)-1), 10);
}

static void lines_of_3_10(void **state)
{
	(void)state;
	interpreter(10);
	/* 2 instructions on line 10, 1 on 13, 1 on none, 1 on 12; in bytes. */
	line_table("\4\0\2\3\2\x80\2\xff", 8, 10);
	assert_int_equal(line(0), 10);
	assert_int_equal(line(1), 10);
	assert_int_equal(line(2), 13);
	assert_int_equal(line(3), 0);
	assert_int_equal(line(4), 12);
	assert_int_equal(line(5), 0);
	assert_int_equal(line((uint64_t)-1), 10);
}

static void lines_of_3_11(void **state)
{
	static const uint8_t table[] = {
		0x80 | 2 << 3 | 1,  0x11,    /* short: 2 instructions on the same line */
		0x80 | 11 << 3 | 0, 4,    9, /* one line further: 1 */
		0x80 | 13 << 3 | 0, 0x4a, 3, /* no columns: 1, +101 */
		0x80 | 14 << 3 | 7, 3,    0, 1, 0x41, 2, /* long: 8, -1 */
		0x80 | 15 << 3 | 0,                      /* none: 1 */
	};

	(void)state;
	for (int minor = 11; minor <= 12; minor++) {
		interpreter(minor);
		line_table(table, sizeof(table), 10);
		assert_int_equal(line((uint64_t)-2), 10);
		assert_int_equal(line(0), 10);
		assert_int_equal(line(2), 10);
		assert_int_equal(line(4), 11);
		assert_int_equal(line(6), 112);
		assert_int_equal(line(8), 111);
		assert_int_equal(line(22), 111);
		assert_int_equal(line(24), 0);
		assert_int_equal(line(26), 0);
	}
}

static void a_damaged_table_has_no_lines(void **state)
{
	(void)state;
	interpreter(11);
	line_table("\xf7\x7f\x7f", 3, 10);
	assert_int_equal(line(40), 0);
	line_table("", 0, 10);
	assert_int_equal(line(0), 0);
	put(&lines, p.layout.bytes_size, UINT64_MAX, 8);
	assert_int_equal(line(0), 0);
	put(&code, p.layout.code_lines, 8, 8);
	assert_int_equal(line(0), 0);
}

static void assert_code_named(const char *expected)
{
	size_t size;
	const struct code_content *c =
		intern_content(INTERN_CODE, python_code_id(&p, at(&code)), &size);

	assert_non_null(c);
	assert_memory_equal(intern_content(INTERN_STRING, c->name, &size), expected,
			    strlen(expected));
	assert_int_equal(size, strlen(expected));
}

static void names_become_utf8(void **state)
{
	static const uint8_t latin[] = { 'G', 'r', 0xf6 };
	static const uint16_t two[] = { 0x6a21, 'x', 0xdc80 };
	static const uint32_t four[] = { 0x1f600, 'y' };

	(void)state;
	for (int minor = 9; minor <= 12; minor++) {
		interpreter(minor);
		put(&code, p.layout.code_name, at(&name), 8);
		put(&code, p.layout.code_file, at(&file), 8);
		text(&file, "f.py", 4, 1, true);
		text(&name, "forward", 7, 1, true);
		assert_code_named("forward");
		text(&name, latin, 3, 1, false);
		assert_code_named("Gr\xc3\xb6");
		text(&name, two, 3, 2, false);
		assert_code_named("\xe6\xa8\xa1x\xed\xb2\x80");
		text(&name, four, 2, 4, false);
		assert_code_named("\xf0\x9f\x98\x80y");
	}
}

static void only_a_first_argument_called_self_makes_a_method(void **state)
{
	(void)state;
	interpreter(12);
	put(&code, p.layout.code_locals, at(&names), 8);
	put(&code, p.layout.code_kinds, at(&kinds), 8);
	put(&names, p.layout.tuple_size, 1, 8);
	put(&names, p.layout.tuple_items, at(&name), 8);
	text(&name, "self", 4, 1, true);
	put(&code, p.layout.code_arguments, 0, 4);
	assert_int_equal(python_code_self(&p, at(&code)).local, SELF_NONE);
	put(&code, p.layout.code_arguments, 2, 4);
	assert_int_equal(python_code_self(&p, at(&code)).local, 0);
	assert_false(python_code_self(&p, at(&code)).is_cell);
	kinds.bytes[p.layout.bytes_data] = 0x60;
	assert_true(python_code_self(&p, at(&code)).is_cell);
	text(&name, "this", 4, 1, true);
	assert_int_equal(python_code_self(&p, at(&code)).local, SELF_NONE);
	put(&names, p.layout.tuple_size, 0, 8);
	text(&name, "self", 4, 1, true);
	assert_int_equal(python_code_self(&p, at(&code)).local, SELF_NONE);
}

static int start(void **state)
{
	(void)state;
	return intern_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_3_9),
		cmocka_unit_test(lines_of_3_10),
		cmocka_unit_test(lines_of_3_11),
		cmocka_unit_test(a_damaged_table_has_no_lines),
		cmocka_unit_test(names_become_utf8),
		cmocka_unit_test(only_a_first_argument_called_self_makes_a_method),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
