/* SPDX-License-Identifier: Apache-2.0 */
/* The pass over the file: every record is decoded, every row added to its template. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "trace_parts.h"

/*
 * Rows that one compressed byte may stand for.  Constant columns of full batches come to less than
 * a thousand; without a limit a few kilobytes could keep a reader busy for days.
 */
enum { ROWS_PER_BYTE_MAX = 16384 };

/* What one pass needs besides its result. */
struct scan {
	struct trace *trace;
	struct correlator *correlator;
	struct list_room room;
	struct batch *batch;
	uint32_t indexes[STRIP_ROWS]; /* of the templates of a strip */
	uint64_t rows_left;           /* of this frame */
	uint64_t last_device;         /* ordinal of the device row before */
	struct trace_device *device;
};

static void check_pair(struct trace *t, uint32_t host, uint32_t device)
{
	struct host_template *h = &t->model.templates.rows[host];

	if (h->agrees_with == device)
		return;
	if (templates_agree(h, &t->model.device_templates.rows[device])) {
		h->agrees_with = device;
		return;
	}
	t->mismatched++;
	if (t->nr_mismatches < TRACE_MISMATCHES_MAX)
		t->mismatches[t->nr_mismatches++] = (struct mismatch){ host, device };
}

static void look_up(const struct id_map *ids, const uint64_t *values, size_t n, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = id_map_find(ids, values[i]);
}

/* --- host rows -------------------------------------------------------------------------------- */

static enum host_class host_class(const struct tti_template *t)
{
	if (t->flags & TTI_TEMPLATE_CAPTURED)
		return 0;
	switch (t->op) {
	case TTI_OP_LAUNCH:
		return HOST_LAUNCH;
	case TTI_OP_GRAPH_LAUNCH:
		return HOST_GRAPH;
	case TTI_OP_COPY:
	case TTI_OP_FILL:
		return HOST_COPY;
	default:
		return 0;
	}
}

static int host_row(struct scan *s, size_t i)
{
	struct trace *t = s->trace;
	uint64_t(*const v)[STRIP_ROWS] = s->batch->values;
	const uint32_t index = s->indexes[i];
	struct host_template *h = &t->model.templates.rows[index];
	const uint64_t node = v[tti_column_host_node][i];
	const uint64_t begin = v[tti_column_host_begin_ns][i];
	const uint64_t duration = v[tti_column_host_duration_ns][i];
	enum host_class class;

	h->host_ns += duration;
	trace_see_time(t, begin, begin + duration);
	if (v[tti_column_host_result][i]) {
		h->failed++;
		return 0;
	}
	h->count++;
	if (node) {
		struct graph_node *n = model_node(&t->model, node);

		if (n)
			n->host_template = index;
	}
	class = host_class(&h->definition);
	if (class) {
		const uint32_t device =
			correlate_host(s->correlator, (uint32_t)v[tti_column_host_correlation][i],
				       class, index);

		if (device)
			check_pair(t, index, device);
	}
	return 0;
}

static void host_batch(struct scan *s)
{
	struct model *m = &s->trace->model;

	for (size_t n = batch_strip(s->batch); n; n = batch_strip(s->batch)) {
		look_up(&m->template_ids, s->batch->values[tti_column_host_template], n,
			s->indexes);
		for (size_t i = 0; i < n; i++)
			host_row(s, i);
	}
}

/* --- device rows ------------------------------------------------------------------------------ */

static enum device_class device_class(const struct tti_device_template *t, uint64_t node)
{
	if (t->activity == TTI_ACTIVITY_KERNEL || t->activity == TTI_ACTIVITY_GRAPH)
		return node || t->activity == TTI_ACTIVITY_GRAPH ? DEVICE_NODE : DEVICE_KERNEL;
	return DEVICE_COPY;
}

static void node_row(struct trace *t, struct device_template *d, uint64_t node, uint32_t index)
{
	struct graph_node *n = model_node(&t->model, node);

	d->node_count++;
	if (!n)
		return;
	n->nr_rows++;
	n->device_template = index;
}

static int device_row(struct scan *s, size_t i)
{
	struct trace *t = s->trace;
	uint64_t(*const v)[STRIP_ROWS] = s->batch->values;
	const uint32_t index = s->indexes[i];
	struct device_template *d = &t->model.device_templates.rows[index];
	const uint64_t begin = v[tti_column_gpu_begin_ns][i];
	const uint64_t duration = v[tti_column_gpu_duration_ns][i];
	const uint64_t node = v[tti_column_gpu_node][i];
	uint32_t host;

	d->count++;
	d->time_ns += duration;
	if (duration < d->min_ns)
		d->min_ns = duration;
	if (duration > d->max_ns)
		d->max_ns = duration;
	if (!s->device || d->definition.device != s->last_device) {
		s->device = trace_find_device(t, d->definition.device);
		s->last_device = d->definition.device;
		if (!s->device)
			return -ENOMEM;
	}
	/* A hostile time near 2^64 must not end before it begins. */
	if (begin + duration >= begin)
		busy_add(s->device->busy, begin, begin + duration);
	if (node)
		node_row(t, d, node, index);
	host = correlate_device(s->correlator, (uint32_t)v[tti_column_gpu_correlation][i],
				device_class(&d->definition, node), index);
	if (host)
		check_pair(t, host, index);
	return 0;
}

static int device_batch(struct scan *s)
{
	struct model *m = &s->trace->model;

	for (size_t n = batch_strip(s->batch); n; n = batch_strip(s->batch)) {
		look_up(&m->device_template_ids, s->batch->values[tti_column_gpu_template], n,
			s->indexes);
		for (size_t i = 0; i < n; i++) {
			const int r = device_row(s, i);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static int take_batch(struct scan *s, struct record *record)
{
	if (batch_open(record, ~0u, s->batch) < 0) {
		s->trace->model.problems[PROBLEM_bad_record]++;
		return 0;
	}
	if (s->batch->nr_rows > s->rows_left) {
		s->trace->model.problems[PROBLEM_too_many_rows]++;
		return 0;
	}
	s->rows_left -= s->batch->nr_rows;
	if (record->kind == TTI_RECORD_HOST)
		host_batch(s);
	else if (record->kind == TTI_RECORD_GPU)
		return device_batch(s);
	return 0;
}

static int take_record(struct scan *s, struct record *record)
{
	struct model *m = &s->trace->model;
	union record_fields fields;
	size_t present;
	int r;

	s->trace->nr_records++;
	if (!m->has_process && record->kind != TTI_RECORD_PROCESS)
		m->problems[PROBLEM_process_not_first]++;
	if (m->has_finish)
		m->problems[PROBLEM_after_finish]++;
	if (!record->desc) {
		m->problems[PROBLEM_unknown_record]++;
		return 0;
	}
	r = record_fields(record, &fields, &present, &s->room);
	if (r == -EBADMSG) {
		m->problems[PROBLEM_bad_record]++;
		return 0;
	}
	if (r < 0)
		return r;
	return record->desc->columns ? take_batch(s, record) : model_take(m, record->kind, &fields);
}

static int take_frame(struct scan *s, const struct frame *frame)
{
	struct cursor content = frame->content;
	struct record record;
	int r;

	s->trace->nr_frames++;
	s->rows_left = (uint64_t)frame->compressed_bytes * ROWS_PER_BYTE_MAX;
	s->trace->content_bytes += cursor_left(&content);
	while ((r = record_next(&content, &record)) > 0) {
		r = take_record(s, &record);
		if (r < 0)
			return r;
	}
	if (r == -EBADMSG)
		s->trace->model.problems[PROBLEM_frame_remainder]++;
	return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

static int scan_frames(struct scan *s, struct reader *reader, struct diag *diag)
{
	struct frame frame;
	int r;

	while ((r = reader_next(reader, &frame, diag)) > 0) {
		r = take_frame(s, &frame);
		if (r < 0)
			return diag_set(diag, r, "%s: no memory", s->trace->path);
	}
	s->trace->damage = *reader_damage(reader);
	s->trace->file_bytes = reader_offset(reader);
	return r;
}

static int scan(struct scan *s, struct reader *reader, struct diag *diag)
{
	int r;

	s->trace->header = *reader_header(reader);
	s->correlator = correlator_new();
	s->batch = malloc(sizeof(*s->batch));
	if (!s->correlator || !s->batch)
		return diag_set(diag, -ENOMEM, "%s: no memory", s->trace->path);
	r = scan_frames(s, reader, diag);
	if (r < 0)
		return r;
	correlator_finish(s->correlator, &s->trace->correlation);
	trace_sum(s->trace);
	return 0;
}

int trace_scan(const char *path, struct names *names, struct trace **ret_trace, struct diag *diag)
{
	struct reader *reader = NULL;
	struct scan s = { .trace = calloc(1, sizeof(*s.trace)) };
	int r = reader_open(path, &reader, diag);

	if (r < 0)
		goto out;
	r = -ENOMEM;
	if (!s.trace || model_init(&s.trace->model, names) < 0 || !(s.trace->path = strdup(path))) {
		diag_set(diag, r, "%s: no memory", path);
		goto out;
	}
	s.trace->first_ns = UINT64_MAX;
	r = scan(&s, reader, diag);
	if (r < 0)
		goto out;
	*ret_trace = s.trace;
	s.trace = NULL;
out:
	correlator_free(s.correlator);
	list_room_free(&s.room);
	free(s.batch);
	trace_free(s.trace);
	reader_close(reader);
	return r;
}
