/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

/*
 * How many wait for their other half.  Beyond it the oldest go without: launches a minute behind
 * their records, or records of which nothing else is known.
 */
enum { WAITING_MAX = 1 << 20, TOLD_MAX = 1 << 16, SLOTS_FIRST = 1 << 12 };

/* What of the host a row is of. */
struct origin {
	uint32_t template, site, segment; /* 0: not known */
};

/* A call, or a record that came before its call.  Those of one id are a chain. */
struct waiting {
	uint32_t id;
	uint32_t next;         /* of the same bucket, 0: none */
	uint32_t older, newer; /* in its queue */
	uint32_t device_template;
	bool is_host, is_told;
	enum host_class host_class;
	enum device_class device_class;
	struct origin origin;
	uint64_t tid, begin_ns, duration_ns;
	uint64_t launch; /* of what is told: its row's number */
	bool has_record;
};

struct queue {
	uint32_t oldest, newest;
	size_t nr;
};

struct join {
	const struct analysis *analysis;
	const struct row_sink *sink;
	struct subjects *subjects;
	struct progress *progress;
	uint32_t trace_index;
	const struct trace *trace; /* as it was read first: complete */
	size_t nr_segments;        /* of phases that it had then */
	uint64_t nr_rows;
	struct waiting *pool; /* index 0: unused */
	size_t nr, size;
	uint32_t free; /* chain by next */
	uint32_t *buckets;
	size_t nr_buckets; /* power of two */
	struct queue open, told;
};

/* --- rows ------------------------------------------------------------------------------------- */

/* What --focus and --phase leave out gets no number. */
static int emit(struct join *j, struct row *row, const struct origin *origin,
		uint32_t device_template)
{
	const struct phases *phases = &j->analysis->phases;
	const uint32_t site = origin->site < j->trace->pairs.nr_sites ? origin->site : 0;
	const uint32_t phase = site && origin->segment < j->nr_segments
				       ? phases_of_segment(phases, j->trace, origin->segment)
				       : 0;

	if (!analysis_has_row(j->analysis, j->trace, site, phase))
		return 0;
	row->phase = phase ? &phases->rows[phase - 1] : NULL;
	row->subject =
		subjects_find(j->subjects, j->trace_index, origin->template, site, device_template);
	if (!row->subject)
		return -ENOMEM;
	row->number = ++j->nr_rows;
	if (!row->launch && row->has_host)
		row->launch = row->number;
	return j->sink->row ? j->sink->row(j->sink->context, row) : 0;
}

static struct row row_of_host(const struct waiting *w)
{
	return (struct row){
		.has_host = true,
		.tid = w->tid,
		.host_begin_ns = w->begin_ns,
		.host_ns = w->duration_ns,
		.correlation = w->id,
	};
}

static int emit_host(struct join *j, struct waiting *w)
{
	struct row row = row_of_host(w);
	const int r = emit(j, &row, &w->origin, 0);

	w->launch = row.number;
	return r;
}

static void set_gpu(struct row *row, uint64_t begin_ns, uint64_t duration_ns)
{
	row->has_gpu = true;
	row->gpu_begin_ns = begin_ns;
	row->gpu_ns = duration_ns;
}

static int emit_device(struct join *j, const struct waiting *w)
{
	struct row row = { .correlation = w->id };

	set_gpu(&row, w->begin_ns, w->duration_ns);
	return emit(j, &row, &w->origin, w->device_template);
}

/* --- what waits ------------------------------------------------------------------------------- */

static uint32_t *bucket_of(struct join *j, uint32_t id)
{
	return &j->buckets[(id * 2654435761u >> 7) & (j->nr_buckets - 1)];
}

static int grow_buckets(struct join *j)
{
	uint32_t *buckets = calloc(2 * j->nr_buckets, sizeof(*buckets));
	uint32_t *old = j->buckets;
	const size_t nr = j->nr_buckets;

	if (!buckets)
		return -ENOMEM;
	j->buckets = buckets;
	j->nr_buckets = 2 * nr;
	for (size_t i = 0; i < nr; i++)
		for (uint32_t k = old[i], next; k; k = next) {
			uint32_t *bucket = bucket_of(j, j->pool[k].id);

			/* Behind those of its id: the order of records must stay. */
			next = j->pool[k].next;
			while (*bucket)
				bucket = &j->pool[*bucket].next;
			*bucket = k;
			j->pool[k].next = 0;
		}
	free(old);
	return 0;
}

static void queue_add(struct join *j, struct queue *q, uint32_t index)
{
	struct waiting *w = &j->pool[index];

	w->older = q->newest;
	w->newer = 0;
	if (q->newest)
		j->pool[q->newest].newer = index;
	else
		q->oldest = index;
	q->newest = index;
	q->nr++;
}

static void queue_remove(struct join *j, struct queue *q, uint32_t index)
{
	const struct waiting *w = &j->pool[index];

	if (w->older)
		j->pool[w->older].newer = w->newer;
	else
		q->oldest = w->newer;
	if (w->newer)
		j->pool[w->newer].older = w->older;
	else
		q->newest = w->older;
	q->nr--;
}

static struct queue *queue_of(struct join *j, const struct waiting *w)
{
	return w->is_told ? &j->told : &j->open;
}

static void drop(struct join *j, uint32_t index)
{
	struct waiting *w = &j->pool[index];
	uint32_t *at = bucket_of(j, w->id);

	while (*at != index)
		at = &j->pool[*at].next;
	*at = w->next;
	queue_remove(j, queue_of(j, w), index);
	w->next = j->free;
	j->free = index;
}

/* Goes without its other half. */
static int give_up(struct join *j, uint32_t index)
{
	struct waiting w = j->pool[index];

	drop(j, index);
	if (w.is_told)
		return 0;
	return w.is_host ? emit_host(j, &w) : emit_device(j, &w);
}

static int limit(struct join *j)
{
	int r = 0;

	while (r == 0 && j->open.nr > WAITING_MAX)
		r = give_up(j, j->open.oldest);
	while (r == 0 && j->told.nr > TOLD_MAX)
		r = give_up(j, j->told.oldest);
	return r;
}

static uint32_t new_waiting(struct join *j)
{
	uint32_t index = j->free;

	if (index) {
		j->free = j->pool[index].next;
		return index;
	}
	if (j->nr == j->size) {
		const size_t size = 2 * j->size;
		struct waiting *pool = realloc(j->pool, size * sizeof(*pool));

		if (!pool)
			return 0;
		j->pool = pool;
		j->size = size;
	}
	return (uint32_t)j->nr++;
}

/* Behind those of its id that wait already. */
static int keep(struct join *j, const struct waiting *w)
{
	uint32_t index, *at;

	if (j->nr > j->nr_buckets && grow_buckets(j) < 0)
		return -ENOMEM;
	index = new_waiting(j);
	if (!index)
		return -ENOMEM;
	j->pool[index] = *w;
	j->pool[index].next = 0;
	for (at = bucket_of(j, w->id); *at; at = &j->pool[*at].next)
		;
	*at = index;
	queue_add(j, queue_of(j, w), index);
	return limit(j);
}

static uint32_t find_host(struct join *j, uint32_t id)
{
	uint32_t index = *bucket_of(j, id);

	while (index && !(j->pool[index].id == id && j->pool[index].is_host))
		index = j->pool[index].next;
	return index;
}

static uint32_t find_record(struct join *j, uint32_t id, enum device_class class)
{
	uint32_t index = *bucket_of(j, id);

	while (index && !(j->pool[index].id == id && !j->pool[index].is_host &&
			  j->pool[index].device_class == class))
		index = j->pool[index].next;
	return index;
}

static int flush(struct join *j)
{
	int r = 0;

	while (r == 0 && j->told.nr)
		r = give_up(j, j->told.oldest);
	while (r == 0 && j->open.nr)
		r = give_up(j, j->open.oldest);
	return r;
}

/* --- calls ------------------------------------------------------------------------------------ */

static int join_rows(struct join *j, struct waiting *host, uint32_t device_template,
		     uint64_t begin_ns, uint64_t duration_ns)
{
	struct row row = row_of_host(host);
	int r;

	row.is_repeat = host->is_told;
	row.launch = host->launch;
	row.is_first_of_launch = !host->has_record;
	host->has_record = true;
	set_gpu(&row, begin_ns, duration_ns);
	r = emit(j, &row, &host->origin, device_template);
	host->launch = row.launch;
	return r;
}

/* A copy may have been cut into several; those that came before their call. */
static int take_copies(struct join *j, struct waiting *host)
{
	uint32_t index;
	int r = 0;

	while (r == 0 && (index = find_record(j, host->id, DEVICE_COPY)) != 0) {
		const struct waiting record = j->pool[index];

		drop(j, index);
		r = join_rows(j, host, record.device_template, record.begin_ns, record.duration_ns);
		host->is_told = true;
	}
	return r;
}

static int take_kernel(struct join *j, struct waiting *host)
{
	const uint32_t index = find_record(j, host->id, DEVICE_KERNEL);
	struct waiting record;

	if (!index)
		return keep(j, host);
	record = j->pool[index];
	drop(j, index);
	return join_rows(j, host, record.device_template, record.begin_ns, record.duration_ns);
}

static int take_call(struct join *j, struct waiting *host)
{
	/* The id has come round again: what waits under it has lost its partner. */
	const uint32_t before = find_host(j, host->id);
	int r = before ? give_up(j, before) : 0;

	if (r < 0)
		return r;
	switch (host->host_class) {
	case HOST_LAUNCH:
		return take_kernel(j, host);
	case HOST_COPY:
		r = take_copies(j, host);
		return r < 0 ? r : keep(j, host);
	case HOST_GRAPH:
		r = emit_host(j, host);
		host->is_told = true;
		return r < 0 ? r : keep(j, host);
	}
	return 0;
}

static int see_host(void *context, const struct host_row *h)
{
	struct join *j = context;
	struct waiting host = {
		.id = h->correlation,
		.is_host = true,
		.host_class = h->class,
		.origin = { h->template, h->site, h->segment },
		.tid = h->tid,
		.begin_ns = h->begin_ns,
		.duration_ns = h->duration_ns,
	};
	struct row row;

	if (h->class && h->correlation)
		return take_call(j, &host);
	row = row_of_host(&host);
	row.result = h->result;
	return emit(j, &row, &host.origin, 0);
}

/* --- records ---------------------------------------------------------------------------------- */

/* What made the node may be known only later in the file than the node ran. */
static struct origin origin_of_node(const struct join *j, const struct device_row *d)
{
	const struct model *m = &j->trace->model;
	const uint32_t index = id_map_find(&m->node_ids, d->node);
	const uint32_t site = index ? model_node_creator(m, &m->nodes.rows[index]) : 0;

	return (struct origin){ j->trace->pairs.sites[site].template, site, d->segment };
}

static int take_node(struct join *j, const struct device_row *d)
{
	const struct origin origin = origin_of_node(j, d);
	const uint32_t index = d->correlation ? find_host(j, d->correlation) : 0;
	struct waiting *host = index ? &j->pool[index] : NULL;
	struct row row = { .node = d->node, .correlation = d->correlation };

	set_gpu(&row, d->begin_ns, d->duration_ns);
	if (host && host->is_told) {
		row.launch = host->launch;
		row.is_first_of_launch = !host->has_record;
		host->has_record = true;
	}
	return emit(j, &row, &origin, d->template);
}

static int see_device(void *context, const struct device_row *d)
{
	struct join *j = context;
	const uint32_t index = d->correlation ? find_host(j, d->correlation) : 0;
	struct waiting *host = index ? &j->pool[index] : NULL;
	struct waiting record = {
		.id = d->correlation,
		.device_template = d->template,
		.device_class = d->class,
		.begin_ns = d->begin_ns,
		.duration_ns = d->duration_ns,
	};

	if (d->node || d->class == DEVICE_NODE)
		return take_node(j, d);
	if (!d->correlation)
		return emit_device(j, &record);
	if (host && d->class == DEVICE_KERNEL && host->host_class == HOST_LAUNCH) {
		struct waiting launch = *host;

		drop(j, index);
		return join_rows(j, &launch, d->template, d->begin_ns, d->duration_ns);
	}
	if (host && d->class == DEVICE_COPY && host->host_class == HOST_COPY) {
		const int r = join_rows(j, host, d->template, d->begin_ns, d->duration_ns);

		if (!host->is_told) {
			queue_remove(j, &j->open, index);
			host->is_told = true;
			queue_add(j, &j->told, index);
		}
		return r < 0 ? r : limit(j);
	}
	return keep(j, &record);
}

static int see_record(void *context, uint64_t kind, const union record_fields *fields)
{
	const struct join *j = context;
	const struct row_sink *sink = j->sink;
	const char *text;

	if (kind == TTI_RECORD_THREAD && sink->thread) {
		text = subjects_text(j->subjects, fields->thread.name.data,
				     fields->thread.name.size);
		return text ? sink->thread(sink->context, j->trace_index, fields->thread.tid, text)
			    : -ENOMEM;
	}
	if (kind == TTI_RECORD_MARK && sink->mark) {
		text = subjects_text(j->subjects, fields->mark.text.data, fields->mark.text.size);
		return text ? sink->mark(sink->context, j->trace_index, fields->mark.tid,
					 fields->mark.time_ns, text)
			    : -ENOMEM;
	}
	return 0;
}

static void see_progress(void *context, uint64_t offset)
{
	const struct join *j = context;

	progress_at(j->progress, offset);
}

/* --- traces ----------------------------------------------------------------------------------- */

static void clear_waiting(struct join *j)
{
	j->nr = 1;
	j->free = 0;
	j->open = j->told = (struct queue){ 0 };
	memset(j->buckets, 0, j->nr_buckets * sizeof(*j->buckets));
}

static int read_trace(struct join *j, size_t i, struct diag *diag)
{
	const struct trace_observer observer = {
		.host = see_host,
		.device = see_device,
		.record = see_record,
		.progress = see_progress,
		.context = j,
	};
	const struct run *run = &j->analysis->run;
	const struct trace *t = run->traces[i];
	const struct trace_setup setup = {
		.names = run->names,
		.works = run->works,
		.information = j->analysis->information,
		.with_phases = t->phases != NULL,
		.survey = t->phases ? phase_tracker_survey(t->phases) : NULL,
		.observer = &observer,
	};
	struct trace *again;
	int r;

	j->trace_index = (uint32_t)i;
	j->trace = t;
	j->nr_segments = 0;
	if (t->phases)
		phase_tracker_segments(t->phases, &j->nr_segments);
	clear_waiting(j);
	r = trace_scan(t->path, &setup, &again, diag);
	if (r < 0)
		return r;
	trace_free(again);
	r = flush(j);
	return r == -ENOMEM ? diag_set(diag, r, "no memory") : r;
}

int rows_each(const struct analysis *a, const struct row_sink *sink, struct diag *diag)
{
	struct join j = {
		.analysis = a,
		.sink = sink,
		.subjects = subjects_new(a),
		.size = SLOTS_FIRST,
		.nr_buckets = SLOTS_FIRST,
	};
	uint64_t bytes = 0;
	int r = 0;

	for (size_t i = 0; i < a->run.nr; i++)
		bytes += a->run.traces[i]->file_bytes;
	j.progress = progress_new("export", bytes);
	j.pool = calloc(j.size, sizeof(*j.pool));
	j.buckets = calloc(j.nr_buckets, sizeof(*j.buckets));
	if (!j.subjects || !j.progress || !j.pool || !j.buckets)
		r = diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < a->run.nr && r == 0; i++) {
		r = read_trace(&j, i, diag);
		progress_add(j.progress, a->run.traces[i]->file_bytes);
	}
	progress_end(j.progress);
	subjects_free(j.subjects);
	free(j.pool);
	free(j.buckets);
	return r;
}
