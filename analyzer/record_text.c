/* SPDX-License-Identifier: Apache-2.0 */
#include "record_text.h"

#include <inttypes.h>

static const char *const transform_names[TTI_NR_TRANSFORMS] = {
	[TTI_PLAIN] = "plain",
	[TTI_DELTA] = "delta",
	[TTI_KEYED] = "keyed",
	[TTI_GAP] = "gap",
};

void header_print(const struct tti_file_header *h, FILE *out)
{
	fprintf(out, "trace major=%u minor=%u level=%u features=%" PRIu64 "\n", h->major, h->minor,
		h->level, h->features);
}

static void print_hex(const char *name, const uint8_t *bytes, size_t n, FILE *out)
{
	fprintf(out, " %s=", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", bytes[i]);
}

static void print_string(const struct tti_str *s, FILE *out)
{
	fputc('"', out);
	for (size_t i = 0; i < s->size; i++) {
		const unsigned char c = (unsigned char)s->data[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < ' ' || c > '~')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void print_list(const struct tti_list *l, FILE *out)
{
	for (size_t i = 0; i < l->size; i++)
		fprintf(out, "%c%" PRIu64, i ? ',' : '[', l->values[i]);
	fputs(l->size ? "]" : "[]", out);
}

static void print_field(const struct tti_field_desc *f, const void *fields, FILE *out)
{
	const void *field = (const char *)fields + f->offset;

	fprintf(out, " %s=", f->name);
	switch (f->type) {
	case TTI_FIELD_U:
		fprintf(out, "%" PRIu64, *(const uint64_t *)field);
		break;
	case TTI_FIELD_S:
		fprintf(out, "%" PRId64, *(const int64_t *)field);
		break;
	case TTI_FIELD_STR:
		print_string(field, out);
		break;
	case TTI_FIELD_LIST:
		print_list(field, out);
		break;
	}
}

static void print_codings(const struct batch *b, FILE *out)
{
	fprintf(out, " rows=%zu", b->nr_rows);
	for (size_t i = 0; i < b->nr_columns; i++)
		fprintf(out, "%s%s:%u",
			i ? "," : " codings=", transform_names[b->columns[i].transform],
			b->columns[i].nr_planes);
	if (cursor_left(&b->extra))
		print_hex("extra", b->extra.at, cursor_left(&b->extra), out);
	fputc('\n', out);
}

static void print_rows(struct batch *b, FILE *out)
{
	for (size_t n = batch_strip(b); n; n = batch_strip(b))
		for (size_t row = 0; row < n; row++) {
			for (size_t i = 0; i < b->nr_columns; i++)
				fprintf(out, "%c%" PRIu64, i ? ' ' : '\t', b->values[i][row]);
			fputc('\n', out);
		}
}

static void print_unknown(const struct record *record, FILE *out)
{
	fprintf(out, "record kind=%" PRIu64, record->kind);
	print_hex("bytes", record->payload.at, cursor_left(&record->payload), out);
	fputc('\n', out);
}

void record_print(struct record record, struct batch *batch, struct list_room *room, FILE *out)
{
	const struct record whole = record;
	const struct tti_record_desc *desc = record.desc;
	union record_fields fields;
	size_t present;

	if (!desc || record_fields(&record, &fields, &present, room) < 0 ||
	    (desc->columns && batch_open(&record, ~0u, batch) < 0)) {
		print_unknown(&whole, out);
		return;
	}
	fputs(desc->name, out);
	for (size_t i = 0; i < present; i++)
		print_field(&desc->fields[i], &fields, out);
	if (desc->columns) {
		print_codings(batch, out);
		print_rows(batch, out);
		return;
	}
	if (present < desc->nr_fields)
		fprintf(out, " fields=%zu", present);
	if (cursor_left(&record.payload))
		print_hex("extra", record.payload.at, cursor_left(&record.payload), out);
	fputc('\n', out);
}

void raw_print(const struct cursor *bytes, FILE *out)
{
	fputs("raw", out);
	print_hex("bytes", bytes->at, cursor_left(bytes), out);
	fputc('\n', out);
}
