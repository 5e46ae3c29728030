/* SPDX-License-Identifier: Apache-2.0 */
/* The pass over the file: every record is decoded, every row added to its template. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "phase_survey.h"
#include "read_ahead.h"
#include "seed.h"
#include "sequence.h"
#include "trace.h"
#include "trace_parts.h"

/* Threads times streams whose launches are kept apart, and attentions whose times are kept. */
enum { SEQUENCES_MAX = 512, MOMENTS_MAX = 1 << 20 };

/* What one pass needs besides its result. */
struct scan {
	struct trace *trace;
	const struct trace_observer *observer; /* NULL: none */
	struct correlator *correlator;
	struct list_room room;
	struct batch *batch;
	uint32_t indexes[STRIP_ROWS]; /* of the templates of a strip */
	struct sequence_world world;
	struct id_map sequence_ids; /* by thread and stream */
	struct sequence *sequences[SEQUENCES_MAX];
	uint32_t nr_sequences;
	struct id_map bodies;      /* CUPTI ids of graphs with kernels in loops and branches */
	bool has_captured;         /* in a sequence that waits: nodes of graphs refer to it */
	struct sequence *sequence; /* the one used last */
	uint64_t sequence_tid, sequence_stream;
	uint64_t rows_left;   /* of this frame */
	uint64_t last_device; /* ordinal of the device row before */
	struct trace_device *device;
};

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

/* The attention of the longest-lived launches is what seqlen shows over time. */
static int note_moment(struct trace *t, uint32_t site, uint32_t segment, uint64_t begin_ns)
{
	struct trace_timeline *line = &t->timeline;

	if (line->nr == MOMENTS_MAX) {
		line->nr_left_out++;
		return 0;
	}
	if (line->nr == line->size) {
		const size_t size = line->size ? 2 * line->size : 1024;
		struct moment *moments = realloc(line->moments, size * sizeof(*moments));

		if (!moments)
			return -ENOMEM;
		line->moments = moments;
		line->size = size;
	}
	line->moments[line->nr++] = (struct moment){ begin_ns, site, segment };
	return 0;
}

/* Whether the launches of a site are attentions, each counted once. */
static bool is_attention(const struct trace *t, uint32_t site)
{
	const struct site *s = &t->pairs.sites[site];
	const struct hint *hint = &t->pairs.hints[s->hint];

	if (hint->part)
		return hint->part == PART_values;
	return t->model.templates.rows[s->template].step == STEP_attention;
}

static uint32_t find_site(struct trace *t, struct host_template *h, const struct sequence_entry *e)
{
	const uint32_t hint = pairs_hint(&t->pairs, &e->hint);
	const uint32_t segment = t->pairs.has_sites_of_segments ? e->segment : 0;
	const struct site *last = &t->pairs.sites[h->last_site];

	if (!h->last_site || last->parameters != e->parameters || last->hint != hint ||
	    last->segment != segment)
		h->last_site = pairs_site(&t->pairs, e->template, e->parameters, hint, segment);
	return h->last_site;
}

static int tell_host(struct scan *s, const struct sequence_entry *e, enum host_class class,
		     uint32_t site, uint64_t result)
{
	const struct host_row row = {
		.tid = e->tid,
		.begin_ns = e->begin_ns,
		.duration_ns = e->duration_ns,
		.result = result,
		.template = e->template,
		.site = site,
		.segment = e->segment,
		.correlation = e->correlation,
		.class = class,
	};

	return s->observer ? s->observer->host(s->observer->context, &row) : 0;
}

static int leave_entry(struct scan *s, const struct sequence_entry *e)
{
	struct trace *t = s->trace;
	struct host_template *h = &t->model.templates.rows[e->template];
	const enum host_class class = host_class(&h->definition);
	const uint32_t index = find_site(t, h, e);
	struct correlated device;
	int r;

	if (!index)
		return -ENOMEM;
	r = tell_host(s, e, class, index, 0);
	if (r < 0)
		return r;
	if (pairs_add_host(&t->pairs, index, e->segment, e->duration_ns) < 0)
		return -ENOMEM;
	if (e->node) {
		struct graph_node *n = model_node(&t->model, e->node);

		if (n) {
			n->site = index;
			n->segment = e->segment;
		}
	}
	if (!class)
		return 0;
	if (is_attention(t, index)) {
		if (note_moment(t, index, e->segment, e->begin_ns) < 0)
			return -ENOMEM;
		if (t->phases)
			phase_tracker_attention(t->phases, e->segment, index);
	}
	correlate_host(s->correlator, e->correlation, class, index, &device);
	if (!device.device)
		return 0;
	return pairs_add(&t->pairs, index, device.device, e->segment, device.nr, device.time_ns,
			 device.time_ns / device.nr, device.time_ns / device.nr);
}

static struct sequence *new_sequence(struct scan *s, uint64_t key)
{
	struct sequence *sequence;

	if (s->nr_sequences == SEQUENCES_MAX)
		return s->sequences[SEQUENCES_MAX - 1];
	sequence = calloc(1, sizeof(*sequence));
	if (!sequence || id_map_add(&s->sequence_ids, key, s->nr_sequences + 1) < 0) {
		free(sequence);
		return NULL;
	}
	s->sequences[s->nr_sequences++] = sequence;
	return sequence;
}

static struct sequence *find_sequence(struct scan *s, uint64_t tid, uint64_t stream)
{
	const uint64_t key = seed_mix(tid) ^ stream;
	uint32_t index;

	if (s->sequence && s->sequence_tid == tid && s->sequence_stream == stream)
		return s->sequence;
	index = id_map_find(&s->sequence_ids, key);
	s->sequence = index ? s->sequences[index - 1] : new_sequence(s, key);
	s->sequence_tid = tid;
	s->sequence_stream = stream;
	return s->sequence;
}

static int end_sequences(struct scan *s)
{
	for (uint32_t i = 0; i < s->nr_sequences; i++) {
		struct sequence *sequence = s->sequences[i];

		sequence_end(sequence, &s->world);
		while (sequence->nr_left < sequence->nr) {
			const int r = leave_entry(s, sequence_leave(sequence, &s->world));

			if (r < 0)
				return r;
		}
	}
	s->has_captured = false;
	return 0;
}

static int host_row(struct scan *s, uint64_t tid, size_t i)
{
	struct trace *t = s->trace;
	uint64_t(*const v)[STRIP_ROWS] = s->batch->values;
	const uint32_t index = s->indexes[i];
	struct host_template *h = &t->model.templates.rows[index];
	const uint64_t begin = v[tti_column_host_begin_ns][i];
	const uint64_t duration = v[tti_column_host_duration_ns][i];
	struct sequence_entry entry = {
		.template = index,
		.parameters =
			id_map_find(&t->model.parameter_ids, v[tti_column_host_parameters][i]),
		.correlation = (uint32_t)v[tti_column_host_correlation][i],
		.step = h->step,
		.tid = tid,
		.node = v[tti_column_host_node][i],
		.begin_ns = begin,
		.duration_ns = duration,
	};
	struct sequence *sequence;
	int r;

	trace_see_time(t, begin, begin + duration);
	if (v[tti_column_host_result][i]) {
		h->failed++;
		h->host_ns += duration;
		return tell_host(s, &entry, 0, 0, v[tti_column_host_result][i]);
	}
	if (t->phases) {
		entry.segment = phase_tracker_host(t->phases, tid, index, begin, begin + duration,
						   entry.correlation);
		if (!entry.segment)
			return -ENOMEM;
	}
	if (!h->work)
		return leave_entry(s, &entry);
	/* The graph's nodes will run: what put them into it must be known by then. */
	if (h->definition.op == TTI_OP_GRAPH_LAUNCH && s->has_captured) {
		r = end_sequences(s);
		if (r < 0)
			return r;
	}
	s->has_captured |= h->definition.flags & TTI_TEMPLATE_CAPTURED;
	sequence = find_sequence(s, tid, h->definition.stream);
	if (!sequence)
		return -ENOMEM;
	if (sequence_is_full(sequence)) {
		r = leave_entry(s, sequence_leave(sequence, &s->world));
		if (r < 0)
			return r;
	}
	sequence_push(sequence, &s->world, &entry);
	return 0;
}

static int host_batch(struct scan *s, uint64_t tid)
{
	struct model *m = &s->trace->model;

	for (size_t n = batch_strip(s->batch); n; n = batch_strip(s->batch)) {
		look_up(&m->template_ids, s->batch->values[tti_column_host_template], n,
			s->indexes);
		for (size_t i = 0; i < n; i++) {
			const int r = host_row(s, tid, i);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- device rows ------------------------------------------------------------------------------ */

static enum device_class device_class(const struct tti_device_template *t, uint64_t node)
{
	if (t->activity == TTI_ACTIVITY_KERNEL || t->activity == TTI_ACTIVITY_GRAPH)
		return node || t->activity == TTI_ACTIVITY_GRAPH ? DEVICE_NODE : DEVICE_KERNEL;
	return DEVICE_COPY;
}

/* A node whose kernel was exchanged: what it did before goes to its own pair. */
static int change_node(struct trace *t, struct graph_node *n, uint32_t index)
{
	const uint32_t creator = n->nr_rows ? model_node_creator(&t->model, n) : 0;

	if (creator &&
	    pairs_add(&t->pairs, creator, n->device_template, model_node_segment(&t->model, n),
		      n->nr_rows, n->time_ns, n->min_ns, n->max_ns) < 0)
		return -ENOMEM;
	n->nr_rows = n->time_ns = n->max_ns = 0;
	n->min_ns = UINT64_MAX;
	n->device_template = index;
	return 0;
}

/* What a node does in a phase is not what it does in the next one. */
static int node_row_of_phase(struct trace *t, uint32_t creator, uint32_t segment, uint32_t index,
			     uint64_t begin, uint64_t duration, uint32_t capture,
			     uint32_t *ret_site)
{
	const struct host_template *h = &t->model.templates.rows[t->pairs.sites[creator].template];
	const struct device_template *d = &t->model.device_templates.rows[index];

	phase_tracker_replays(t->phases, segment, capture);
	if (t->pairs.has_sites_of_segments) {
		const struct site site = t->pairs.sites[creator];

		creator = pairs_site(&t->pairs, site.template, site.parameters, site.hint, segment);
		if (!creator)
			return -ENOMEM;
	}
	if (pairs_add(&t->pairs, creator, index, segment, 1, duration, duration, duration) < 0)
		return -ENOMEM;
	if (d->definition.activity == TTI_ACTIVITY_KERNEL &&
	    (!templates_have_one_geometry(h, d) || !templates_have_one_name(h, d)))
		t->nodes_mismatched++;
	*ret_site = creator;
	if (!is_attention(t, creator))
		return 0;
	phase_tracker_attention(t->phases, segment, creator);
	return note_moment(t, creator, segment, begin);
}

/* *ret_site: of the call that made the node. */
static int node_row(struct trace *t, uint64_t node, uint32_t segment, uint32_t index,
		    uint64_t begin, uint64_t duration, uint32_t *ret_site)
{
	struct device_template *d = &t->model.device_templates.rows[index];
	struct graph_node *n = model_node(&t->model, node);
	uint32_t creator;

	d->node_count++;
	if (!n)
		return 0;
	if (n->device_template != index && change_node(t, n, index) < 0)
		return -ENOMEM;
	creator = segment ? model_node_creator(&t->model, n) : 0;
	if (creator)
		return node_row_of_phase(t, creator, segment, index, begin, duration,
					 model_node_segment(&t->model, n), ret_site);
	n->nr_rows++;
	n->time_ns += duration;
	n->min_ns = duration < n->min_ns ? duration : n->min_ns;
	n->max_ns = duration > n->max_ns ? duration : n->max_ns;
	creator = model_node_creator(&t->model, n);
	*ret_site = creator;
	if (!creator && step_of_work(work_of_device(t->model.works, d)) == STEP_attention)
		t->timeline.nr_left_out++;
	return creator && is_attention(t, creator) ? note_moment(t, creator, 0, begin) : 0;
}

static int tell_device(struct scan *s, size_t i, uint32_t segment, uint32_t site)
{
	uint64_t(*const v)[STRIP_ROWS] = s->batch->values;
	const struct device_template *d = &s->trace->model.device_templates.rows[s->indexes[i]];
	const struct device_row row = {
		.begin_ns = v[tti_column_gpu_begin_ns][i],
		.duration_ns = v[tti_column_gpu_duration_ns][i],
		.node = v[tti_column_gpu_node][i],
		.template = s->indexes[i],
		.segment = segment,
		.site = site,
		.correlation = (uint32_t)v[tti_column_gpu_correlation][i],
		.class = device_class(&d->definition, v[tti_column_gpu_node][i]),
	};

	return s->observer->device(s->observer->context, &row);
}

/*
 * CUPTI numbers no kernels in the bodies of conditional nodes.  Without a number too, but not of
 * a graph that was launched, is a record that has lost its call.  < 0: no memory.
 */
static int is_of_body(struct scan *s, uint64_t graph)
{
	if (!graph || !id_map_find(&s->trace->model.graph_ids, graph))
		return 0;
	return id_map_find(&s->bodies, graph) || id_map_add(&s->bodies, graph, 1) == 0 ? 1
										       : -ENOMEM;
}

static bool ran_bodies(void *context, uint32_t host)
{
	const struct scan *s = context;
	const struct model *m = &s->trace->model;
	const struct site *site = &s->trace->pairs.sites[host];
	const uint64_t id = m->templates.rows[site->template].definition.graph;
	const uint32_t exec = id_map_find(&m->exec_ids, id);

	return exec && id_map_find(&s->bodies, m->execs.rows[exec].cupti);
}

static int pair_device(struct scan *s, uint64_t correlation, enum device_class class,
		       uint32_t index, uint32_t segment, uint64_t duration)
{
	struct trace *t = s->trace;
	const uint64_t graph = t->model.device_templates.rows[index].definition.graph;
	const int is_body = class == DEVICE_NODE && !correlation ? is_of_body(s, graph) : 0;
	uint32_t host;

	if (is_body) {
		correlate_body(s->correlator);
		return is_body < 0 ? is_body : 0;
	}
	host = correlate_device(s->correlator, (uint32_t)correlation, class, index, duration);
	return host ? pairs_add(&t->pairs, host, index, segment, 1, duration, duration, duration)
		    : 0;
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
	uint32_t creator = 0, segment = 0;

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
	if (t->phases)
		segment =
			phase_tracker_device(t->phases, (uint32_t)v[tti_column_gpu_correlation][i],
					     begin, duration,
					     device_class(&d->definition, node) != DEVICE_COPY);
	if (node && node_row(t, node, segment, index, begin, duration, &creator) < 0)
		return -ENOMEM;
	if (s->observer) {
		const int r = tell_device(s, i, segment, creator);

		if (r < 0)
			return r;
	}
	return pair_device(s, v[tti_column_gpu_correlation][i], device_class(&d->definition, node),
			   index, segment, duration);
}

static int device_batch(struct scan *s)
{
	struct model *m = &s->trace->model;

	if (!s->trace->pairs.has_device)
		pairs_see_device(&s->trace->pairs);
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

static int take_batch(struct scan *s, struct record *record, const union record_fields *fields)
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
		return host_batch(s, fields->host.tid);
	if (record->kind == TTI_RECORD_GPU)
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
	if (r == 0 && s->observer)
		r = s->observer->record(s->observer->context, record->kind, &fields);
	if (r < 0)
		return r;
	return record->desc->columns ? take_batch(s, record, &fields)
				     : model_take(m, record->kind, &fields);
}

static int take_frame(struct scan *s, const struct frame *frame)
{
	struct cursor content = frame->content;
	struct record record;
	int r;

	s->trace->nr_frames++;
	s->rows_left = (uint64_t)frame->compressed_bytes * TRACE_ROWS_PER_BYTE_MAX;
	s->trace->content_bytes += cursor_left(&content);
	while ((r = record_next(&content, &record)) > 0) {
		r = take_record(s, &record);
		if (r < 0)
			return r;
	}
	if (r == -EBADMSG)
		s->trace->model.problems[PROBLEM_frame_remainder]++;
	if (!model_has_many_nodes(&s->trace->model))
		return 0;
	return model_forget_nodes(&s->trace->model, trace_settle_node, s->trace);
}

/* --- the file --------------------------------------------------------------------------------- */

static int take_frames(struct scan *s, struct read_ahead *ahead, struct diag *diag)
{
	struct frame frame;
	uint64_t offset;
	int r;

	while ((r = read_ahead_next(ahead, &frame, &offset, diag)) > 0) {
		r = take_frame(s, &frame);
		if (r == -ENOMEM)
			diag_set(diag, r, "%s: no memory", s->trace->path);
		if (r < 0)
			return r;
		if (s->observer)
			s->observer->progress(s->observer->context, offset);
	}
	return r;
}

static int scan_frames(struct scan *s, struct reader *reader, struct diag *diag)
{
	struct read_ahead *ahead = read_ahead_begin(reader);
	const int r = ahead ? take_frames(s, ahead, diag)
			    : diag_set(diag, -ENOMEM, "%s: no memory", s->trace->path);

	read_ahead_end(ahead);
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
	correlator_ask_bodies(s->correlator, ran_bodies, s);
	r = scan_frames(s, reader, diag);
	if (r < 0)
		return r;
	r = end_sequences(s);
	correlator_finish(s->correlator, &s->trace->correlation);
	if (r == 0)
		r = trace_sum(s->trace);
	return r == -ENOMEM ? diag_set(diag, r, "%s: no memory", s->trace->path) : r;
}

static int track_phases(struct scan *s, const struct trace_setup *setup, struct diag *diag)
{
	struct phase_survey survey;
	const int r = setup->survey
			      ? phase_survey_copy(setup->survey, &survey, diag)
			      : phase_survey_make(s->trace->path, setup->names, &survey, diag);

	if (r < 0)
		return r;
	s->trace->phases = phase_tracker_new(&s->trace->model, &survey);
	if (s->trace->phases)
		return 0;
	free(survey.marks);
	return diag_set(diag, -ENOMEM, "%s: no memory", s->trace->path);
}

int trace_scan(const char *path, const struct trace_setup *setup, struct trace **ret_trace,
	       struct diag *diag)
{
	struct reader *reader = NULL;
	struct scan s = { .trace = calloc(1, sizeof(*s.trace)), .observer = setup->observer };
	int r = reader_open(path, &reader, diag);

	if (r < 0)
		goto out;
	r = -ENOMEM;
	if (!s.trace || model_init(&s.trace->model, setup->names, setup->works) < 0 ||
	    pairs_init(&s.trace->pairs) < 0 || !(s.trace->path = strdup(path))) {
		diag_set(diag, r, "%s: no memory", path);
		goto out;
	}
	if (setup->with_phases) {
		r = track_phases(&s, setup, diag);
		if (r < 0)
			goto out;
	}
	s.trace->pairs.has_segments = setup->with_phase_sums && !setup->with_phase_sites;
	s.trace->pairs.has_sites_of_segments = setup->with_phase_sites;
	s.trace->first_ns = UINT64_MAX;
	s.trace->model.information = setup->information;
	s.world = (struct sequence_world){ .model = &s.trace->model, .pairs = &s.trace->pairs };
	r = scan(&s, reader, diag);
	if (r < 0)
		goto out;
	*ret_trace = s.trace;
	s.trace = NULL;
out:
	correlator_free(s.correlator);
	list_room_free(&s.room);
	for (uint32_t i = 0; i < s.nr_sequences; i++)
		free(s.sequences[i]);
	id_map_free(&s.sequence_ids);
	id_map_free(&s.bodies);
	free(s.batch);
	trace_free(s.trace);
	reader_close(reader);
	return r;
}
