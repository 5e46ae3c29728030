/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW(id, NAME, name, what)
#define BATCH(id, NAME, name, what) \
	_Static_assert((int)tti_nr_columns_##name <= DECODE_COLUMNS_MAX, "DECODE_COLUMNS_MAX");
#define FIELD(name, field, TYPE, what)
#define COLUMN(name, column, TRANSFORM, what)
#define END(name)
#include "ttitrace/records.def"
#undef ROW
#undef BATCH
#undef FIELD
#undef COLUMN
#undef END

void list_room_free(struct list_room *room)
{
	free(room->values);
	*room = (struct list_room){ 0 };
}

int record_next(struct cursor *frame, struct record *ret_record)
{
	if (!cursor_left(frame))
		return 0;
	ret_record->kind = cursor_varint(frame);
	ret_record->payload = cursor_part(frame, cursor_varint(frame));
	ret_record->desc = tti_record_desc(ret_record->kind);
	return frame->bad ? -EBADMSG : 1;
}

/* For all lists of a record at once, since they must not move: a number takes a byte at least. */
static int reserve_lists(struct list_room *room, const struct record *record)
{
	const size_t size = cursor_left(&record->payload);
	uint64_t *values;

	room->used = 0;
	if (size <= room->size)
		return 0;
	values = realloc(room->values, size * sizeof(*values));
	if (!values)
		return -ENOMEM;
	room->values = values;
	room->size = size;
	return 0;
}

static bool has_lists(const struct tti_record_desc *desc)
{
	for (size_t i = 0; i < desc->nr_fields; i++)
		if (desc->fields[i].type == TTI_FIELD_LIST)
			return true;
	return false;
}

static void get_list(struct cursor *c, struct tti_list *ret, struct list_room *room)
{
	uint64_t *values = room->values + room->used;
	const uint64_t n = cursor_varint(c);

	if (n > cursor_left(c)) {
		cursor_fail(c);
		return;
	}
	for (uint64_t i = 0; i < n; i++)
		values[i] = cursor_varint(c);
	room->used += n;
	*ret = (struct tti_list){ .values = values, .size = n };
}

static void get_field(struct cursor *c, enum tti_field_type type, void *ret_field,
		      struct list_room *room)
{
	switch (type) {
	case TTI_FIELD_U:
		*(uint64_t *)ret_field = cursor_varint(c);
		break;
	case TTI_FIELD_S:
		*(int64_t *)ret_field = (int64_t)tti_unzigzag(cursor_varint(c));
		break;
	case TTI_FIELD_STR: {
		struct tti_str *s = ret_field;
		const uint64_t n = cursor_varint(c);

		s->data = (const char *)cursor_bytes(c, n);
		s->size = s->data ? n : 0;
		break;
	}
	case TTI_FIELD_LIST:
		get_list(c, ret_field, room);
		break;
	}
}

int record_fields(struct record *record, union record_fields *ret_fields, size_t *ret_present,
		  struct list_room *room)
{
	const struct tti_record_desc *desc = record->desc;
	size_t i;

	memset(ret_fields, 0, desc->struct_bytes);
	if (has_lists(desc) && reserve_lists(room, record) < 0)
		return -ENOMEM;
	/* An older writer knew fewer fields; but a batch continues behind them. */
	for (i = 0; i < desc->nr_fields && (desc->columns || cursor_left(&record->payload)); i++) {
		const struct tti_field_desc *f = &desc->fields[i];

		get_field(&record->payload, f->type, (char *)ret_fields + f->offset, room);
		if (record->payload.bad)
			return -EBADMSG;
	}
	*ret_present = i;
	/* Nobody who reads a string need ask whether it is there. */
	for (; i < desc->nr_fields; i++)
		if (desc->fields[i].type == TTI_FIELD_STR)
			((struct tti_str *)((char *)ret_fields + desc->fields[i].offset))->data =
				"";
	return 0;
}

static bool has_first(enum tti_transform t)
{
	return t == TTI_DELTA || t == TTI_GAP;
}

static int open_column(struct batch *b, size_t i, struct cursor *c)
{
	struct column *column = &b->columns[i];
	const uint8_t coding = cursor_u8(c);
	const unsigned int nr_planes = coding & 15;

	/* The first column is the key: it cannot be coded by itself. */
	if (coding >> 4 >= TTI_NR_TRANSFORMS || nr_planes > 8 ||
	    (coding >> 4 == TTI_KEYED && i == 0))
		return -EBADMSG;
	*column = (struct column){ .transform = coding >> 4, .nr_planes = nr_planes };
	if (has_first(column->transform))
		column->previous = cursor_varint(c);
	column->planes = cursor_bytes(c, (uint64_t)nr_planes * b->nr_rows);
	if (column->transform == TTI_KEYED) {
		column->last = b->last[i];
		memset(column->last, 0, sizeof(b->last[i]));
	}
	return c->bad ? -EBADMSG : 0;
}

/* What a wanted column is computed from is wanted too. */
static uint32_t with_dependencies(const struct batch *b, uint32_t wanted)
{
	for (size_t i = b->nr_columns; i-- > 0;) {
		if (!(wanted >> i & 1))
			continue;
		if (b->columns[i].transform == TTI_GAP && i)
			wanted |= 1u << (i - 1);
		if (b->columns[i].transform == TTI_KEYED)
			wanted |= 1;
	}
	return wanted;
}

int batch_open(const struct record *record, uint32_t wanted, struct batch *b)
{
	struct cursor c = record->payload;
	int err = 0;

	b->desc = record->desc;
	b->next_row = 0;
	b->nr_rows = cursor_varint(&c);
	if (c.bad || !b->nr_rows || b->nr_rows > TTI_BATCH_ROWS_MAX)
		return -EBADMSG;
	for (b->nr_columns = 0; b->nr_columns < b->desc->nr_columns && cursor_left(&c) && err == 0;
	     b->nr_columns++)
		err = open_column(b, b->nr_columns, &c);
	/* An older writer's columns end earlier: the others are 0. */
	for (size_t i = b->nr_columns; i < b->desc->nr_columns; i++)
		b->columns[i] = (struct column){ .transform = TTI_PLAIN };
	b->extra = c;
	b->wanted = with_dependencies(b, wanted);
	return err;
}

/*
 * Residuals from planes.  One loop per width, so that each is a straight line over its planes that
 * the compiler turns into vector instructions.
 */
#define PLANE(p) ((uint64_t)planes[(p)*stride + i] << 8 * (p))
#define GATHER(expression)             \
	for (size_t i = 0; i < n; i++) \
		out[i] = (expression); \
	break
static void gather(uint64_t *restrict out, const uint8_t *restrict planes, size_t stride,
		   unsigned int nr_planes, size_t n)
{
	switch (nr_planes) {
	case 0:
		memset(out, 0, n * sizeof(*out));
		break;
	case 1:
		GATHER(PLANE(0));
	case 2:
		GATHER(PLANE(0) | PLANE(1));
	case 3:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2));
	case 4:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3));
	case 5:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3) | PLANE(4));
	case 6:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3) | PLANE(4) | PLANE(5));
	case 7:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3) | PLANE(4) | PLANE(5) | PLANE(6));
	default:
		GATHER(PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3) | PLANE(4) | PLANE(5) | PLANE(6) |
		       PLANE(7));
	}
}

static void unzigzag_all(uint64_t *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r[i] = r[i] >> 1 ^ (0 - (r[i] & 1));
}

static void undo_delta(uint64_t *restrict out, const uint64_t *restrict r, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++) {
		value += r[i];
		out[i] = value;
	}
}

/* `before_previous` is the column before this one in the row before this strip. */
static void undo_gap(uint64_t *restrict out, const uint64_t *restrict r,
		     const uint64_t *restrict before, size_t n, uint64_t value,
		     uint64_t before_previous)
{
	value += r[0] + before_previous;
	out[0] = value;
	for (size_t i = 1; i < n; i++) {
		value += r[i] + before[i - 1];
		out[i] = value;
	}
}

/* GAP in the first column: there is no column before, the format takes the column itself. */
static void undo_gap_itself(uint64_t *restrict out, const uint64_t *restrict r, size_t n,
			    uint64_t value, bool is_first_row)
{
	for (size_t i = 0; i < n; i++) {
		value = (is_first_row && !i ? value : value + value) + r[i];
		out[i] = value;
	}
}

static void undo_keyed(uint64_t *restrict out, const uint64_t *restrict r,
		       const uint64_t *restrict key, size_t n, uint64_t *restrict last)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t *slot = &last[key[i] % TTI_KEYED_SLOTS];

		*slot += r[i];
		out[i] = *slot;
	}
}

static void decode_column(struct batch *b, size_t i, size_t n, uint64_t before_previous)
{
	struct column *c = &b->columns[i];
	uint64_t *out = b->values[i];
	uint64_t *r = c->transform == TTI_PLAIN ? out : b->residuals;

	gather(r, c->nr_planes ? c->planes + b->next_row : NULL, b->nr_rows, c->nr_planes, n);
	if (c->transform != TTI_PLAIN && c->nr_planes)
		unzigzag_all(r, n);
	switch (c->transform) {
	case TTI_DELTA:
		undo_delta(out, r, n, c->previous);
		break;
	case TTI_KEYED:
		undo_keyed(out, r, b->values[0], n, c->last);
		break;
	case TTI_GAP:
		if (i)
			undo_gap(out, r, b->values[i - 1], n, c->previous, before_previous);
		else
			undo_gap_itself(out, r, n, c->previous, !b->next_row);
		break;
	case TTI_PLAIN:
	case TTI_NR_TRANSFORMS:
		break;
	}
}

size_t batch_strip(struct batch *b)
{
	const size_t left = b->nr_rows - b->next_row;
	const size_t n = left < STRIP_ROWS ? left : STRIP_ROWS;
	uint64_t before_previous = 0;

	if (!n)
		return 0;
	for (size_t i = 0; i < b->desc->nr_columns; i++) {
		const uint64_t previous = b->next_row ? b->columns[i].previous : 0;

		if (!(b->wanted >> i & 1))
			continue;
		decode_column(b, i, n, before_previous);
		b->columns[i].previous = b->values[i][n - 1];
		before_previous = previous;
	}
	b->next_row += n;
	return n;
}
