/* SPDX-License-Identifier: Apache-2.0 */
#include "python_code.h"

#include "intern.h"

/* Names are cut there; a path of a file may be long. */
#define TEXT_MAX    4096u
#define CLASS_MAX   255u
#define TUPLE_MAX   65536u
#define HEAP_TYPE   (1u << 9) /* Py_TPFLAGS_HEAPTYPE */
#define KIND_CELL   0x40      /* CO_FAST_CELL in co_localspluskinds */
#define LINES_MAX   (1u << 24)
#define NO_LINE_310 (-128)

/* PyASCIIObject.state: interned 2 bits, kind 3, compact 1, ascii 1. */
struct text {
	uint32_t kind; /* bytes of a character: 1, 2, 4 */
	bool is_compact, is_ascii;
	uint64_t characters;
	uint64_t data;
};

static bool text_read(const struct python *p, uint64_t object, struct text *ret_text)
{
	const struct python_layout *l = &p->layout;
	uint32_t state;

	if (!python_is_a(p, object, p->PyUnicode_Type))
		return false;
	state = (uint32_t)python_int(object, l->text_state);
	*ret_text = (struct text){
		.kind = state >> 2 & 7,
		.is_compact = state >> 5 & 1,
		.is_ascii = state >> 6 & 1,
		.characters = python_word(object, l->text_length),
	};
	ret_text->data = object + (uint64_t)(ret_text->is_ascii ? l->text_ascii : l->text_other);
	return ret_text->is_compact &&
	       (ret_text->kind == 1 || ret_text->kind == 2 || ret_text->kind == 4);
}

static uint32_t character_at(const struct text *t, uint64_t i)
{
	uint32_t c = 0;

	memcpy(&c, (const char *)(uintptr_t)t->data + i * t->kind, t->kind);
	return c;
}

/* UTF-8 of one character; a lone surrogate, which file names may have, as if it were one. */
static size_t encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t text_id(const struct python *p, uint64_t object)
{
	struct text t;
	char utf8[TEXT_MAX];
	size_t n = 0;

	if (!text_read(p, object, &t))
		return 0;
	if (t.is_ascii)
		return intern(INTERN_STRING, (const void *)(uintptr_t)t.data,
			      t.characters < TEXT_MAX ? t.characters : TEXT_MAX);
	for (uint64_t i = 0; i < t.characters && n < TEXT_MAX - 4; i++)
		n += encode(character_at(&t, i), utf8 + n);
	return intern(INTERN_STRING, utf8, n);
}

uint32_t python_code_id(const struct python *p, uint64_t code)
{
	const struct python_layout *l = &p->layout;
	struct code_content c = { .zero = 0 };

	if (!python_is_a(p, code, p->PyCode_Type))
		return 0;
	c.name = text_id(p, python_word(code, l->code_name));
	c.file = text_id(p, python_word(code, l->code_file));
	c.line = python_int(code, l->code_first_line);
	return intern(INTERN_CODE, &c, sizeof(c));
}

static bool is_self(const struct python *p, uint64_t name)
{
	struct text t;

	return text_read(p, name, &t) && t.is_ascii && t.characters == 4 &&
	       memcmp((const void *)(uintptr_t)t.data, "self", 4) == 0;
}

static bool is_first_name_self(const struct python *p, uint64_t names)
{
	const struct python_layout *l = &p->layout;

	return python_is_address(names) && python_word(names, l->tuple_size) - 1 < TUPLE_MAX &&
	       is_self(p, python_word(names, l->tuple_items));
}

/* Up to 3.10 an argument that an inner function uses leaves its place for a cell's. */
static struct self_place self_in_cells(const struct python *p, uint64_t code)
{
	const struct python_layout *l = &p->layout;
	const uint64_t cells = python_word(code, l->code_cells);
	const uint64_t argument_of = python_word(code, l->code_cell2arg);
	const uint64_t n = python_is_address(cells) ? python_word(cells, l->tuple_size) : 0;

	for (uint64_t i = 0; python_is_address(argument_of) && i < n && i < 256; i++)
		if (python_word(argument_of, (int)(8 * i)) == 0)
			return (struct self_place){
				.local = (int16_t)(python_int(code, l->code_nr_locals) + (int)i),
				.is_cell = true,
			};
	return (struct self_place){ .local = 0 };
}

struct self_place python_code_self(const struct python *p, uint64_t code)
{
	const struct python_layout *l = &p->layout;
	uint64_t kinds;

	if (python_int(code, l->code_arguments) < 1 ||
	    !is_first_name_self(p, python_word(code, l->code_locals)))
		return (struct self_place){ .local = SELF_NONE };
	if (l->minor <= 10)
		return self_in_cells(p, code);
	kinds = python_word(code, l->code_kinds);
	return (struct self_place){
		.local = 0,
		.is_cell =
			python_is_address(kinds) && python_byte(kinds, l->bytes_data) & KIND_CELL,
	};
}

/* The bytes of a line table, read one after the other; past the end they are 0. */
struct table {
	const uint8_t *at, *end;
};

static struct table table_of(const struct python *p, uint64_t code)
{
	const struct python_layout *l = &p->layout;
	const uint64_t bytes = python_word(code, l->code_lines);
	uint64_t size;

	if (!python_is_address(bytes))
		return (struct table){ NULL, NULL };
	size = python_word(bytes, l->bytes_size);
	if (size > LINES_MAX)
		size = 0;
	return (struct table){ (const uint8_t *)(uintptr_t)bytes + l->bytes_data,
			       (const uint8_t *)(uintptr_t)bytes + l->bytes_data + size };
}

static uint8_t table_byte(struct table *t)
{
	return t->at < t->end ? *t->at++ : 0;
}

/* 6 bits at a time, lowest first; bit 6: more follow. */
static uint32_t table_varint(struct table *t)
{
	uint32_t byte, value = 0, shift = 0;

	do {
		byte = table_byte(t);
		if (shift < 32)
			value |= (byte & 0x3f) << shift;
		shift += 6;
	} while (byte & 0x40);
	return value;
}

static int32_t table_signed_varint(struct table *t)
{
	const uint32_t value = table_varint(t);

	return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

/* 3.9: pairs (bytes of instructions, change of the line), PEP 3 style. */
static int32_t line_39(struct table t, int32_t line, uint64_t at)
{
	uint64_t begin = 0;

	while (t.at + 1 < t.end) {
		begin += table_byte(&t);
		if (begin > at)
			break;
		line += (int8_t)table_byte(&t);
	}
	return line;
}

/* 3.10: pairs too, but the change comes before the instructions, and some have no line. */
static int32_t line_310(struct table t, int32_t line, uint64_t at)
{
	uint64_t end = 0;

	while (t.at + 1 < t.end) {
		const uint8_t size = table_byte(&t);
		const int8_t change = (int8_t)table_byte(&t);

		if (change != NO_LINE_310)
			line += change;
		end += size;
		if (at < end)
			return change == NO_LINE_310 ? 0 : line;
	}
	return 0;
}

/*
 * From 3.11: entries that begin with a byte with bit 7 set: form in bits 3 to 6, less one the
 * length in instructions in bits 0 to 2.  What we do not need (columns) has bit 7 clear, which
 * is how it is passed over.
 */
enum { FORM_ONE_LINE_0 = 10, FORM_ONE_LINE_2 = 12, FORM_NO_COLUMNS, FORM_LONG, FORM_NO_LINE };

static int32_t line_311(struct table t, int32_t line, uint64_t at)
{
	uint64_t end = 0;

	while (t.at < t.end) {
		const uint8_t head = table_byte(&t);
		const uint32_t form = head >> 3 & 15;

		if (form >= FORM_ONE_LINE_0 && form <= FORM_ONE_LINE_2)
			line += (int32_t)(form - FORM_ONE_LINE_0);
		else if (form == FORM_NO_COLUMNS || form == FORM_LONG)
			line += table_signed_varint(&t);
		end += 2 * ((head & 7) + 1u);
		if (at < end)
			return form == FORM_NO_LINE ? 0 : line;
		while (t.at < t.end && !(*t.at & 0x80))
			t.at++;
	}
	return 0;
}

uint32_t python_code_line(const struct python *p, uint64_t code, uint64_t at)
{
	const struct python_layout *l = &p->layout;
	const int32_t first = python_int(code, l->code_first_line);
	const struct table t = table_of(p, code);
	int32_t line;

	if (l->minor >= 11)
		at -= code + (uint64_t)l->code_start;
	if ((int64_t)at < 0) /* it has not begun */
		line = first;
	else if (l->minor == 9)
		line = line_39(t, first, at);
	else if (l->minor == 10)
		line = line_310(t, first, 2 * at);
	else
		line = line_311(t, first, at);
	return line > 0 ? (uint32_t)line : 0;
}

uint32_t python_class_name(const struct python *p, uint64_t type)
{
	const struct python_layout *l = &p->layout;
	const char *name;
	uint32_t id = 0;

	if (!python_is_address(type))
		return 0;
	if (python_word(type, l->type_flags) & HEAP_TYPE)
		id = text_id(p, python_word(type, l->type_qualified));
	name = (const char *)(uintptr_t)python_word(type, l->type_name);
	return id || !name ? id : intern(INTERN_STRING, name, strnlen(name, CLASS_MAX));
}
