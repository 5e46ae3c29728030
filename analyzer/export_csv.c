/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4180, with line feeds alone; what is not known is empty. */
#include <string.h>

#include "digits.h"
#include "export_formats.h"

static void put_text(const char *text, FILE *out)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs_unlocked(text, out);
		return;
	}
	putc_unlocked('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc_unlocked('"', out);
		putc_unlocked(*text, out);
	}
	putc_unlocked('"', out);
}

static void put_cell(const struct cell *cell, enum cell_type type, FILE *out)
{
	switch (type) {
	case CELL_TEXT:
		put_text(cell->text, out);
		return;
	case CELL_INTEGER:
		put_digits(cell->integer, out);
		return;
	case CELL_REAL:
		fprintf(out, "%.17g", cell->real);
		return;
	case CELL_BOOLEAN:
		putc_unlocked(cell->boolean ? '1' : '0', out);
		return;
	}
}

static int put_row(void *context, const struct cell *cells)
{
	const struct export *e = context;

	for (size_t i = 0; i < e->sheet->nr_columns; i++) {
		if (i)
			putc_unlocked(',', e->out);
		if (cells[i].is_known)
			put_cell(&cells[i], e->sheet->columns[i].type, e->out);
	}
	putc_unlocked('\n', e->out);
	return output_check(e->out, e->diag);
}

int export_csv(const struct export *e)
{
	const struct sheet_sink sink = { .row = put_row, .context = (void *)e };

	for (size_t i = 0; i < e->sheet->nr_columns; i++)
		fprintf(e->out, "%s%s", i ? "," : "", e->sheet->columns[i].name);
	fputc('\n', e->out);
	return sheet_each(e->sheet, e->analysis, &sink, e->diag);
}
