/* SPDX-License-Identifier: Apache-2.0 */
#include "phase_survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "id_map.h"
#include "python_path.h"
#include "read_ahead.h"
#include "trace_parts.h"

enum {
	TEMPLATES_MAX = 1 << 20,
	/* Less often is no loop. */
	COUNT_MIN = 3,
	/* Fewer launches, or a smaller part of the largest loop's, are no loop around it. */
	LOOP_MIN = 2,
	LOOP_PART = 10,
};

/* Of distances: variance by squared mean; and how much of the run the launches must span. */
static const double unevenness_max = 1.0, span_min = 0.05;

struct survey {
	struct phase_survey *result;
	struct mark_ranges *marks;
	struct list_room room;
	struct batch batch;
	struct id_map ids; /* of templates that launch something, to recurrences */
	struct recurrence *rows;
	size_t nr, size;
	uint64_t launches;
	uint64_t rows_left; /* of this frame */
	bool has_calls;     /* paths that lead through modules */
};

/* --- the period ------------------------------------------------------------------------------- */

void recurrence_add(struct recurrence *r, uint64_t at)
{
	const double distance = r->count ? (double)(at - r->last) : 0;

	if (!r->count)
		r->first = at;
	if (r->count && at - r->last > r->longest)
		r->longest = at - r->last;
	r->squares += distance * distance;
	r->last = at;
	r->count++;
}

static bool is_even(const struct recurrence *r, uint64_t launches)
{
	const double span = (double)(r->last - r->first), nr = (double)r->count - 1;

	return r->count >= COUNT_MIN && span >= span_min * (double)launches &&
	       nr * r->squares <= (1 + unevenness_max) * span * span;
}

static int by_count(const void *a, const void *b)
{
	const struct recurrence *const *x = a, *const *y = b;

	if ((*x)->count != (*y)->count)
		return (*x)->count < (*y)->count ? -1 : 1;
	return (*x)->first < (*y)->first ? -1 : (*x)->first > (*y)->first;
}

/* Those with one count, of rows by count and first. */
struct loop {
	size_t begin, nr;
	uint64_t count, first, last;
};

static struct loop loop_at(const struct recurrence *const *even, size_t nr, size_t begin)
{
	struct loop loop = { .begin = begin,
			     .count = even[begin]->count,
			     .first = even[begin]->first };

	for (size_t i = begin; i < nr && even[i]->count == loop.count; i++) {
		loop.nr++;
		loop.last = even[i]->last > loop.last ? even[i]->last : loop.last;
	}
	return loop;
}

/* Runs from where the other one does to its end, give or take one of its rounds. */
static bool covers(const struct loop *loop, const struct loop *other)
{
	return loop->first <= other->first &&
	       loop->last + (other->last - other->first) / other->count >= other->last;
}

/*
 * The loop that most launches belong to; but where every step has what begins it and only some have
 * the rest, most launches come less often than there are steps: so one that is around it, if it is
 * no accident of a few launches.
 */
static const struct recurrence *first_of_loop(const struct recurrence *const *even, size_t nr)
{
	struct loop most = { 0 }, best, loop;

	for (size_t i = 0; i < nr; i += loop.nr) {
		loop = loop_at(even, nr, i);
		if (loop.nr > most.nr)
			most = loop;
	}
	best = most;
	for (size_t i = 0; i < nr; i += loop.nr) {
		loop = loop_at(even, nr, i);
		if (loop.nr >= LOOP_MIN && loop.nr * LOOP_PART >= most.nr && covers(&loop, &most) &&
		    loop.first < best.first)
			best = loop;
	}
	return even[best.begin];
}

const struct recurrence *recurrence_anchor(const struct recurrence *rows, size_t nr,
					   uint64_t launches)
{
	const struct recurrence **even = calloc(nr + 1, sizeof(*even));
	const struct recurrence *anchor = NULL;
	size_t nr_even = 0;

	for (size_t i = 0; even && i < nr; i++)
		if (is_even(&rows[i], launches))
			even[nr_even++] = &rows[i];
	if (nr_even) {
		qsort(even, nr_even, sizeof(*even), by_count);
		anchor = first_of_loop(even, nr_even);
	}
	free(even);
	return anchor;
}

/* --- records ---------------------------------------------------------------------------------- */

static int take_template(struct survey *s, const struct tti_template *t)
{
	const bool is_launch = t->op == TTI_OP_LAUNCH || t->op == TTI_OP_GRAPH_LAUNCH;

	if (!is_launch || t->flags & TTI_TEMPLATE_CAPTURED || s->nr == TEMPLATES_MAX ||
	    id_map_find(&s->ids, t->id))
		return 0;
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 256;
		struct recurrence *rows = realloc(s->rows, size * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		s->rows = rows;
		s->size = size;
	}
	s->rows[s->nr++] = (struct recurrence){ .id = t->id };
	return id_map_add(&s->ids, t->id, (uint32_t)s->nr);
}

static void take_string(struct survey *s, const struct tti_string *string)
{
	char text[64];

	if (s->has_calls || !string->text.size || string->text.size >= sizeof(text))
		return;
	memcpy(text, string->text.data, string->text.size);
	text[string->text.size] = '\0';
	s->has_calls = python_name_is_call(text) || phase_kind_of_class(text) != PHASE_gap;
}

static void take_host(struct survey *s, struct record *record)
{
	if (batch_open(record, COLUMN_BIT(host, template), &s->batch) < 0 ||
	    s->batch.nr_rows > s->rows_left)
		return;
	s->rows_left -= s->batch.nr_rows;
	for (size_t n = batch_strip(&s->batch); n; n = batch_strip(&s->batch))
		for (size_t i = 0; i < n; i++) {
			const uint32_t index =
				id_map_find(&s->ids, s->batch.values[tti_column_host_template][i]);

			if (index)
				recurrence_add(&s->rows[index - 1], s->launches++);
		}
}

static int take_record(struct survey *s, struct record *record)
{
	union record_fields fields;
	size_t present;
	int r;

	switch (record->desc ? record->kind : 0) {
	case TTI_RECORD_TEMPLATE:
	case TTI_RECORD_MARK:
	case TTI_RECORD_STRING:
	case TTI_RECORD_HOST:
		break;
	default:
		return 0;
	}
	r = record_fields(record, &fields, &present, &s->room);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	if (record->kind == TTI_RECORD_TEMPLATE)
		return take_template(s, &fields.template);
	if (record->kind == TTI_RECORD_MARK)
		return mark_ranges_take(s->marks, &fields.mark);
	if (record->kind == TTI_RECORD_STRING)
		take_string(s, &fields.string);
	else if (!s->has_calls)
		take_host(s, record);
	return 0;
}

static int take_frame(struct survey *s, const struct frame *frame)
{
	struct cursor content = frame->content;
	struct record record;
	int r;

	s->rows_left = (uint64_t)frame->compressed_bytes * TRACE_ROWS_PER_BYTE_MAX;
	while ((r = record_next(&content, &record)) > 0) {
		r = take_record(s, &record);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_frames(struct survey *s, struct reader *reader, struct diag *diag)
{
	struct read_ahead *ahead = read_ahead_begin(reader);
	struct frame frame;
	uint64_t offset;
	int r = ahead ? 1 : diag_set(diag, -ENOMEM, "no memory");

	while (r > 0 && (r = read_ahead_next(ahead, &frame, &offset, diag)) > 0)
		if (take_frame(s, &frame) < 0)
			r = diag_set(diag, -ENOMEM, "no memory");
	read_ahead_end(ahead);
	return r;
}

static int read_all(struct survey *s, struct reader *reader, struct diag *diag)
{
	const struct recurrence *anchor;
	int r = read_frames(s, reader, diag);

	if (r < 0)
		return r;
	r = mark_ranges_phases(s->marks, &s->result->marks, &s->result->nr_marks);
	if (r < 0)
		return diag_set(diag, r, "no memory");
	anchor = s->has_calls ? NULL : recurrence_anchor(s->rows, s->nr, s->launches);
	if (anchor) {
		s->result->anchor = anchor->id;
		s->result->longest_launches = anchor->longest;
		s->result->period_launches = (anchor->last - anchor->first) / (anchor->count - 1);
	}
	return 0;
}

int phase_survey_make(const char *path, struct names *names, struct phase_survey *ret,
		      struct diag *diag)
{
	struct survey *s = calloc(1, sizeof(*s));
	struct reader *reader = NULL;
	int r = s ? reader_open(path, &reader, diag) : -ENOMEM;

	*ret = (struct phase_survey){ 0 };
	if (r == 0) {
		s->result = ret;
		s->marks = mark_ranges_new(names);
		r = s->marks ? read_all(s, reader, diag) : diag_set(diag, -ENOMEM, "no memory");
	}
	if (r < 0) {
		free(ret->marks);
		*ret = (struct phase_survey){ 0 };
	}
	if (s) {
		list_room_free(&s->room);
		mark_ranges_free(s->marks);
		id_map_free(&s->ids);
		free(s->rows);
	}
	free(s);
	reader_close(reader);
	return r;
}

int phase_survey_copy(const struct phase_survey *from, struct phase_survey *ret, struct diag *diag)
{
	*ret = *from;
	ret->marks = malloc((from->nr_marks + 1) * sizeof(*ret->marks));
	if (!ret->marks)
		return diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < from->nr_marks; i++)
		ret->marks[i] = from->marks[i];
	return 0;
}
