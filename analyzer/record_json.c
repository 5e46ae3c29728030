/* SPDX-License-Identifier: Apache-2.0 */
#include "record_json.h"

#include "json_text.h"

json_t *header_json(const struct tti_file_header *h)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:o}", "record", "trace", "major", (int)h->major,
			 "minor", (int)h->minor, "level", (int)h->level, "features",
			 json_u64(h->features));
}

static json_t *list_json(const struct tti_list *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->size; i++)
		json_array_append_new(array, json_u64(l->values[i]));
	return array;
}

static json_t *field_json(const struct tti_field_desc *f, const void *fields)
{
	const void *field = (const char *)fields + f->offset;

	switch (f->type) {
	case TTI_FIELD_U:
		return json_u64(*(const uint64_t *)field);
	case TTI_FIELD_S:
		return json_integer(*(const int64_t *)field);
	case TTI_FIELD_STR: {
		const struct tti_str *s = field;

		return json_bytes(s->data, s->size);
	}
	case TTI_FIELD_LIST:
		return list_json(field);
	}
	return NULL;
}

static json_t *columns_json(struct batch *b)
{
	json_t *object = json_object();
	json_t *arrays[DECODE_COLUMNS_MAX];

	for (size_t i = 0; i < b->desc->nr_columns; i++) {
		arrays[i] = json_array();
		json_object_set_new(object, b->desc->columns[i].name, arrays[i]);
	}
	for (size_t n = batch_strip(b); n; n = batch_strip(b))
		for (size_t i = 0; i < b->desc->nr_columns; i++)
			for (size_t row = 0; row < n; row++)
				json_array_append_new(arrays[i], json_u64(b->values[i][row]));
	return object;
}

json_t *record_json(struct record record, struct batch *batch, struct list_room *room)
{
	const struct tti_record_desc *desc = record.desc;
	const size_t size = cursor_left(&record.payload);
	union record_fields fields;
	json_t *object = json_object();
	size_t present;

	if (!desc || record_fields(&record, &fields, &present, room) < 0 ||
	    (desc->columns && batch_open(&record, ~0u, batch) < 0)) {
		json_object_set_new(object, "record", json_string(desc ? "damaged" : "unknown"));
		json_object_set_new(object, "kind", json_u64(record.kind));
		json_object_set_new(object, "size_bytes", json_u64(size));
		return object;
	}
	json_object_set_new(object, "record", json_string(desc->name));
	for (size_t i = 0; i < desc->nr_fields; i++)
		json_object_set_new(object, desc->fields[i].name,
				    field_json(&desc->fields[i], &fields));
	if (desc->columns)
		json_object_set_new(object, "columns", columns_json(batch));
	return object;
}
