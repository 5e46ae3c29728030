/* SPDX-License-Identifier: Apache-2.0 */
/* sheet.h - tables of a run for formats that have rows and columns: CSV, JSON lines, Avro. */
#ifndef ANALYZER_SHEET_H
#define ANALYZER_SHEET_H

#include "rows.h"

enum cell_type { CELL_TEXT, CELL_INTEGER, CELL_REAL, CELL_BOOLEAN };

struct sheet_column {
	const char *name;
	enum cell_type type;
	const char *what;
	bool is_each; /* of launches: each row has its own, not many the same by their subject */
};

struct cell {
	bool is_known;
	union {
		const char *text; /* UTF-8 */
		uint64_t integer;
		double real;
		bool boolean;
	};
};

enum { SHEET_COLUMNS_MAX = 64 };

struct sheet {
	const char *name, *what;
	const struct sheet_column *columns;
	size_t nr_columns;
	enum axis axis; /* to be summed for it; NR_AXES: none */
};

const struct sheet *sheet_by_name(const char *name); /* NULL: there is none */
const struct sheet *sheet_at(size_t index);          /* NULL: there are no more */

/* What takes the rows; negative errno with a diag ends them. */
struct sheet_sink {
	int (*row)(void *context, const struct cell *cells);
	void *context;
};

/* A text of the run as UTF-8, at one address as long as the run; empty where there is no memory. */
const char *sheet_text(const struct run *run, const char *bytes);

/* The cells of the sheet of launches, which is the first one. */
void sheet_launch(const struct row *row, struct cell *ret);

/* The analysis is loaded with modules and phases, and with the sheet's axis. */
int sheet_each(const struct sheet *sheet, const struct analysis *a, const struct sheet_sink *sink,
	       struct diag *diag);

#endif
