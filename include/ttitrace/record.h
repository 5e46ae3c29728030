/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - records.def as C: a struct per record, and a table that describes them. */
#ifndef TTITRACE_RECORD_H
#define TTITRACE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "ttitrace/format.h"

/* Borrowed bytes, not terminated. */
struct tti_str {
	const char *data;
	size_t size;
};

/* Borrowed numbers. */
struct tti_list {
	const uint64_t *values;
	size_t size;
};

#define TTI_C_TYPE_U    uint64_t
#define TTI_C_TYPE_S    int64_t
#define TTI_C_TYPE_STR  struct tti_str
#define TTI_C_TYPE_LIST struct tti_list

/*
 * struct tti_process, struct tti_kernel ...: the fields of a record (of a batch: those before its
 * columns).
 */
#define ROW(id, NAME, name, what)      struct tti_##name {
#define BATCH(id, NAME, name, what)    struct tti_##name {
#define FIELD(name, field, TYPE, what) TTI_C_TYPE_##TYPE field;
#define COLUMN(name, column, TRANSFORM, what)
#define END(name) \
	}         \
	;
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

/* TTI_RECORD_PROCESS ...: the kind on disk. */
enum tti_record {
#define ROW(id, NAME, name, what)   TTI_RECORD_##NAME = (id),
#define BATCH(id, NAME, name, what) TTI_RECORD_##NAME = (id),
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what)
#define END(name)
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END
	TTI_RECORD_LIMIT = 64
};

/* tti_column_host_begin_ns, tti_nr_columns_host ...: the columns of a batch, numbered. */
#define ROW(id, NAME, name, what)   enum {
#define BATCH(id, NAME, name, what) enum {
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what) tti_column_##name##_##column,
#define END(name)             \
	tti_nr_columns_##name \
	}                     \
	;
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

enum tti_field_type { TTI_FIELD_U, TTI_FIELD_S, TTI_FIELD_STR, TTI_FIELD_LIST };

struct tti_field_desc {
	const char *name;
	enum tti_field_type type;
	size_t offset; /* in the record's struct */
};

struct tti_column_desc {
	const char *name;
	enum tti_transform transform; /* what our writer uses; the file says what was used */
};

struct tti_record_desc {
	const char *name; /* NULL: no such record */
	size_t struct_bytes;
	const struct tti_field_desc *fields;
	size_t nr_fields;
	const struct tti_column_desc *columns; /* NULL: not a batch */
	size_t nr_columns;
};

/* The description of a record kind, or NULL: this version does not know it. */
static inline const struct tti_record_desc *tti_record_desc(uint64_t kind)
{
#define ROW(id, NAME, name, what)   static const struct tti_field_desc fields_##name[] = {
#define BATCH(id, NAME, name, what) static const struct tti_field_desc fields_##name[] = {
#define FIELD(name, field, TYPE, what) \
	{ #field, TTI_FIELD_##TYPE, offsetof(struct tti_##name, field) },
#define COLUMN(name, column, TRANSFORM, what)
#define END(name) \
	}         \
	;
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

#define ROW(id, NAME, name, what)   static const struct tti_column_desc columns_##name[1] = {
#define BATCH(id, NAME, name, what) static const struct tti_column_desc columns_##name[] = {
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what) { #column, TTI_##TRANSFORM },
#define END(name) \
	}         \
	;
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

#define DESC(id, record, is_batch)                                                  \
	[id] = { .name = #record,                                                   \
		 .struct_bytes = sizeof(struct tti_##record),                       \
		 .fields = fields_##record,                                         \
		 .nr_fields = sizeof(fields_##record) / sizeof(fields_##record[0]), \
		 .columns = (is_batch) ? columns_##record : NULL,                   \
		 .nr_columns = (is_batch) ? (size_t)tti_nr_columns_##record : 0 },
#define ROW(id, NAME, name, what)   DESC(id, name, 0)
#define BATCH(id, NAME, name, what) DESC(id, name, 1)
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what)
#define END(name)
	static const struct tti_record_desc descs[TTI_RECORD_LIMIT] = {
#include "ttitrace/records.def"
	};
#undef DESC
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

	return kind < TTI_RECORD_LIMIT && descs[kind].name ? &descs[kind] : NULL;
}

#endif
