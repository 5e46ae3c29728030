/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mktrace - text on standard input -> a trace on standard output.
 *
 * The text is what `ttitrace dump` prints; FORMAT.md has its grammar (appendix "Traces as text").
 * Text written by hand may leave out the header, frames, codings, fields and trailing columns.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ttitrace/frame.h"

/* A record line and, of a batch, its rows: encoded when the next line shows that it is complete. */
struct pending {
	bool is_set;
	uint64_t kind;
	const struct tti_record_desc *desc;
	size_t nr_fields, nr_columns; /* to be written */
	union {
#define ROW(id, NAME, name, what)   struct tti_##name name;
#define BATCH(id, NAME, name, what) struct tti_##name name;
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what)
#define END(name)
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END
	} fields;
	char *owned[64]; /* what strings and lists point to */
	size_t nr_owned;
	char *extra;
	size_t extra_bytes;
	uint8_t transforms[TTI_BATCH_COLUMNS_MAX];
	size_t nr_rows;
	uint64_t *columns[TTI_BATCH_COLUMNS_MAX];
};

static const char *const transform_names[] = { "plain", "delta", "keyed", "gap" };
_Static_assert(sizeof(transform_names) / sizeof(*transform_names) == TTI_NR_TRANSFORMS,
	       "a name each");

static struct tti_file_header header = {
	.skippable_magic = TTI_SKIPPABLE_MAGIC,
	.size_bytes = sizeof(header) - offsetof(struct tti_file_header, magic),
	.magic = { 't', 't', 'i', 't', 'r', 'a', 'c', 'e' },
	.major = TTI_FORMAT_MAJOR,
	.minor = TTI_FORMAT_MINOR,
	.level = 3,
};
static bool header_is_out;
static struct pending pending;
static struct tti_buffer content;
static bool frame_is_open;
static struct tti_scratch scratch;
static ZSTD_CCtx *cctx;
static unsigned long line_number;

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "mktrace: line %lu: ", line_number);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void *need(void *memory)
{
	if (!memory)
		die("no memory");
	return memory;
}

static void put(const void *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, stdout) != n)
		die("cannot write: %s", strerror(errno));
}

static void put_header(void)
{
	if (header_is_out)
		return;
	header_is_out = true;
	put(&header, sizeof(header));
	if (tti_frame_setup(cctx, header.level) < 0)
		die("zstd refused level %u", header.level);
}

static void end_frame(void)
{
	const size_t size = tti_frame_bound(content.used, content.nr_cuts);
	uint8_t *out;
	size_t n;

	put_header();
	if (!frame_is_open)
		return;
	out = need(malloc(size));
	n = tti_frame_compress(cctx, out, size, &content, content.cuts, content.nr_cuts);
	if (!n)
		die("zstd failed");
	put(out, n);
	free(out);
	tti_buffer_reset(&content);
	frame_is_open = false;
}

static void put_columns(void)
{
	const uint64_t *before = pending.columns[0];

	tti_put_varint(&content, pending.nr_rows);
	for (size_t i = 0; i < pending.nr_columns; i++) {
		tti_put_column(&content, pending.transforms[i], pending.columns[i],
			       pending.columns[0], before, pending.nr_rows, &scratch);
		before = pending.columns[i];
	}
}

static void end_record(void)
{
	size_t begin;

	if (!pending.is_set)
		return;
	pending.is_set = false;
	frame_is_open = true;
	begin = tti_record_begin(&content, pending.kind);
	for (size_t i = 0; pending.desc && i < pending.nr_fields; i++)
		tti_put_field(&content, &pending.desc->fields[i], &pending.fields);
	if (pending.desc && pending.desc->columns)
		put_columns();
	tti_put_bytes(&content, pending.extra, pending.extra_bytes);
	tti_record_end(&content, begin);
	if (content.full)
		die("more than %u bytes in one frame", TTI_FRAME_BYTES_MAX);
	for (size_t i = 0; i < pending.nr_owned; i++)
		free(pending.owned[i]);
	free(pending.extra);
	pending.extra = NULL;
	pending.extra_bytes = 0;
	pending.nr_owned = 0;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *skip_space(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool take_word(const char **s, char *word, size_t size)
{
	size_t n = 0;

	*s = skip_space(*s);
	for (; is_word(**s); (*s)++)
		if (n + 1 < size)
			word[n++] = **s;
	word[n] = '\0';
	return n;
}

static uint64_t take_number(const char **s)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(*s, &end, 0);
	if (end == *s || errno)
		die("a number is expected: %.20s", *s);
	*s = end;
	return value;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool take_hex_byte(const char **s, char *ret_byte)
{
	const int high = hex_digit((*s)[0]);
	const int low = high < 0 ? -1 : hex_digit((*s)[1]);

	if (low < 0)
		return false;
	*ret_byte = (char)(high << 4 | low);
	*s += 2;
	return true;
}

static char *take_hex(const char **s, size_t *ret_size)
{
	char *bytes = need(malloc(strlen(*s) / 2 + 1));
	size_t n = 0;

	while (take_hex_byte(s, &bytes[n]))
		n++;
	*ret_size = n;
	return bytes;
}

static char take_escape(const char **s)
{
	char byte;

	switch (*(*s)++) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '\\':
		return '\\';
	case '"':
		return '"';
	case 'x':
		if (take_hex_byte(s, &byte))
			return byte;
		break;
	default:
		break;
	}
	die("bad escape in a string");
}

static char *take_string(const char **s, size_t *ret_size)
{
	char *bytes = need(malloc(strlen(*s) + 1));
	size_t n = 0;

	if (*(*s)++ != '"')
		die("a string in double quotes is expected");
	while (**s != '"') {
		if (!**s)
			die("the string has no end");
		if (**s == '\\') {
			(*s)++;
			bytes[n++] = take_escape(s);
		} else {
			bytes[n++] = *(*s)++;
		}
	}
	(*s)++;
	*ret_size = n;
	return bytes;
}

static uint64_t *take_list(const char **s, size_t *ret_size)
{
	uint64_t *values = need(malloc((strlen(*s) + 1) * sizeof(*values)));
	size_t n = 0;

	if (*(*s)++ != '[')
		die("a list in brackets is expected");
	for (*s = skip_space(*s); **s != ']'; *s = skip_space(*s)) {
		values[n++] = take_number(s);
		*s = skip_space(*s);
		if (**s == ',')
			(*s)++;
	}
	(*s)++;
	*ret_size = n;
	return values;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void own(void *memory)
{
	if (pending.nr_owned == sizeof(pending.owned) / sizeof(*pending.owned))
		die("too many strings");
	pending.owned[pending.nr_owned++] = memory;
}

static void take_field(const char **s, const struct tti_field_desc *f)
{
	void *field = (char *)&pending.fields + f->offset;

	switch (f->type) {
	case TTI_FIELD_U:
	case TTI_FIELD_S:
		*(uint64_t *)field = take_number(s);
		break;
	case TTI_FIELD_STR: {
		struct tti_str *str = field;

		str->data = take_string(s, &str->size);
		own((void *)str->data);
		break;
	}
	case TTI_FIELD_LIST: {
		struct tti_list *list = field;

		list->values = take_list(s, &list->size);
		own((void *)list->values);
		break;
	}
	}
}

static uint8_t take_transform(const char **s)
{
	char word[16];

	take_word(s, word, sizeof(word));
	for (uint8_t i = 0; i < TTI_NR_TRANSFORMS; i++)
		if (!strcmp(word, transform_names[i])) {
			/* dump says how many planes there are: they follow from the values. */
			if (**s == ':') {
				(*s)++;
				take_number(s);
			}
			return i;
		}
	die("no transform is called '%s'", word);
}

static void take_codings(const char **s)
{
	size_t i = 0;

	do {
		if (i == pending.desc->nr_columns)
			die("more codings than columns");
		pending.transforms[i++] = take_transform(s);
	} while (**s == ',' && (*s)++);
	pending.nr_columns = i;
}

static void take_attribute(const char **s, const char *name)
{
	const struct tti_record_desc *desc = pending.desc;

	for (size_t i = 0; desc && i < desc->nr_fields; i++)
		if (!strcmp(desc->fields[i].name, name)) {
			take_field(s, &desc->fields[i]);
			return;
		}
	if (!strcmp(name, "extra") || (!desc && !strcmp(name, "bytes"))) {
		free(pending.extra);
		pending.extra = take_hex(s, &pending.extra_bytes);
	} else if (desc && !strcmp(name, "fields")) {
		pending.nr_fields = take_number(s);
		if (pending.nr_fields > desc->nr_fields)
			die("%s has %zu fields", desc->name, desc->nr_fields);
	} else if (desc && desc->columns && !strcmp(name, "codings")) {
		take_codings(s);
	} else if (desc && desc->columns && !strcmp(name, "rows")) {
		take_number(s);
	} else {
		die("%s has no field '%s'", desc ? desc->name : "record", name);
	}
}

static bool take_name(const char **s, char *name, size_t size)
{
	if (!take_word(s, name, size)) {
		if (**s)
			die("what is this: %.20s", *s);
		return false;
	}
	if (*(*s)++ != '=')
		die("'=' is expected behind '%s'", name);
	return true;
}

static void begin_record(uint64_t kind, const struct tti_record_desc *desc, const char *s)
{
	char name[64];

	memset(&pending.fields, 0, sizeof(pending.fields));
	pending.is_set = true;
	pending.kind = kind;
	pending.desc = desc;
	pending.nr_rows = 0;
	pending.nr_fields = desc ? desc->nr_fields : 0;
	pending.nr_columns = desc ? desc->nr_columns : 0;
	for (size_t i = 0; i < pending.nr_columns; i++)
		pending.transforms[i] = (uint8_t)desc->columns[i].transform;
	while (take_name(&s, name, sizeof(name)))
		take_attribute(&s, name);
}

static void add_row(const char *s)
{
	if (!pending.is_set || !pending.desc || !pending.desc->columns)
		die("a row without a batch");
	if (pending.nr_rows == TTI_BATCH_ROWS_MAX)
		die("more than %u rows", TTI_BATCH_ROWS_MAX);
	for (size_t i = 0; i < pending.desc->nr_columns; i++) {
		if (!pending.columns[i])
			pending.columns[i] = need(malloc(TTI_BATCH_ROWS_MAX * sizeof(uint64_t)));
		s = skip_space(s);
		pending.columns[i][pending.nr_rows] = *s ? take_number(&s) : 0;
	}
	if (*skip_space(s))
		die("more values than columns");
	pending.nr_rows++;
}

static void set_header(const char *s)
{
	char name[64];

	if (header_is_out || frame_is_open)
		die("the header comes first");
	while (take_name(&s, name, sizeof(name))) {
		const uint64_t value = take_number(&s);

		if (!strcmp(name, "major"))
			header.major = (uint16_t)value;
		else if (!strcmp(name, "minor"))
			header.minor = (uint16_t)value;
		else if (!strcmp(name, "level"))
			header.level = (uint8_t)value;
		else if (!strcmp(name, "features"))
			header.features = value;
		else
			die("the header has no field '%s'", name);
	}
}

static void add_raw(const char *s)
{
	char name[64];
	char *bytes;
	size_t n;

	if (!take_name(&s, name, sizeof(name)) || strcmp(name, "bytes"))
		die("raw has the field 'bytes'");
	bytes = take_hex(&s, &n);
	tti_put_bytes(&content, bytes, n);
	free(bytes);
	frame_is_open = true;
}

static void begin_unknown(const char *s)
{
	char name[64];

	if (!take_name(&s, name, sizeof(name)) || strcmp(name, "kind"))
		die("record begins with the field 'kind'");
	begin_record(take_number(&s), NULL, "");
	while (take_name(&s, name, sizeof(name)))
		take_attribute(&s, name);
}

static void take_line(const char *s)
{
	char word[64];

	if (*s == '\t' || *s == ' ') {
		add_row(s);
		return;
	}
	if (!*s || *s == '#')
		return;
	end_record();
	take_word(&s, word, sizeof(word));
	if (!strcmp(word, "block")) {
		end_frame();
		frame_is_open = true;
		return;
	}
	if (!strcmp(word, "trace")) {
		set_header(s);
		return;
	}
	if (!strcmp(word, "raw")) {
		add_raw(s);
		return;
	}
	if (!strcmp(word, "record")) {
		begin_unknown(s);
		return;
	}
	for (uint64_t kind = 0; kind < TTI_RECORD_LIMIT; kind++) {
		const struct tti_record_desc *desc = tti_record_desc(kind);

		if (desc && !strcmp(desc->name, word)) {
			begin_record(kind, desc, s);
			return;
		}
	}
	die("no record is called '%s'", word);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	content.size = TTI_FRAME_BYTES_MAX;
	content.data = need(malloc(content.size));
	cctx = need(ZSTD_createCCtx());
	while ((n = getline(&line, &size, stdin)) >= 0) {
		line_number++;
		if (n && line[n - 1] == '\n')
			line[n - 1] = '\0';
		take_line(line);
	}
	end_record();
	end_frame();
	free(line);
	for (size_t i = 0; i < TTI_BATCH_COLUMNS_MAX; i++)
		free(pending.columns[i]);
	free(content.data);
	ZSTD_freeCCtx(cctx);
	return fflush(stdout) ? 1 : 0;
}
