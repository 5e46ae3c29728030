/* SPDX-License-Identifier: Apache-2.0 */
/* One object on a line; what is not known is left out. */
#include <math.h>

#include "export_formats.h"
#include "json_text.h"

static void put_cell(const struct cell *cell, enum cell_type type, FILE *out)
{
	switch (type) {
	case CELL_TEXT:
		json_put_text(cell->text, out);
		return;
	case CELL_INTEGER:
		json_put_u64(cell->integer, out);
		return;
	case CELL_REAL:
		if (isfinite(cell->real))
			fprintf(out, "%.17g", cell->real);
		else
			fputs("null", out);
		return;
	case CELL_BOOLEAN:
		fputs_unlocked(cell->boolean ? "true" : "false", out);
		return;
	}
}

static int put_row(void *context, const struct cell *cells)
{
	const struct export *e = context;
	char separator = '{';

	for (size_t i = 0; i < e->sheet->nr_columns; i++) {
		if (!cells[i].is_known)
			continue;
		putc_unlocked(separator, e->out);
		putc_unlocked('"', e->out);
		fputs_unlocked(e->sheet->columns[i].name, e->out);
		fputs_unlocked("\":", e->out);
		put_cell(&cells[i], e->sheet->columns[i].type, e->out);
		separator = ',';
	}
	fputs_unlocked("}\n", e->out);
	return output_check(e->out, e->diag);
}

int export_jsonl(const struct export *e)
{
	const struct sheet_sink sink = { .row = put_row, .context = (void *)e };

	return sheet_each(e->sheet, e->analysis, &sink, e->diag);
}
