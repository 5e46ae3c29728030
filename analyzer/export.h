/* SPDX-License-Identifier: Apache-2.0 */
/* export.h - a run in formats that other programs read: one file a format. */
#ifndef ANALYZER_EXPORT_H
#define ANALYZER_EXPORT_H

#include <stdio.h>

#include "call_tree.h"
#include "sheet.h"

struct export
{
	const struct analysis
		*analysis;             /* loaded; with modules and phases if the format has rows */
	const struct sheet *sheet;     /* what rows are of, for formats of rows */
	struct call_tree_setup stacks; /* for formats of stacks */
	FILE *out;        /* cannot be rewound; NULL: the format makes a file of its own */
	const char *path; /* NULL or "-": standard output */
	struct diag *diag;
};

/* What a format is written from. */
enum export_source {
	SOURCE_stacks, /* the call tree */
	SOURCE_rows,   /* every launch */
	SOURCE_sheet,  /* rows of a sheet */
};

struct export_format {
	const char *name, *what;
	enum export_source source;
	bool is_binary;                       /* no good on a terminal */
	bool makes_file;                      /* by itself: e->path; there is no e->out */
	int (*write)(const struct export *e); /* 0, or a negative errno with e->diag */
};

const struct export_format *export_format_by_name(const char *name); /* NULL: there is none */
const struct export_format *export_format_at(size_t index);          /* NULL: no more */

#endif
