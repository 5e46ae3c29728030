/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define COLUMN(name, type, is_known, value, what) { #name, CELL_##type, what, false },
#define EACH(name, type, is_known, value, what)   { #name, CELL_##type, what, true },
static const struct sheet_column launch_columns[] = {
#include "launch_columns.def"
};
static const struct sheet_column sum_columns[] = {
#include "sum_columns.def"
};
static const struct sheet_column phase_columns[] = {
#include "phase_columns.def"
};
static const struct sheet_column module_columns[] = {
#include "module_columns.def"
};
#undef COLUMN
#undef EACH

#define NR(columns) (sizeof(columns) / sizeof(*(columns)))
_Static_assert(NR(launch_columns) <= SHEET_COLUMNS_MAX, "room for the cells of a row");
_Static_assert(NR(sum_columns) <= SHEET_COLUMNS_MAX, "room for the cells of a row");

static const struct sheet sheets[] = {
#define SHEET(name, columns, axis, what) \
	{ #name, what, columns##_columns, NR(columns##_columns), axis },
#include "sheets.def"
#undef SHEET
};

const struct sheet *sheet_at(size_t index)
{
	return index < NR(sheets) ? &sheets[index] : NULL;
}

const struct sheet *sheet_by_name(const char *name)
{
	for (size_t i = 0; i < NR(sheets); i++)
		if (!strcmp(sheets[i].name, name))
			return &sheets[i];
	return NULL;
}

struct filler {
	const struct analysis *analysis;
	const struct sheet_sink *sink;
	struct cell cells[SHEET_COLUMNS_MAX];
};

static int give(struct filler *f)
{
	return f->sink->row(f->sink->context, f->cells);
}

#define FIELD_TEXT    text
#define FIELD_INTEGER integer
#define FIELD_REAL    real
#define FIELD_BOOLEAN boolean
#define COLUMN(name, type, is_known_, value, what)        \
	*cell = (struct cell){ .is_known = (is_known_) }; \
	if (cell->is_known)                               \
		cell->FIELD_##type = (value);             \
	cell++;

/* --- launches --------------------------------------------------------------------------------- */

static const char *op_text(uint64_t op)
{
	switch (op) {
#define TTI_OP(id, name, text, what) \
	case id:                     \
		return text;
#include "ttitrace/enums.def"
#undef TTI_OP
	default:
		return "unknown";
	}
}

static const char *activity_text(uint64_t activity)
{
	switch (activity) {
#define TTI_ACTIVITY(id, name, text, what) \
	case id:                           \
		return text;
#include "ttitrace/enums.def"
#undef TTI_ACTIVITY
	default:
		return "unknown";
	}
}

void sheet_launch(const struct row *row, struct cell *ret)
{
	static const struct tti_template no_call;
	static const struct tti_device_template no_record;
	struct cell *cell = ret;
	const struct subject *s = row->subject;
	const struct assignment *a = &s->assignment;
	const struct tti_template *h = s->host ? &s->host->definition : &no_call;
	const struct tti_device_template *d = s->device ? &s->device->definition : &no_record;
	const struct tti_process *process = &s->trace->model.process;
	const struct name *rank_name = s->trace->model.rank;
	const char *rank = rank_name && rank_name->size ? rank_name->text : NULL;
	const uint64_t grid[] = { s->device ? d->grid_x : h->grid_x,
				  s->device ? d->grid_y : h->grid_y,
				  s->device ? d->grid_z : h->grid_z };
	const uint64_t block[] = { s->device ? d->block_x : h->block_x,
				   s->device ? d->block_y : h->block_y,
				   s->device ? d->block_z : h->block_z };
	const uint64_t shared_bytes =
		s->device ? d->static_shared_bytes + d->dynamic_shared_bytes : h->shared_bytes;
	const bool has_grid = grid[0] && block[0];
	const bool has_bytes =
		s->device ? d->activity == TTI_ACTIVITY_COPY || d->activity == TTI_ACTIVITY_FILL
			  : h->op == TTI_OP_COPY || h->op == TTI_OP_FILL;

#define EACH COLUMN
#include "launch_columns.def"
#undef EACH
}

static int fill_launch(void *context, const struct row *row)
{
	struct filler *f = context;

	sheet_launch(row, f->cells);
	return give(f);
}

static int each_launch(struct filler *f, const struct sheet *sheet, struct diag *diag)
{
	const struct row_sink sink = { .row = fill_launch, .context = f };

	(void)sheet;
	return rows_each(f->analysis, &sink, diag);
}

/* --- sums ------------------------------------------------------------------------------------- */

const char *sheet_text(const struct run *run, const char *bytes)
{
	const size_t size = strlen(bytes);
	char *text = malloc(3 * size + 1);
	const struct name *found =
		text ? names_intern(run->names, text, utf8_clean(bytes, size, text)) : NULL;

	free(text);
	return found ? found->text : "";
}

#define text(name) sheet_text(&f->analysis->run, (name)->text)

static int each_sum(struct filler *f, const struct sheet *sheet, struct diag *diag)
{
	const struct profile *p = &f->analysis->profile;
	const struct profile_table *table = &p->axes[sheet->axis];
	int r = 0;

	(void)diag;
	for (size_t i = 0; i < table->nr && r == 0; i++) {
		const struct profile_row *row = &table->rows[i];
		const struct assignment *a = row->assignment;
		const bool by_kernel = sheet->axis == AXIS_kernel || sheet->axis == AXIS_kind;
		const bool by_attention = sheet->axis == AXIS_attention && a->has_attention;
		struct cell *cell = f->cells;

		if (sheet->axis == AXIS_attention && a->op != OPERATOR_attention)
			continue;
#include "sum_columns.def"
		r = give(f);
	}
	return r;
}

/* --- phases and modules ----------------------------------------------------------------------- */

static int each_phase(struct filler *f, const struct sheet *sheet, struct diag *diag)
{
	const struct phases *p = &f->analysis->phases;
	int r = 0;

	(void)sheet;
	(void)diag;
	for (size_t i = 0; i <= p->nr && r == 0; i++) {
		const struct phase *row = i < p->nr ? &p->rows[i] : &p->residual;
		struct cell *cell = f->cells;

#include "phase_columns.def"
		r = give(f);
	}
	return r;
}

static int each_module(struct filler *f, const struct sheet *sheet, struct diag *diag)
{
	const struct modules *m = f->analysis->modules;
	char *label = malloc(MODULES_PATH_MAX);
	int r = label ? 0 : diag_set(diag, -ENOMEM, "no memory");

	(void)sheet;
	for (uint32_t node = 0; r == 0 && node < modules_count(m); node++) {
		const struct module_node *row = modules_node(m, node);
		struct cell *cell = f->cells;
		const char *path;

		modules_path(m, node, label, MODULES_PATH_MAX);
		path = sheet_text(&f->analysis->run, label);
#include "module_columns.def"
		r = give(f);
	}
	free(label);
	return r;
}

#undef COLUMN
#undef text

int sheet_each(const struct sheet *sheet, const struct analysis *a, const struct sheet_sink *sink,
	       struct diag *diag)
{
	struct filler f = { .analysis = a, .sink = sink };

	if (sheet->columns == launch_columns)
		return each_launch(&f, sheet, diag);
	if (sheet->columns == phase_columns)
		return each_phase(&f, sheet, diag);
	if (sheet->columns == module_columns)
		return each_module(&f, sheet, diag);
	return each_sum(&f, sheet, diag);
}
