/* SPDX-License-Identifier: Apache-2.0 */
#include "references.h"

#include <errno.h>
#include <stdlib.h>

#include "decode.h"
#include "id_map.h"
#include "reader.h"

enum space {
#define SPACE(space) SPACE_##space,
#define DEFINES(NAME, record, space)
#define REFERS(NAME, record, field, space)
#define COLUMN_REFERS(NAME, record, column, space)
#include "references.def"
#undef SPACE
#undef DEFINES
#undef REFERS
#undef COLUMN_REFERS
	NR_SPACES
};

/* Beyond these, ids are no longer kept and references into their space no longer checked. */
enum { IDS_MAX = 1 << 22 };

struct reference_row {
	uint64_t kind;
	const char *record, *field, *space_name;
	enum space space;
	bool is_column;
	size_t where; /* offset of the field, number of the column */
};

static const struct reference_row rows[NR_REFERENCES] = {
#define SPACE(space)
#define DEFINES(NAME, record, space)
#define REFERS(NAME, record, field, space)                    \
	[REFERENCE_##record##_##field] = { TTI_RECORD_##NAME, \
					   #record,           \
					   #field,            \
					   #space,            \
					   SPACE_##space,     \
					   false,             \
					   offsetof(struct tti_##record, field) },
#define COLUMN_REFERS(NAME, record, column, space)             \
	[REFERENCE_##record##_##column] = { TTI_RECORD_##NAME, \
					    #record,           \
					    #column,           \
					    #space,            \
					    SPACE_##space,     \
					    true,              \
					    tti_column_##record##_##column },
#include "references.def"
#undef SPACE
#undef DEFINES
#undef REFERS
#undef COLUMN_REFERS
};

struct definition_row {
	uint64_t kind;
	enum space space;
	size_t offset;
};

static const struct definition_row definitions[] = {
#define SPACE(space)
#define DEFINES(NAME, record, space) \
	{ TTI_RECORD_##NAME, SPACE_##space, offsetof(struct tti_##record, id) },
#define REFERS(NAME, record, field, space)
#define COLUMN_REFERS(NAME, record, column, space)
#include "references.def"
#undef SPACE
#undef DEFINES
#undef REFERS
#undef COLUMN_REFERS
};

struct references_pass {
	struct references result;
	struct id_map ids[NR_SPACES];
	size_t nr_ids[NR_SPACES];
	struct list_room room;
	struct batch batch;
};

const char *reference_record(enum reference r)
{
	return rows[r].record;
}

const char *reference_field(enum reference r)
{
	return rows[r].field;
}

const char *reference_space(enum reference r)
{
	return rows[r].space_name;
}

static uint64_t field_at(const union record_fields *fields, size_t offset)
{
	return *(const uint64_t *)((const char *)fields + offset);
}

static bool is_dangling(const struct references_pass *p, enum space space, uint64_t id)
{
	return id && p->nr_ids[space] < IDS_MAX && !id_map_find(&p->ids[space], id);
}

static void check_fields(struct references_pass *p, uint64_t kind,
			 const union record_fields *fields)
{
	for (enum reference r = 0; r < NR_REFERENCES; r++)
		if (rows[r].kind == kind && !rows[r].is_column &&
		    is_dangling(p, rows[r].space, field_at(fields, rows[r].where)))
			p->result.dangling[r]++;
}

static uint32_t columns_of(uint64_t kind)
{
	uint32_t wanted = 0;

	for (enum reference r = 0; r < NR_REFERENCES; r++)
		if (rows[r].kind == kind && rows[r].is_column)
			wanted |= 1u << rows[r].where;
	return wanted;
}

static void check_column(struct references_pass *p, enum reference r, size_t n)
{
	const uint64_t *values = p->batch.values[rows[r].where];

	for (size_t i = 0; i < n; i++)
		p->result.dangling[r] += is_dangling(p, rows[r].space, values[i]);
}

static void check_columns(struct references_pass *p, const struct record *record)
{
	if (batch_open(record, columns_of(record->kind), &p->batch) < 0)
		return;
	for (size_t n = batch_strip(&p->batch); n; n = batch_strip(&p->batch))
		for (enum reference r = 0; r < NR_REFERENCES; r++)
			if (rows[r].kind == record->kind && rows[r].is_column)
				check_column(p, r, n);
}

static int define(struct references_pass *p, uint64_t kind, const union record_fields *fields)
{
	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++) {
		const struct definition_row *d = &definitions[i];
		const uint64_t id = field_at(fields, d->offset);

		if (d->kind != kind || p->nr_ids[d->space] == IDS_MAX ||
		    id_map_find(&p->ids[d->space], id))
			continue;
		p->nr_ids[d->space]++;
		if (id_map_add(&p->ids[d->space], id, 1) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int check_record(struct references_pass *p, struct record *record)
{
	union record_fields fields;
	size_t present;

	if (!record->desc || record_fields(record, &fields, &present, &p->room) < 0)
		return 0;
	check_fields(p, record->kind, &fields);
	if (record->desc->columns)
		check_columns(p, record);
	return define(p, record->kind, &fields);
}

static void pass_free(struct references_pass *p)
{
	if (!p)
		return;
	for (enum space s = 0; s < NR_SPACES; s++)
		id_map_free(&p->ids[s]);
	list_room_free(&p->room);
	free(p);
}

int references_check(const char *path, struct references *ret, struct diag *diag)
{
	struct references_pass *p = calloc(1, sizeof(*p));
	struct reader *reader = NULL;
	struct frame frame;
	struct record record;
	int r = p ? reader_open(path, &reader, diag) : diag_set(diag, -ENOMEM, "no memory");

	while (r >= 0 && (r = reader_next(reader, &frame, diag)) > 0)
		while (r >= 0 && record_next(&frame.content, &record) > 0) {
			r = check_record(p, &record);
			if (r < 0)
				diag_set(diag, r, "%s: no memory", path);
		}
	if (r == 0)
		*ret = p->result;
	reader_close(reader);
	pass_free(p);
	return r;
}
