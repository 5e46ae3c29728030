/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes with their threads, whose slices are calls; for each stream a track of what ran and one
 * of the modules it ran for; flows between; phases; counters.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export_formats.h"
#include "load_curve.h"
#include "perfetto_packets.h"
#include "seed.h"

enum {
	DEPTH_MAX = 64,
	RECENT = 64,    /* intervals of a lane that a later row is compared with */
	LANES_MAX = 16, /* of work that overlaps on one stream */
	ANNOTATIONS_MAX = 12,
	SAMPLES = 4096,   /* of a counter of load */
	PIDS = 100000000, /* apart, for processes of hosts or containers that have the same */
	RANK_PHASES = 1,  /* order of a process's tracks */
	RANK_COUNTERS = 2,
	RANK_STREAMS = 10,
};

/* A sort of track; with two numbers it is a track. */
enum track_sort {
	TRACK_process,
	TRACK_thread,
	TRACK_phases,
	TRACK_stream,  /* of device, context and stream */
	TRACK_modules, /* of a stream */
	TRACK_busy,
	TRACK_queries,
	TRACK_keys,
};

struct lane {
	uint64_t uuid;
	uint64_t last_ns; /* the latest end */
	struct {
		uint64_t begin_ns, end_ns;
	} recent[RECENT];
	size_t nr;
};

/* The modules that are open on a stream. */
struct nest {
	uint64_t uuid;
	uint64_t end_ns;
	const struct phase *phase;
	uint32_t nodes[DEPTH_MAX];
	size_t depth;
};

struct stream {
	struct lane *lanes[LANES_MAX];
	struct nest nest;
};

/* What every event of a subject says. */
struct caption {
	uint64_t name, category;
	Perfetto__Annotation annotations[ANNOTATIONS_MAX];
	Perfetto__Annotation *pointers[ANNOTATIONS_MAX];
	size_t nr;
};

struct timeline {
	const struct export *export;
	struct packets packets;
	struct id_map track_ids;  /* by sort and numbers */
	struct id_map stream_ids; /* by the same, of a stream */
	uint64_t *tracks;
	struct stream **streams;
	struct caption **captions; /* by subject */
	struct load_curve **loads; /* by trace and device */
	size_t nr_tracks, nr_streams, size_captions;
};

/* --- tracks ----------------------------------------------------------------------------------- */

static uint64_t key_of(enum track_sort sort, uint32_t trace, uint64_t a, uint64_t b)
{
	const uint64_t fields[] = { (uint64_t)sort << 32 | trace, a, b };

	return seed_hash(fields, sizeof(fields));
}

static uint64_t known_track(const struct timeline *t, uint64_t key)
{
	const uint32_t index = id_map_find(&t->track_ids, key);

	return index ? t->tracks[index - 1] : 0;
}

static uint64_t add_track(struct timeline *t, uint64_t key, Perfetto__TrackDescriptor *d)
{
	uint64_t *tracks = realloc(t->tracks, (t->nr_tracks + 1) * sizeof(*tracks));
	uint64_t uuid = 0;

	if (tracks) {
		t->tracks = tracks;
		uuid = tracks[t->nr_tracks++] = packets_track(&t->packets, d);
	}
	if (!tracks || id_map_add(&t->track_ids, key, (uint32_t)t->nr_tracks) < 0)
		t->packets.err = -ENOMEM;
	return uuid;
}

/* Perfetto takes processes with one number for one. */
static int32_t pid_of(const struct timeline *t, uint32_t trace)
{
	const struct run *run = &t->export->analysis->run;
	const uint64_t pid = run->traces[trace]->model.process.pid;

	for (uint32_t i = 0; i < trace; i++)
		if (run->traces[i]->model.process.pid == pid)
			return (int32_t)(pid % PIDS + PIDS * (1 + trace % 20));
	return (int32_t)(pid % PIDS);
}

static uint64_t process_track(struct timeline *t, uint32_t trace)
{
	const uint64_t key = key_of(TRACK_process, trace, 0, 0);
	const uint64_t known = known_track(t, key);
	const struct model *m = &t->export->analysis->run.traces[trace]->model;
	const char *program = m->program ? strrchr(m->program->text, '/') : NULL;
	Perfetto__TrackDescriptor d = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__Process process = PERFETTO__PROCESS__INIT;
	char name[512];

	if (known)
		return known;
	snprintf(name, sizeof(name), "%s%s%s%s%s",
		 program                          ? program + 1
		 : m->program && m->program->size ? m->program->text
						  : "process",
		 m->rank && m->rank->size ? " rank " : "",
		 m->rank && m->rank->size ? m->rank->text : "",
		 m->host && m->host->size ? " on " : "",
		 m->host && m->host->size ? m->host->text : "");
	process.has_pid = 1;
	process.pid = pid_of(t, trace);
	process.process_name = (char *)sheet_text(&t->export->analysis->run, name);
	d.process = &process;
	d.has_child_ordering = 1;
	d.child_ordering = 3;
	return add_track(t, key, &d);
}

static uint64_t thread_track(struct timeline *t, uint32_t trace, uint64_t tid, const char *name)
{
	const uint64_t key = key_of(TRACK_thread, trace, tid, 0);
	const uint64_t known = known_track(t, key);
	Perfetto__TrackDescriptor d = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__Thread thread = PERFETTO__THREAD__INIT;

	if (known)
		return known;
	d.has_parent_uuid = 1;
	d.parent_uuid = process_track(t, trace);
	thread.has_pid = thread.has_tid = 1;
	thread.pid = pid_of(t, trace);
	thread.tid = (int64_t)tid;
	thread.thread_name = (char *)name;
	d.thread = &thread;
	return add_track(t, key, &d);
}

/* One below a process; with a unit, of a counter. */
static uint64_t other_track(struct timeline *t, uint64_t key, uint32_t trace, int32_t rank,
			    const char *name, const char *unit)
{
	const uint64_t known = known_track(t, key);
	Perfetto__TrackDescriptor d = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__Counter counter = PERFETTO__COUNTER__INIT;

	if (known)
		return known;
	d.has_parent_uuid = d.has_sibling_order_rank = 1;
	d.parent_uuid = process_track(t, trace);
	d.sibling_order_rank = rank;
	d.name = (char *)name;
	counter.unit_name = (char *)unit;
	d.counter = unit ? &counter : NULL;
	return add_track(t, key, &d);
}

/* --- events ----------------------------------------------------------------------------------- */

static void put_end(struct timeline *t, uint64_t track, uint64_t time_ns)
{
	Perfetto__Event event = PERFETTO__EVENT__INIT;

	event.has_type = event.has_track_uuid = 1;
	event.type = EVENT_END;
	event.track_uuid = track;
	packets_event(&t->packets, time_ns, &event);
}

static void put_begin(struct timeline *t, uint64_t track, uint64_t time_ns, enum packet_event type,
		      const struct caption *c, uint64_t flow)
{
	Perfetto__Event event = PERFETTO__EVENT__INIT;
	uint64_t category = c->category;

	event.has_type = event.has_track_uuid = event.has_name_iid = 1;
	event.type = type;
	event.track_uuid = track;
	event.name_iid = c->name;
	event.n_category_iids = category != 0;
	event.category_iids = &category;
	event.n_debug_annotations = c->nr;
	event.debug_annotations = (Perfetto__Annotation **)c->pointers;
	event.n_flow_ids = flow != 0;
	event.flow_ids = &flow;
	packets_event(&t->packets, time_ns, &event);
}

static void put_counter(struct timeline *t, uint64_t track, uint64_t time_ns, double value)
{
	Perfetto__Event event = PERFETTO__EVENT__INIT;

	event.has_type = event.has_track_uuid = event.has_double_counter_value = 1;
	event.type = EVENT_COUNTER;
	event.track_uuid = track;
	event.double_counter_value = value;
	packets_event(&t->packets, time_ns, &event);
}

/* --- captions --------------------------------------------------------------------------------- */

static Perfetto__Annotation *annotate(struct timeline *t, struct caption *c, const char *name)
{
	Perfetto__Annotation *a = &c->annotations[c->nr];

	*a = (Perfetto__Annotation)PERFETTO__ANNOTATION__INIT;
	a->has_name_iid = 1;
	a->name_iid = packets_intern(&t->packets, INTERN_annotation, name);
	c->pointers[c->nr++] = a;
	return a;
}

static void annotate_text(struct timeline *t, struct caption *c, const char *name, const char *text)
{
	Perfetto__Annotation *a;

	if (!text || !text[0])
		return;
	a = annotate(t, c, name);
	a->has_string_value_iid = 1;
	a->string_value_iid = packets_intern(&t->packets, INTERN_text, text);
}

static void annotate_number(struct timeline *t, struct caption *c, const char *name, double value)
{
	Perfetto__Annotation *a = annotate(t, c, name);

	a->has_double_value = 1;
	a->double_value = value;
}

static const char *geometry(struct timeline *t, const struct tti_device_template *d)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "(%" PRIu64 ", %" PRIu64 ", %" PRIu64 ") x (%" PRIu64 ", %" PRIu64 ", %" PRIu64
		 ")",
		 d->grid_x, d->grid_y, d->grid_z, d->block_x, d->block_y, d->block_z);
	return sheet_text(&t->export->analysis->run, text);
}

static const char *attention_line(struct timeline *t, const struct subject *s)
{
	char shape[160], text[256];

	if (!s->assignment.has_attention)
		return NULL;
	attention_text(&s->assignment.attention, shape, sizeof(shape));
	snprintf(text, sizeof(text), "%s %s %s (%s)", s->role, s->backend, shape, s->exactness);
	return sheet_text(&t->export->analysis->run, text);
}

static void write_caption(struct timeline *t, struct caption *c, const struct subject *s)
{
	const struct assignment *a = &s->assignment;
	const char *operator= operator_name(a->op);

	c->name = packets_intern(&t->packets, INTERN_name,
				 s->short_name ? s->short_name : "(nothing known)");
	c->category = packets_intern(&t->packets, INTERN_category, operator);
	annotate_text(t, c, "operator", operator);
	annotate_text(t, c, "kind", a->work->kind);
	annotate_text(t, c, "module", s->module);
	annotate_text(t, c, "library call", s->library_call);
	annotate_text(t, c, "operation", s->operation);
	annotate_text(t, c, "attention", attention_line(t, s));
	annotate_text(t, c, "kernel", s->kernel);
	if (s->device->definition.activity == TTI_ACTIVITY_KERNEL)
		annotate_text(t, c, "grid x block", geometry(t, &s->device->definition));
	else
		annotate_number(t, c, "bytes", (double)s->device->definition.bytes);
	annotate_text(t, c, "python", s->python);
	if (a->has_cost)
		annotate_number(t, c, "FLOPs", a->cost.flops);
}

/* Of what the device did; made once.  NULL: no memory. */
static const struct caption *caption_of(struct timeline *t, const struct subject *s)
{
	if (s->index >= t->size_captions) {
		const size_t size = 2 * (size_t)s->index + 256;
		struct caption **captions = realloc(t->captions, size * sizeof(*captions));

		if (!captions)
			return NULL;
		memset(captions + t->size_captions, 0,
		       (size - t->size_captions) * sizeof(*captions));
		t->captions = captions;
		t->size_captions = size;
	}
	if (!t->captions[s->index]) {
		t->captions[s->index] = calloc(1, sizeof(**t->captions));
		if (!t->captions[s->index])
			return NULL;
		write_caption(t, t->captions[s->index], s);
	}
	return t->captions[s->index];
}

/* --- streams ---------------------------------------------------------------------------------- */

static bool has_room(const struct lane *l, uint64_t begin_ns, uint64_t end_ns)
{
	if (begin_ns >= l->last_ns)
		return true;
	for (size_t i = 0; i < RECENT && i < l->nr; i++)
		if (begin_ns < l->recent[i].end_ns && l->recent[i].begin_ns < end_ns)
			return false;
	return l->nr <= RECENT;
}

static struct lane *new_lane(struct timeline *t, const struct subject *s, size_t number)
{
	struct lane *l = calloc(1, sizeof(*l));
	char name[128], more[32] = "";

	if (!l)
		return NULL;
	if (number)
		snprintf(more, sizeof(more), " (at once, %zu)", number + 1);
	snprintf(name, sizeof(name), "GPU %" PRIu64 " stream %" PRIu64 "%s", s->device_ordinal,
		 s->stream, more);
	l->uuid = other_track(t,
			      key_of(TRACK_stream, s->trace_index, s->device_ordinal << 8 | number,
				     s->context << 32 ^ s->stream),
			      s->trace_index, RANK_STREAMS, name, NULL);
	return l;
}

/* One where nothing else runs then: work on one stream may overlap, in graphs above all. */
static struct lane *find_lane(struct timeline *t, struct stream *stream, const struct row *row)
{
	const uint64_t end_ns = row->gpu_begin_ns + row->gpu_ns;
	struct lane *l = NULL;

	for (size_t i = 0; i < LANES_MAX; i++) {
		if (!stream->lanes[i])
			stream->lanes[i] = new_lane(t, row->subject, i);
		l = stream->lanes[i];
		if (!l || has_room(l, row->gpu_begin_ns, end_ns))
			break;
	}
	if (!l)
		return NULL;
	l->recent[l->nr % RECENT].begin_ns = row->gpu_begin_ns;
	l->recent[l->nr++ % RECENT].end_ns = end_ns;
	if (end_ns > l->last_ns)
		l->last_ns = end_ns;
	return l;
}

static struct stream *find_stream(struct timeline *t, const struct subject *s)
{
	const uint64_t key = key_of(TRACK_stream, s->trace_index, s->device_ordinal,
				    s->context << 32 ^ s->stream);
	const uint32_t index = id_map_find(&t->stream_ids, key);
	struct stream **streams;

	if (index)
		return t->streams[index - 1];
	streams = realloc(t->streams, (t->nr_streams + 1) * sizeof(*streams));
	if (!streams)
		return NULL;
	t->streams = streams;
	streams[t->nr_streams] = calloc(1, sizeof(**streams));
	if (!streams[t->nr_streams] ||
	    id_map_add(&t->stream_ids, key, (uint32_t)t->nr_streams + 1) < 0) {
		free(streams[t->nr_streams]);
		return NULL;
	}
	return streams[t->nr_streams++];
}

/* --- modules ---------------------------------------------------------------------------------- */

static void close_nest(struct timeline *t, struct nest *n, size_t depth)
{
	while (n->depth > depth) {
		n->depth--;
		put_end(t, n->uuid, n->end_ns);
	}
}

static void open_module(struct timeline *t, struct nest *n, uint32_t node, uint64_t time_ns)
{
	const struct analysis *a = t->export->analysis;
	char label[512];
	const char *name;
	struct caption c = { 0 };

	modules_label(a->modules, node, label, sizeof(label));
	name = sheet_text(&a->run, label);
	c.name = packets_intern(&t->packets, INTERN_name, name);
	put_begin(t, n->uuid, time_ns, EVENT_BEGIN, &c, 0);
	n->nodes[n->depth++] = node;
}

static void follow_modules(struct timeline *t, struct stream *stream, const struct row *row)
{
	const struct analysis *a = t->export->analysis;
	const struct subject *s = row->subject;
	struct nest *n = &stream->nest;
	uint32_t chain[DEPTH_MAX];
	size_t nr = 0, same = 0;
	char name[96];

	/* Out of order, by a launch or two: not worth a slice. */
	if (!s->module_node || row->gpu_begin_ns < n->end_ns)
		return;
	for (uint32_t node = s->module_node; node && nr < DEPTH_MAX;
	     node = modules_node(a->modules, node)->parent)
		chain[nr++] = node;
	while (same < nr && same < n->depth && n->nodes[same] == chain[nr - 1 - same])
		same++;
	close_nest(t, n, row->phase == n->phase ? same : 0);
	if (!n->uuid) {
		snprintf(name, sizeof(name), "GPU %" PRIu64 " stream %" PRIu64 " modules",
			 s->device_ordinal, s->stream);
		n->uuid = other_track(t,
				      key_of(TRACK_modules, s->trace_index, s->device_ordinal,
					     s->context << 32 ^ s->stream),
				      s->trace_index, RANK_STREAMS, name, NULL);
	}
	n->phase = row->phase;
	while (n->depth < nr)
		open_module(t, n, chain[nr - 1 - n->depth], row->gpu_begin_ns);
	n->end_ns = row->gpu_begin_ns + row->gpu_ns;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void count_attention(struct timeline *t, const struct row *row)
{
	const struct subject *s = row->subject;
	const struct attention *a = &s->assignment.attention;

	if (!s->assignment.is_attention || !s->assignment.has_attention || !a->s_q)
		return;
	put_counter(t,
		    other_track(t, key_of(TRACK_queries, s->trace_index, 0, 0), s->trace_index,
				RANK_COUNTERS, "attention queries", "tokens"),
		    row->gpu_begin_ns, (double)a->s_q);
	put_counter(t,
		    other_track(t, key_of(TRACK_keys, s->trace_index, 0, 0), s->trace_index,
				RANK_COUNTERS, "attention keys", "tokens"),
		    row->gpu_begin_ns, (double)a->s_k);
}

static struct load_curve **load_of(struct timeline *t, const struct subject *s)
{
	for (size_t i = 0; i < s->trace->nr_devices; i++)
		if (s->trace->devices[i].ordinal == s->device_ordinal)
			return &t->loads[s->trace_index * TRACE_DEVICES_MAX + i];
	return NULL;
}

static int count_load(struct timeline *t, const struct row *row)
{
	struct load_curve **load = load_of(t, row->subject);
	const struct busy *busy;

	if (!load)
		return 0;
	busy = row->subject->trace->devices[(load - t->loads) % TRACE_DEVICES_MAX].busy;
	if (!*load)
		*load = load_curve_new(busy->first_ns, busy->last_ns);
	if (!*load)
		return -ENOMEM;
	load_curve_add(*load, row->gpu_begin_ns, row->gpu_begin_ns + row->gpu_ns);
	return 0;
}

static int put_work(struct timeline *t, const struct row *row, uint64_t flow)
{
	struct stream *stream = find_stream(t, row->subject);
	const struct caption *caption = caption_of(t, row->subject);
	const struct lane *lane = stream && caption ? find_lane(t, stream, row) : NULL;

	if (!lane || count_load(t, row) < 0)
		return -ENOMEM;
	put_begin(t, lane->uuid, row->gpu_begin_ns, EVENT_BEGIN, caption, flow);
	put_end(t, lane->uuid, row->gpu_begin_ns + row->gpu_ns);
	follow_modules(t, stream, row);
	count_attention(t, row);
	return 0;
}

static void put_call(struct timeline *t, const struct row *row, uint64_t flow)
{
	const uint64_t track = thread_track(t, row->subject->trace_index, row->tid, NULL);
	struct caption c = {
		.name = packets_intern(&t->packets, INTERN_name,
				       row->subject->api ? row->subject->api : "call"),
		.category = packets_intern(&t->packets, INTERN_category,
					   row->result ? "failed call" : "call"),
	};
	Perfetto__Annotation *a;

	if (row->result) {
		a = annotate(t, &c, "CUresult");
		a->has_uint_value = 1;
		a->uint_value = row->result;
	}
	put_begin(t, track, row->host_begin_ns, EVENT_BEGIN, &c, flow);
	put_end(t, track, row->host_begin_ns + row->host_ns);
}

/* A hostile time near 2^64 must not end before it begins. */
static bool is_sane(uint64_t begin_ns, uint64_t duration_ns)
{
	return begin_ns <= INT64_MAX && duration_ns <= INT64_MAX - begin_ns;
}

static int put_row(void *context, const struct row *row)
{
	struct timeline *t = context;
	/* The calls of graphs and copies come before their records are known. */
	const bool is_linked = row->launch && (row->has_gpu || row->subject->is_work);
	const bool has_call = row->has_host && !row->is_repeat;
	const bool has_flow = is_linked && !row->result && !row->is_repeat &&
			      (has_call || row->is_first_of_launch);
	int r = 0;

	if (has_call && is_sane(row->host_begin_ns, row->host_ns))
		put_call(t, row, has_flow ? row->launch : 0);
	if (row->has_gpu && is_sane(row->gpu_begin_ns, row->gpu_ns))
		r = put_work(t, row, has_flow ? row->launch : 0);
	if (r == 0)
		r = t->packets.err;
	return r < 0 ? diag_set(t->export->diag, r, "no memory")
		     : output_check(t->export->out, t->export->diag);
}

static int put_thread(void *context, uint32_t trace, uint64_t tid, const char *name)
{
	thread_track(context, trace, tid, name);
	return 0;
}

static int put_mark(void *context, uint32_t trace, uint64_t tid, uint64_t time_ns, const char *text)
{
	struct timeline *t = context;
	struct caption c = {
		.name = packets_intern(&t->packets, INTERN_name, text[0] ? text : "(end of mark)"),
		.category = packets_intern(&t->packets, INTERN_category, "mark"),
	};

	if (is_sane(time_ns, 0))
		put_begin(t, thread_track(t, trace, tid, NULL), time_ns, EVENT_INSTANT, &c, 0);
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

static uint32_t index_of(const struct run *run, const struct trace *trace)
{
	uint32_t i = 0;

	while (i < run->nr && run->traces[i] != trace)
		i++;
	return i;
}

static void put_phases(struct timeline *t)
{
	const struct phases *p = &t->export->analysis->phases;
	char text[256];

	for (size_t i = 0; i < p->nr; i++) {
		const struct phase *phase = &p->rows[i];
		const uint32_t trace = index_of(p->run, phase->trace);
		const uint64_t track = other_track(t, key_of(TRACK_phases, trace, 0, 0), trace,
						   RANK_PHASES, "phases", NULL);
		struct caption c = { 0 };

		if (!is_sane(phase->begin_ns, 0) || !is_sane(phase->end_ns, 0))
			continue;
		snprintf(text, sizeof(text), "%s %" PRIu32, phase->name->text, phase->index);
		c.name = packets_intern(&t->packets, INTERN_name, sheet_text(p->run, text));
		c.category = packets_intern(&t->packets, INTERN_category, "phase");
		put_begin(t, track, phase->begin_ns, EVENT_BEGIN, &c, 0);
		put_end(t, track, phase->end_ns);
	}
}

static void put_loads(struct timeline *t)
{
	const struct run *run = &t->export->analysis->run;

	for (size_t i = 0; i < run->nr * TRACE_DEVICES_MAX; i++) {
		const uint32_t trace = (uint32_t)(i / TRACE_DEVICES_MAX);
		uint64_t track, begin_ns;
		char name[64];
		double load;

		if (!t->loads[i])
			continue;
		snprintf(name, sizeof(name), "GPU %" PRIu64 " busy",
			 run->traces[trace]->devices[i % TRACE_DEVICES_MAX].ordinal);
		track = other_track(t, key_of(TRACK_busy, trace, i, 0), trace, RANK_COUNTERS, name,
				    "%");
		load_curve_end(t->loads[i]);
		for (size_t k = 0; (load = load_curve_at(t->loads[i], k, SAMPLES, &begin_ns)) >= 0;
		     k++)
			put_counter(t, track, begin_ns, 100 * load);
	}
}

static void clear(struct timeline *t)
{
	for (size_t i = 0; i < t->nr_streams; i++) {
		for (size_t k = 0; k < LANES_MAX; k++)
			free(t->streams[i]->lanes[k]);
		free(t->streams[i]);
	}
	for (size_t i = 0; i < t->size_captions; i++)
		free(t->captions[i]);
	for (size_t i = 0; t->loads && i < t->export->analysis->run.nr * TRACE_DEVICES_MAX; i++)
		load_curve_free(t->loads[i]);
	free(t->loads);
	free(t->streams);
	free(t->captions);
	free(t->tracks);
	id_map_free(&t->track_ids);
	id_map_free(&t->stream_ids);
	packets_clear(&t->packets);
}

int export_perfetto(const struct export *e)
{
	const struct run *run = &e->analysis->run;
	const struct tti_process *process = &run->traces[0]->model.process;
	struct timeline t = { .export = e };
	const struct row_sink sink = {
		.row = put_row, .thread = put_thread, .mark = put_mark, .context = &t
	};
	int r;

	packets_begin(&t.packets, e->out, process->begin_ns, process->begin_realtime_ns);
	t.loads = calloc(run->nr * TRACE_DEVICES_MAX, sizeof(*t.loads));
	if (!t.loads)
		return diag_set(e->diag, -ENOMEM, "no memory");
	put_phases(&t);
	r = rows_each(e->analysis, &sink, e->diag);
	for (size_t i = 0; i < t.nr_streams; i++)
		close_nest(&t, &t.streams[i]->nest, 0);
	put_loads(&t);
	if (r == 0 && t.packets.err < 0)
		r = diag_set(e->diag, t.packets.err, "no memory");
	clear(&t);
	return r;
}
