/* SPDX-License-Identifier: Apache-2.0 */
#include "folded.h"

#include <stdlib.h>
#include <string.h>

/* What is longer passes in pieces. */
enum { LINE_MAX_BYTES = 4096, LABEL_MAX = 14 };

struct folded {
	FILE *out;
	const struct terminal *terminal;
	size_t columns;
	size_t used;
	char line[LINE_MAX_BYTES];
};

/* The bytes at s that take no column: of a colour, or within a character. */
static size_t skip_unseen(const char *s, const char *end)
{
	const char *at = s;

	if (at < end && *at == '\033')
		while (at < end && *at++ != 'm')
			;
	while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
		at++;
	return (size_t)(at - s);
}

static size_t count_columns(const char *s, const char *end)
{
	size_t columns = 0;

	while (s < end) {
		const size_t unseen = skip_unseen(s, end);

		s += unseen ? unseen : 1;
		columns += !unseen;
	}
	return columns;
}

/* Where the sentence of a line begins; NULL: it is a row. */
static const char *find_sentence(const char *line, size_t size)
{
	const char *const end = line + size;
	const char *begin = line;
	const char *gap;

	while (begin < end && *begin == ' ')
		begin++;
	gap = memmem(begin, (size_t)(end - begin), "  ", 2);
	if (gap && count_columns(line, gap) < LABEL_MAX)
		for (begin = gap; begin < end && *begin == ' ';)
			begin++;
	return memmem(begin, (size_t)(end - begin), "  ", 2) ? NULL : begin;
}

/* The end of as many words as there is room for, at least one. */
static const char *find_break(const char *begin, const char *end, size_t columns)
{
	const char *fits = NULL;

	for (const char *at = begin; at < end; at++) {
		const char *space = memchr(at, ' ', (size_t)(end - at));

		at = space ? space : end;
		if (fits && count_columns(begin, at) > columns)
			break;
		fits = at;
	}
	return fits ? fits : end;
}

static void print_cut(struct folded *f, const char *line, const char *end, size_t columns_max)
{
	const char *mark = f->terminal->unicode ? "…" : "..";
	const size_t room = columns_max - (f->terminal->unicode ? 1 : 2);
	size_t columns = 0;

	for (const char *at = line; at < end;) {
		const size_t unseen = skip_unseen(at, end);

		columns += !unseen;
		/* Colours behind the cut still end. */
		if (columns <= room || *at == '\033')
			fwrite(at, 1, unseen ? unseen : 1, f->out);
		if (columns == room + 1 && !unseen)
			fputs(mark, f->out);
		at += unseen ? unseen : 1;
	}
}

static void print_line(struct folded *f, const char *line, const char *end)
{
	const char *sentence = find_sentence(line, (size_t)(end - line));
	const size_t indent = sentence ? count_columns(line, sentence) : 0;
	const char *at = sentence ? sentence : end;

	if (count_columns(line, end) <= f->columns) {
		fwrite(line, 1, (size_t)(end - line), f->out);
		return;
	}
	if (!sentence || indent + 20 > f->columns) {
		print_cut(f, line, end, f->columns);
		return;
	}
	fwrite(line, 1, (size_t)(sentence - line), f->out);
	while (at < end) {
		const char *stop = find_break(at, end, f->columns - indent);

		if (count_columns(at, stop) > f->columns - indent)
			print_cut(f, at, stop, f->columns - indent);
		else
			fwrite(at, 1, (size_t)(stop - at), f->out);
		at = stop < end ? stop + 1 : end;
		if (at < end)
			fprintf(f->out, "\n%*s", (int)indent, "");
	}
}

static ssize_t write_text(void *cookie, const char *text, size_t size)
{
	struct folded *f = cookie;

	for (size_t i = 0; i < size; i++) {
		if (text[i] != '\n' && f->used < LINE_MAX_BYTES) {
			f->line[f->used++] = text[i];
			continue;
		}
		print_line(f, f->line, f->line + f->used);
		f->used = 0;
		if (text[i] == '\n')
			fputc('\n', f->out);
		else
			f->line[f->used++] = text[i];
	}
	return ferror(f->out) ? -1 : (ssize_t)size;
}

static int end_text(void *cookie)
{
	struct folded *f = cookie;

	print_line(f, f->line, f->line + f->used);
	free(f);
	return 0;
}

FILE *folded_open(const struct terminal *t, FILE *out)
{
	struct folded *f = t->is_terminal ? malloc(sizeof(*f)) : NULL;
	FILE *stream;

	if (!f)
		return NULL;
	f->out = out;
	f->terminal = t;
	f->columns = t->columns;
	f->used = 0;
	stream = fopencookie(f, "w",
			     (cookie_io_functions_t){ .write = write_text, .close = end_text });
	if (!stream)
		free(f);
	return stream;
}
