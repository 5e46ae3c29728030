/* SPDX-License-Identifier: Apache-2.0 */
/* An Avro object container file, deflated: a record for each row, what is not known is null. */
#include <avro.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "export_formats.h"

enum { BLOCK_BYTES = 1 << 20 };

struct container {
	const struct export *export;
	avro_file_writer_t writer;
	avro_value_t record;
	avro_value_t fields[SHEET_COLUMNS_MAX]; /* unions of null and the type */
};

static int fail(const struct container *c)
{
	return diag_set(c->export->diag, -EIO, "Avro: %s", avro_strerror());
}

static const char *type_text(enum cell_type type)
{
	switch (type) {
	case CELL_TEXT:
		return "string";
	case CELL_INTEGER:
		return "long";
	case CELL_REAL:
		return "double";
	case CELL_BOOLEAN:
		return "boolean";
	}
	return "null";
}

/* NULL: no memory.  Free it. */
static char *schema_text(const struct sheet *sheet)
{
	json_t *fields = json_array(), *schema;
	char *text;

	for (size_t i = 0; i < sheet->nr_columns; i++)
		json_array_append_new(fields,
				      json_pack("{s:s, s:s, s:[s, s], s:n}", "name",
						sheet->columns[i].name, "doc",
						sheet->columns[i].what, "type", "null",
						type_text(sheet->columns[i].type), "default"));
	schema = json_pack("{s:s, s:s, s:s, s:s, s:o}", "type", "record", "name", sheet->name,
			   "namespace", "ttitrace", "doc", sheet->what, "fields", fields);
	text = schema ? json_dumps(schema, JSON_COMPACT) : NULL;
	json_decref(schema);
	return text;
}

static int set_cell(avro_value_t *field, const struct cell *cell, enum cell_type type)
{
	avro_value_t branch;

	if (avro_value_set_branch(field, cell->is_known, &branch))
		return -1;
	if (!cell->is_known)
		return avro_value_set_null(&branch);
	switch (type) {
	case CELL_TEXT:
		return avro_value_set_string(&branch, cell->text);
	case CELL_INTEGER:
		return avro_value_set_long(&branch, cell->integer > INT64_MAX
							    ? INT64_MAX
							    : (int64_t)cell->integer);
	case CELL_REAL:
		return avro_value_set_double(&branch, cell->real);
	case CELL_BOOLEAN:
		return avro_value_set_boolean(&branch, cell->boolean);
	}
	return -1;
}

static int put_row(void *context, const struct cell *cells)
{
	struct container *c = context;
	const struct sheet *sheet = c->export->sheet;

	for (size_t i = 0; i < sheet->nr_columns; i++)
		if (set_cell(&c->fields[i], &cells[i], sheet->columns[i].type))
			return fail(c);
	return avro_file_writer_append_value(c->writer, &c->record) ? fail(c) : 0;
}

static int fill(struct container *c)
{
	const struct export *e = c->export;
	const struct sheet_sink sink = { .row = put_row, .context = c };
	int r;

	for (size_t i = 0; i < e->sheet->nr_columns; i++)
		if (avro_value_get_by_index(&c->record, i, &c->fields[i], NULL))
			return fail(c);
	r = sheet_each(e->sheet, e->analysis, &sink, e->diag);
	if (r == 0 && avro_file_writer_flush(c->writer))
		r = fail(c);
	return r;
}

static int write_container(struct container *c, avro_schema_t schema)
{
	avro_value_iface_t *class = avro_generic_class_from_schema(schema);
	int r;

	if (!class || avro_generic_value_new(class, &c->record)) {
		if (class)
			avro_value_iface_decref(class);
		return diag_set(c->export->diag, -ENOMEM, "no memory");
	}
	if (avro_file_writer_create_with_codec_fp(c->export->out, "(output)", 0, schema, &c->writer,
						  "deflate", BLOCK_BYTES)) {
		r = fail(c);
	} else {
		r = fill(c);
		avro_file_writer_close(c->writer);
	}
	avro_value_decref(&c->record);
	avro_value_iface_decref(class);
	return r;
}

int export_avro(const struct export *e)
{
	struct container c = { .export = e };
	char *text = schema_text(e->sheet);
	avro_schema_t schema;
	int r;

	if (!text || avro_schema_from_json_length(text, strlen(text), &schema)) {
		free(text);
		return diag_set(e->diag, -ENOMEM, "Avro: %s", text ? avro_strerror() : "no memory");
	}
	free(text);
	r = write_container(&c, schema);
	avro_schema_decref(schema);
	return r;
}
