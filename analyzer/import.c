/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_sort.h"
#include "id_map.h"
#include "import_defs.h"
#include "import_parts.h"
#include "seed.h"
#include "ttitrace/ttitrace.h"

/* Of each sort of events; sorting may double it. */
#define SORT_BYTES ((size_t)24 << 20)

enum { INFOS_MAX = 256, DEVICES_MAX = 1024 };

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What encloses comes before what is in it. */
static int by_begin(const void *a, const void *b)
{
	const struct span_event *x = a, *y = b;
	int order = by_number(x->begin_ns, y->begin_ns);

	if (!order)
		order = by_number(y->end_ns, x->end_ns);
	if (!order)
		order = by_number(x->sort, y->sort);
	return order ? order : by_number(x->number, y->number);
}

static int by_correlation(const void *a, const void *b)
{
	const struct join_event *x = a, *y = b;
	int order = by_number(x->correlation, y->correlation);

	if (!order)
		order = by_number(x->is_device, y->is_device);
	if (!order)
		order = by_number(x->begin_ns, y->begin_ns);
	return order ? order : by_number(x->number, y->number);
}

static int by_device_begin(const void *a, const void *b)
{
	const struct device_event *x = a, *y = b;
	const int order = by_number(x->begin_ns, y->begin_ns);

	return order ? order : by_number(x->number, y->number);
}

struct import *import_new(void)
{
	struct import *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->defs = import_defs_new();
	in->spans = event_sort_new(sizeof(struct span_event), by_begin, SORT_BYTES);
	in->joins = event_sort_new(sizeof(struct join_event), by_correlation, SORT_BYTES);
	in->first_ns = UINT64_MAX;
	if (!in->defs || !in->spans || !in->joins) {
		import_free(in);
		return NULL;
	}
	return in;
}

void import_free(struct import *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->nr_infos; i++) {
		free(in->infos[i].key);
		free(in->infos[i].value);
	}
	for (size_t i = 0; i < in->nr_devices; i++)
		free((char *)in->devices[i].name.data);
	for (size_t i = 0; i < in->nr_threads; i++) {
		free(in->threads[i].ops.rows);
		free(in->threads[i].functions.rows);
		free(in->threads[i].ranges.rows);
	}
	free(in->infos);
	free(in->devices);
	free(in->threads);
	free(in->host);
	free(in->program);
	free(in->rank);
	id_map_free(&in->thread_ids);
	event_sort_free(in->spans);
	event_sort_free(in->joins);
	event_sort_free(in->device_rows);
	import_defs_free(in->defs);
	free(in);
}

void import_fail(struct import *in, int err)
{
	if (!in->err && err < 0)
		in->err = err;
}

static void *append(struct import *in, void *rows, size_t *nr, size_t max, size_t row_bytes)
{
	char **at = rows;
	char *p;

	if (*nr == max) {
		in->nr_ignored++;
		return NULL;
	}
	p = realloc(*at, (*nr + 1) * row_bytes);
	if (!p) {
		import_fail(in, -ENOMEM);
		return NULL;
	}
	*at = p;
	memset(p + *nr * row_bytes, 0, row_bytes);
	return p + (*nr)++ * row_bytes;
}

/* --- facts ------------------------------------------------------------------------------------ */

static void replace(struct import *in, char **text, const char *by)
{
	free(*text);
	*text = by ? strdup(by) : NULL;
	if (by && !*text)
		import_fail(in, -ENOMEM);
}

void import_process(struct import *in, uint64_t pid, const char *host, const char *program)
{
	in->pid = pid ? pid : in->pid;
	if (host)
		replace(in, &in->host, host);
	if (program)
		replace(in, &in->program, program);
}

void import_rank(struct import *in, const char *rank)
{
	replace(in, &in->rank, rank);
}

void import_info(struct import *in, const char *key, const char *value)
{
	struct fact *fact = append(in, &in->infos, &in->nr_infos, INFOS_MAX, sizeof(*in->infos));

	if (!fact)
		return;
	replace(in, &fact->key, key);
	replace(in, &fact->value, value);
}

void import_device(struct import *in, const struct tti_device *device)
{
	struct tti_device *row =
		append(in, &in->devices, &in->nr_devices, DEVICES_MAX, sizeof(*in->devices));

	if (!row)
		return;
	*row = *device;
	row->uuid = (struct tti_str){ 0 };
	row->name.data = strndup(device->name.data ? device->name.data : "", device->name.size);
	if (!row->name.data) {
		row->name.size = 0;
		import_fail(in, -ENOMEM);
	}
}

void import_realtime(struct import *in, uint64_t offset_ns)
{
	in->realtime_offset_ns = offset_ns;
}

/* --- events ----------------------------------------------------------------------------------- */

static uint32_t find_thread(struct import *in, const struct import_span *span)
{
	const uint64_t key = seed_mix(span->pid) ^ span->tid;
	uint32_t found;
	struct import_thread *thread;

	if (in->last_thread && in->threads[in->last_thread - 1].tid == span->tid &&
	    in->threads[in->last_thread - 1].pid == span->pid)
		return in->last_thread;
	found = id_map_find(&in->thread_ids, key);
	if (!found) {
		thread = append(in, &in->threads, &in->nr_threads, IMPORT_THREADS_MAX,
				sizeof(*in->threads));
		if (!thread || id_map_add(&in->thread_ids, key, (uint32_t)in->nr_threads) < 0)
			return 0;
		thread->pid = span->pid;
		thread->tid = span->tid;
		found = (uint32_t)in->nr_threads;
	}
	in->last_thread = found;
	return found;
}

static void see_time(struct import *in, uint64_t begin_ns, uint64_t end_ns)
{
	if (begin_ns < in->first_ns)
		in->first_ns = begin_ns;
	if (end_ns > in->last_ns)
		in->last_ns = end_ns;
}

void import_watched(struct import *in, uint64_t begin_ns, uint64_t end_ns)
{
	see_time(in, begin_ns, end_ns);
}

static void add_span(struct import *in, const struct import_span *span, enum span_sort sort,
		     uint32_t what, uint32_t more)
{
	const struct span_event event = {
		.begin_ns = span->begin_ns,
		.end_ns = span->end_ns,
		.number = in->nr_events++,
		.thread = find_thread(in, span),
		.sort = sort,
		.what = what,
		.more = more,
	};

	if (event.thread && what && span->end_ns >= span->begin_ns)
		import_fail(in, event_sort_add(in->spans, &event));
}

void import_op(struct import *in, const struct import_span *span, struct tti_str name,
	       const struct op_facts *facts)
{
	const uint32_t text = defs_text(in->defs, name);
	const struct name *own = defs_name(in->defs, text);
	uint32_t problem = 0;

	in->counts.ops++;
	if (facts && facts->nr_inputs && own && op_has_problem(own->text)) {
		op_problem_make(own->text, facts, &in->problem);
		if (in->problem.kind != CALL_NONE)
			problem = defs_problem(in->defs, &in->problem);
	}
	in->has_facts |= facts && facts->nr_inputs;
	add_span(in, span, SPAN_op, text, problem);
}

/* "<built-in method conv2d of type object at 0x7f00>": no frame of Python, and never the same. */
static bool is_built_in(struct tti_str name)
{
	static const char prefix[] = "<built-in ";

	return name.size >= sizeof(prefix) - 1 && !memcmp(name.data, prefix, sizeof(prefix) - 1);
}

void import_python(struct import *in, const struct import_span *span, struct tti_str name)
{
	if (is_built_in(name))
		return;
	in->counts.functions++;
	add_span(in, span, SPAN_function, defs_text(in->defs, name), 0);
}

void import_range(struct import *in, const struct import_span *span, struct tti_str text,
		  struct tti_str domain)
{
	add_span(in, span, SPAN_range, defs_text(in->defs, text),
		 domain.size ? defs_text(in->defs, domain) : 0);
}

static enum import_op_code code_of_call(struct tti_str name)
{
	char text[128];
	const size_t n = name.size < sizeof(text) - 1 ? name.size : sizeof(text) - 1;

	memcpy(text, name.data, n);
	text[n] = '\0';
#define IMPORT_API(part, what)  \
	if (strstr(text, part)) \
		return CODE_##what;
#include "import_apis.def"
#undef IMPORT_API
	return CODE_NONE;
}

void import_call(struct import *in, const struct import_span *span, struct tti_str name,
		 uint32_t correlation, uint64_t result)
{
	const enum import_op_code code = code_of_call(name);
	const struct join_event event = {
		.begin_ns = span->begin_ns,
		.end_ns = span->end_ns,
		.number = in->nr_events++,
		.correlation = correlation,
		.what = code == CODE_NONE ? 0 : defs_text(in->defs, name),
		.thread = code == CODE_NONE ? 0 : find_thread(in, span),
		.code = (uint8_t)code,
		.result = (uint32_t)result,
	};

	if (!event.what || !event.thread || span->end_ns < span->begin_ns)
		return;
	if (!in->pid)
		in->pid = span->pid;
	in->counts.calls++;
	see_time(in, span->begin_ns, span->end_ns);
	import_fail(in, event_sort_add(in->joins, &event));
}

void import_activity(struct import *in, enum tti_activity activity,
		     const struct import_activity *what)
{
	struct tti_device_template t = what->template;
	struct join_event event = {
		.begin_ns = what->begin_ns,
		.end_ns = what->end_ns,
		.node = what->node,
		.number = in->nr_events++,
		.correlation = what->correlation,
		.is_device = 1,
	};

	t.id = 0;
	t.activity = activity;
	t.name = activity == TTI_ACTIVITY_KERNEL ? defs_text(in->defs, what->name) : 0;
	event.what = defs_device_template(in->defs, &t);
	if (!event.what || what->end_ns < what->begin_ns)
		return;
	in->counts.activities++;
	see_time(in, what->begin_ns, what->end_ns);
	import_fail(in, event_sort_add(in->joins, &event));
}

struct import_counts import_counts(const struct import *in)
{
	struct import_counts counts = in->counts;

	counts.ignored = in->nr_ignored + defs_nr_ignored(in->defs);
	return counts;
}

/* --- calls and what they caused --------------------------------------------------------------- */

static bool expects_activity(uint8_t code)
{
	return code == CODE_LAUNCH || code == CODE_GRAPH_LAUNCH || code == CODE_COPY ||
	       code == CODE_FILL;
}

/* Waits for rows of one correlation id. */
struct join {
	struct import *in;
	uint32_t correlation;
	uint32_t template; /* of the first kernel, else of the first activity */
	uint64_t nr_devices;
	struct join_event call; /* the outermost; code 0: none yet */
	bool has_kernel;
};

static void take_device_event(struct join *j, const struct join_event *event, bool is_graph)
{
	const struct tti_device_template *t = defs_device_template_of(j->in->defs, event->what);
	const struct device_event row = {
		.begin_ns = event->begin_ns,
		.duration_ns = event->end_ns - event->begin_ns,
		/* Which node it was is not known: all of one template are taken for one. */
		.node = event->node ? event->node
			: is_graph && t->activity == TTI_ACTIVITY_KERNEL
				? IMPORT_NODES + event->what
				: 0,
		.number = event->number,
		.correlation = event->correlation,
		.template = event->what,
	};

	import_fail(j->in, event_sort_add(j->in->device_rows, &row));
}

static void add_call(struct join *j, const struct join_event *call, uint32_t template)
{
	const struct span_event event = {
		.begin_ns = call->begin_ns,
		.end_ns = call->end_ns,
		.number = call->number,
		.thread = call->thread,
		.sort = SPAN_call,
		.what = call->what,
		.more = call->correlation,
		.template = template,
		.code = call->code,
		.result = call->result,
	};

	import_fail(j->in, event_sort_add(j->in->spans, &event));
}

/*
 * Calls come before devices.  A call of the runtime and that of the driver inside it have one id:
 * the outer one counts, and of several, one that can have caused something.
 */
static void take_call(struct join *j, const struct join_event *call)
{
	if (!call->correlation || !expects_activity(call->code)) {
		add_call(j, call, 0);
		return;
	}
	if (!j->call.code)
		j->call = *call;
}

static void end_group(struct join *j)
{
	if (j->call.code)
		add_call(j, &j->call, j->template);
	*j = (struct join){ .in = j->in };
}

static void take_join_event(struct join *j, const struct join_event *event)
{
	const struct tti_device_template *t;
	bool is_kernel;

	if (event->correlation != j->correlation) {
		end_group(j);
		j->correlation = event->correlation;
	}
	if (!event->is_device) {
		take_call(j, event);
		return;
	}
	t = defs_device_template_of(j->in->defs, event->what);
	is_kernel = t->activity == TTI_ACTIVITY_KERNEL;
	if (!j->template || (is_kernel && !j->has_kernel))
		j->template = event->what;
	j->has_kernel |= is_kernel;
	take_device_event(j, event, j->call.code == CODE_GRAPH_LAUNCH);
}

static int join_events(struct import *in)
{
	struct join join = { .in = in };
	const struct join_event *event;

	in->device_rows = event_sort_new(sizeof(struct device_event), by_device_begin, SORT_BYTES);
	if (!in->device_rows)
		return -ENOMEM;
	import_fail(in, event_sort_begin(in->joins));
	while (!in->err && (event = event_sort_next(in->joins)))
		take_join_event(&join, event);
	end_group(&join);
	import_fail(in, event_sort_error(in->joins));
	event_sort_free(in->joins);
	in->joins = NULL;
	return in->err;
}

/* --- the trace -------------------------------------------------------------------------------- */

static struct tti_str str(const char *text)
{
	return (struct tti_str){ text ? text : "", text ? strlen(text) : 0 };
}

static void put_info(struct trace_writer *w, const char *key, const char *value)
{
	trace_writer_put(w, TTI_RECORD_INFO,
			 &(struct tti_info){ .key = str(key), .value = str(value) });
}

/* What reports cannot know from such a trace. */
static void put_lacks(struct import *in, struct trace_writer *w)
{
	const struct {
		bool is_there;
		const char *what;
	} rows[] = {
		{ in->counts.calls, "host calls" },
		{ in->counts.ops, "operations" },
		{ in->has_facts, "shapes of operations" },
		{ in->counts.functions, "Python paths" },
		{ false, "kernel parameters" },
	};
	char text[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!rows[i].is_there)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used ? ", " : "", rows[i].what);
	put_info(w, "import.lacks", text);
}

static void put_facts(struct import *in, struct trace_writer *w)
{
	const struct tti_process process = {
		.pid = in->pid,
		.begin_ns = in->first_ns,
		.begin_realtime_ns = in->first_ns + in->realtime_offset_ns,
		.host = str(in->host),
		.program = str(in->program),
		.rank = str(in->rank),
		.version = str(TTI_VERSION),
	};

	trace_writer_put(w, TTI_RECORD_PROCESS, &process);
	for (size_t i = 0; i < in->nr_infos; i++)
		put_info(w, in->infos[i].key, in->infos[i].value);
	put_lacks(in, w);
	for (size_t i = 0; i < in->nr_devices; i++)
		trace_writer_put(w, TTI_RECORD_DEVICE, &in->devices[i]);
	for (size_t i = 0; i < in->nr_threads; i++)
		trace_writer_put(w, TTI_RECORD_THREAD,
				 &(struct tti_thread){ .tid = in->threads[i].tid });
}

static void put_device_row(struct import *in, struct trace_writer *w,
			   const struct device_event *event)
{
	const uint64_t row[tti_nr_columns_gpu] = {
		[tti_column_gpu_template] = defs_device_template_id(in->defs, event->template),
		[tti_column_gpu_duration_ns] = event->duration_ns,
		[tti_column_gpu_begin_ns] = event->begin_ns,
		[tti_column_gpu_correlation] = event->correlation,
		[tti_column_gpu_node] = event->node,
	};

	trace_writer_gpu(w, row);
}

/* Both sides in the order of time, so that a reader finds what belongs together close by. */
static int put_rows(struct import *in, struct trace_writer *w)
{
	const struct span_event *span;
	const struct device_event *device;

	import_fail(in, event_sort_begin(in->spans));
	import_fail(in, event_sort_begin(in->device_rows));
	span = event_sort_next(in->spans);
	device = event_sort_next(in->device_rows);
	while (!in->err && !trace_writer_failed(w) && (span || device)) {
		if (!device || (span && span->begin_ns <= device->begin_ns)) {
			import_take_span(in, w, span);
			span = event_sort_next(in->spans);
		} else {
			put_device_row(in, w, device);
			device = event_sort_next(in->device_rows);
		}
	}
	import_end_spans(in, w);
	import_fail(in, event_sort_error(in->spans));
	import_fail(in, event_sort_error(in->device_rows));
	return in->err;
}

static int put_trace(struct import *in, const struct import_target *target, struct trace_writer *w)
{
	int r;

	put_facts(in, w);
	defs_begin(in->defs, w);
	r = join_events(in);
	if (r == 0)
		r = put_rows(in, w);
	if (r == 0 && target->is_whole)
		trace_writer_put(w, TTI_RECORD_FINISH,
				 &(struct tti_finish){ .reason = TTI_ENDING_IMPORT,
						       .time_ns = in->last_ns });
	return r;
}

int import_write(struct import *in, const struct import_target *target, struct diag *diag)
{
	struct trace_writer *w;
	int r;

	if (in->first_ns == UINT64_MAX)
		in->first_ns = 0;
	r = trace_writer_open(target->path, target->may_replace, &w, diag);
	if (r < 0)
		return r;
	r = in->err ? in->err : put_trace(in, target, w);
	if (r == 0)
		return trace_writer_close(w, diag);
	trace_writer_abandon(w);
	return diag_set(diag, r, r == -ENOMEM ? "no memory" : "temporary file: %s", strerror(-r));
}
