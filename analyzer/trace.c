/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"

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

static const struct {
	const char *name, *meaning;
	bool is_loss;
} counters[TTI_COUNTER_LIMIT] = {
#define TTI_COUNTER(id, NAME, name, loss, what) [id] = { name, what, loss },
#include "ttitrace/enums.def"
#undef TTI_COUNTER
};

const char *counter_name(enum tti_counter counter)
{
	return counters[counter].name;
}

const char *counter_meaning(enum tti_counter counter)
{
	return counters[counter].meaning;
}

bool counter_is_loss(enum tti_counter counter)
{
	return counters[counter].is_loss;
}

static bool same_grid(const struct tti_template *h, const struct tti_device_template *d)
{
	return h->grid_x == d->grid_x && h->grid_y == d->grid_y && h->grid_z == d->grid_z;
}

/* A name that the driver would not tell agrees with any. */
static bool agree(const struct host_template *h, const struct device_template *d)
{
	return (!h->kernel || !d->kernel || h->kernel == d->kernel) &&
	       same_grid(&h->definition, &d->definition);
}

static void check_pair(struct trace *t, uint32_t host, uint32_t device)
{
	struct host_template *h = &t->model.templates.rows[host];

	if (h->agrees_with == device)
		return;
	if (agree(h, &t->model.device_templates.rows[device])) {
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

static void see_time(struct trace *t, uint64_t begin_ns, uint64_t end_ns)
{
	if (begin_ns < t->first_ns)
		t->first_ns = begin_ns;
	if (end_ns > t->last_ns)
		t->last_ns = end_ns;
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
	see_time(t, begin, begin + duration);
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

static struct trace_device *find_device(struct trace *t, uint64_t ordinal)
{
	struct trace_device *d;

	for (size_t i = 0; i < t->nr_devices; i++)
		if (t->devices[i].ordinal == ordinal)
			return &t->devices[i];
	/* No machine has so many: a damaged template. */
	if (t->nr_devices == TRACE_DEVICES_MAX)
		return &t->devices[TRACE_DEVICES_MAX - 1];
	d = &t->devices[t->nr_devices];
	*d = (struct trace_device){ .ordinal = ordinal, .busy = busy_new() };
	if (!d->busy)
		return NULL;
	t->nr_devices++;
	return d;
}

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
		s->device = find_device(t, d->definition.device);
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

/* --- sums ------------------------------------------------------------------------------------- */

static void sum_host(struct trace *t)
{
	uint64_t *counted = t->counted;

	for (size_t i = 1; i < t->model.templates.nr; i++) {
		const struct host_template *h = &t->model.templates.rows[i];
		const bool captured = h->definition.flags & TTI_TEMPLATE_CAPTURED;

		t->host_ns += h->host_ns;
		switch (h->definition.op) {
		case TTI_OP_LAUNCH:
			counted[captured ? TTI_COUNTER_CAPTURED : TTI_COUNTER_LAUNCHES] += h->count;
			counted[TTI_COUNTER_FAILED] += h->failed;
			break;
		case TTI_OP_NODE:
			counted[TTI_COUNTER_CAPTURED] += h->count;
			break;
		case TTI_OP_GRAPH_LAUNCH:
			counted[TTI_COUNTER_GRAPH_LAUNCHES] += h->count;
			counted[TTI_COUNTER_FAILED] += h->failed;
			break;
		case TTI_OP_COPY:
		case TTI_OP_FILL:
			counted[captured ? TTI_COUNTER_CAPTURED_COPIES : TTI_COUNTER_COPIES] +=
				h->count;
			break;
		case TTI_OP_SYNC:
			counted[TTI_COUNTER_SYNCS] += h->count + h->failed;
			break;
		default:
			break;
		}
	}
	t->model.problems[PROBLEM_undefined_template] =
		t->model.templates.rows[0].count + t->model.templates.rows[0].failed;
}

static void sum_device(struct trace *t)
{
	for (size_t i = 1; i < t->model.device_templates.nr; i++) {
		const struct device_template *d = &t->model.device_templates.rows[i];
		struct trace_device *device =
			d->count ? find_device(t, d->definition.device) : NULL;

		if (!device)
			continue;
		switch (d->definition.activity) {
		case TTI_ACTIVITY_KERNEL:
			t->counted[TTI_COUNTER_KERNEL_RECORDS] += d->count;
			t->counted[TTI_COUNTER_NODE_RECORDS] += d->node_count;
			device->kernel_ns += d->time_ns;
			break;
		case TTI_ACTIVITY_GRAPH:
			t->graph_records += d->count;
			device->kernel_ns += d->time_ns;
			break;
		default:
			t->counted[TTI_COUNTER_COPY_RECORDS] += d->count;
			device->copy_ns += d->time_ns;
			break;
		}
	}
	t->model.problems[PROBLEM_undefined_device_template] =
		t->model.device_templates.rows[0].count;
	for (size_t i = 0; i < t->nr_devices; i++) {
		struct busy *b = t->devices[i].busy;

		busy_merge(b);
		if (b->last_ns)
			see_time(t, b->first_ns, b->last_ns);
	}
}

static void sum_nodes(struct trace *t)
{
	const struct model *m = &t->model;

	for (size_t i = 1; i < m->nodes.nr; i++) {
		const struct graph_node *node = &m->nodes.rows[i];
		const struct device_template *d = &m->device_templates.rows[node->device_template];
		const uint32_t creator = node->nr_rows ? model_node_creator(m, node) : 0;

		if (!node->nr_rows || d->definition.activity != TTI_ACTIVITY_KERNEL)
			continue;
		if (!creator)
			t->nodes_without_creator += node->nr_rows;
		else if (!agree(&m->templates.rows[creator], d))
			t->nodes_mismatched += node->nr_rows;
	}
}

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
	sum_host(s->trace);
	sum_device(s->trace);
	sum_nodes(s->trace);
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

void trace_free(struct trace *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nr_devices; i++)
		free(t->devices[i].busy);
	model_clear(&t->model);
	free(t->path);
	free(t);
}

bool trace_has_device_rows(const struct trace *t)
{
	return t->counted[TTI_COUNTER_KERNEL_RECORDS] || t->counted[TTI_COUNTER_COPY_RECORDS] ||
	       t->graph_records;
}

bool trace_counter_differs(const struct trace *t, enum tti_counter counter)
{
	return counters[counter].name && !counters[counter].is_loss &&
	       t->model.has_counter[counter] && t->model.counters[counter] != t->counted[counter];
}

static bool has_losses(const struct trace *t)
{
	for (int i = 0; i < TTI_COUNTER_LIMIT; i++)
		if (counters[i].is_loss && t->model.counters[i])
			return true;
	return false;
}

bool trace_is_untimed(const struct trace *t)
{
	const char *timing = model_info(&t->model, "option.timing");

	/* The recorder writes the number of the choice, people who write traces by hand its word.
	 */
	return timing && (!strcmp(timing, "none") || !strcmp(timing, "1")) &&
	       !trace_has_device_rows(t);
}

/* Without device timing there is nothing to be joined. */
static bool is_joined(const struct trace *t)
{
	const struct correlation *c = &t->correlation;

	if (trace_is_untimed(t))
		return true;
	return !c->launches_without_record && !c->graphs_without_record &&
	       !c->kernels_without_launch && !c->nodes_without_launch && !t->mismatched;
}

bool trace_is_complete(const struct trace *t)
{
	for (int i = 0; i < TTI_COUNTER_LIMIT; i++)
		if (trace_counter_differs(t, i))
			return false;
	return t->model.has_finish && !damage_is_any(&t->damage) && !has_losses(t) &&
	       is_joined(t) && !t->model.problems[PROBLEM_bad_record] &&
	       !t->model.problems[PROBLEM_frame_remainder] &&
	       !t->model.problems[PROBLEM_too_many_rows] &&
	       !t->model.problems[PROBLEM_undefined_template] &&
	       !t->model.problems[PROBLEM_undefined_device_template];
}
