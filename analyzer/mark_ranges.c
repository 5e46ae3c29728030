/* SPDX-License-Identifier: Apache-2.0 */
#include "mark_ranges.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "id_map.h"
#include "ttitrace/format.h"

enum { EVENTS_MAX = 1 << 18, THREADS_MAX = 64 };

struct event {
	uint64_t time_ns, tid, range;
	size_t order; /* as taken: of those at one instant the first counts first */
	uint64_t kind;
	const struct name *text;
};

struct range {
	uint64_t begin_ns, end_ns, tid;
	uint32_t parent; /* index and 1, 0: none */
	const struct name *text;
};

struct thread {
	uint64_t tid, covered_ns;
	uint32_t top; /* the innermost range that is open, index and 1 */
};

struct mark_ranges {
	struct names *names;
	struct event *events;
	size_t nr_events, events_size;
	struct range *ranges; /* at most one for each event */
	size_t nr_ranges;
	struct id_map started; /* number of a range to its index and 1 */
	struct thread threads[THREADS_MAX];
	size_t nr_threads;
};

struct mark_ranges *mark_ranges_new(struct names *names)
{
	struct mark_ranges *m = calloc(1, sizeof(*m));

	if (m)
		m->names = names;
	return m;
}

void mark_ranges_free(struct mark_ranges *m)
{
	if (!m)
		return;
	id_map_free(&m->started);
	free(m->events);
	free(m->ranges);
	free(m);
}

/* --- texts ------------------------------------------------------------------------------------ */

static bool is_of_tools(const struct tti_mark *m)
{
	static const char prefix[] = "cuProfiler";

	return m->text.size >= sizeof(prefix) - 1 &&
	       !memcmp(m->text.data, prefix, sizeof(prefix) - 1);
}

/* "step 3", "step[3/50]", "step_3": one phase that comes several times. */
static size_t size_without_number(const char *text, size_t size)
{
	static const char around[] = " /_.:,#%=-[]()";
	size_t end = size;
	bool has_digit = false;

	while (end && (isdigit((unsigned char)text[end - 1]) ||
		       memchr(around, text[end - 1], sizeof(around) - 1))) {
		end--;
		has_digit |= isdigit((unsigned char)text[end]) != 0;
	}
	return has_digit && end ? end : size;
}

int mark_ranges_take(struct mark_ranges *m, const struct tti_mark *mark)
{
	const char *text = (const char *)mark->text.data;
	struct event *event;

	if (mark->domain.size || is_of_tools(mark) || m->nr_events == EVENTS_MAX)
		return 0;
	if (m->nr_events == m->events_size) {
		const size_t size = m->events_size ? 2 * m->events_size : 64;
		struct event *events = realloc(m->events, size * sizeof(*events));

		if (!events)
			return -ENOMEM;
		m->events = events;
		m->events_size = size;
	}
	event = &m->events[m->nr_events];
	*event = (struct event){
		.time_ns = mark->time_ns,
		.tid = mark->tid,
		.range = mark->range,
		.order = m->nr_events,
		.kind = mark->kind,
		.text = names_intern(m->names, text, size_without_number(text, mark->text.size)),
	};
	m->nr_events++;
	return event->text ? 0 : -ENOMEM;
}

/* --- ranges ----------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static struct thread *find_thread(struct mark_ranges *m, uint64_t tid)
{
	for (size_t i = 0; i < m->nr_threads; i++)
		if (m->threads[i].tid == tid)
			return &m->threads[i];
	if (m->nr_threads == THREADS_MAX)
		return &m->threads[THREADS_MAX - 1];
	m->threads[m->nr_threads] = (struct thread){ .tid = tid };
	return &m->threads[m->nr_threads++];
}

static uint32_t begin_range(struct mark_ranges *m, const struct thread *t, const struct event *e)
{
	m->ranges[m->nr_ranges++] = (struct range){
		.begin_ns = e->time_ns,
		.end_ns = UINT64_MAX,
		.tid = e->tid,
		.parent = t->top,
		.text = e->text,
	};
	return (uint32_t)m->nr_ranges;
}

static void end_range(struct mark_ranges *m, uint32_t index, uint64_t time_ns)
{
	struct range *r = &m->ranges[index - 1];

	r->end_ns = time_ns;
	if (!r->parent)
		find_thread(m, r->tid)->covered_ns += time_ns - r->begin_ns;
}

static int take_event(struct mark_ranges *m, const struct event *e)
{
	struct thread *t = find_thread(m, e->tid);
	uint32_t index;

	switch (e->kind) {
	case TTI_MARK_PUSH:
		t->top = begin_range(m, t, e);
		return 0;
	case TTI_MARK_POP:
		if (t->top) {
			end_range(m, t->top, e->time_ns);
			t->top = m->ranges[t->top - 1].parent;
		}
		return 0;
	case TTI_MARK_START:
		/* Of two with one number, which no writer makes, the first ends. */
		return id_map_find(&m->started, e->range)
			       ? 0
			       : id_map_add(&m->started, e->range, begin_range(m, t, e));
	case TTI_MARK_END:
		index = id_map_find(&m->started, e->range);
		if (index && m->ranges[index - 1].end_ns == UINT64_MAX)
			end_range(m, index, e->time_ns);
		return 0;
	default:
		return 0;
	}
}

static int make_ranges(struct mark_ranges *m)
{
	int r = 0;

	m->ranges = calloc(m->nr_events, sizeof(*m->ranges));
	if (!m->ranges)
		return -ENOMEM;
	qsort(m->events, m->nr_events, sizeof(*m->events), by_time);
	for (size_t i = 0; i < m->nr_events && r == 0; i++)
		r = take_event(m, &m->events[i]);
	/* What never ended lasts to the end of the trace: longer than any that did. */
	for (size_t i = 0; i < m->nr_ranges; i++)
		if (m->ranges[i].end_ns == UINT64_MAX && !m->ranges[i].parent)
			find_thread(m, m->ranges[i].tid)->covered_ns = UINT64_MAX / 2;
	return r;
}

/* --- phases ----------------------------------------------------------------------------------- */

static uint64_t speaking_thread(const struct mark_ranges *m)
{
	const struct thread *best = &m->threads[0];

	for (size_t i = 1; i < m->nr_threads; i++)
		if (m->threads[i].covered_ns > best->covered_ns)
			best = &m->threads[i];
	return best->tid;
}

/* The range whose ranges are the phases, index and 1; 0: the outermost are. */
static uint32_t phases_parent(const struct mark_ranges *m, uint64_t tid)
{
	uint32_t parent = 0;

	for (;;) {
		size_t nr = 0, nr_below = 0;
		uint32_t only = 0;

		for (size_t i = 0; i < m->nr_ranges; i++)
			if (m->ranges[i].tid == tid && m->ranges[i].parent == parent) {
				only = (uint32_t)(i + 1);
				nr++;
			}
		for (size_t i = 0; nr == 1 && i < m->nr_ranges; i++)
			nr_below += m->ranges[i].parent == only;
		if (nr != 1 || !nr_below)
			return parent;
		parent = only;
	}
}

static void add_phase(struct phase_mark *marks, size_t *nr, uint64_t time_ns,
		      const struct name *text)
{
	marks[(*nr)++] = (struct phase_mark){ .time_ns = time_ns, .text = text };
}

static void phases_of_ranges(const struct mark_ranges *m, const struct name *nothing,
			     struct phase_mark *marks, size_t *nr)
{
	const uint64_t tid = speaking_thread(m);
	const uint32_t parent = phases_parent(m, tid);
	const struct range *before = NULL;

	for (size_t i = 0; i < m->nr_ranges; i++) {
		const struct range *r = &m->ranges[i];

		if (r->tid != tid || r->parent != parent)
			continue;
		if (before && before->end_ns < r->begin_ns)
			add_phase(marks, nr, before->end_ns, nothing);
		add_phase(marks, nr, r->begin_ns, r->text);
		before = r;
	}
	if (before && before->end_ns != UINT64_MAX)
		add_phase(marks, nr, before->end_ns, nothing);
}

int mark_ranges_phases(struct mark_ranges *m, struct phase_mark **ret_marks, size_t *ret_nr)
{
	const struct name *nothing = names_intern(m->names, "", 0);
	struct phase_mark *marks;

	*ret_marks = NULL;
	*ret_nr = 0;
	if (!m->nr_events)
		return 0;
	marks = calloc(2 * m->nr_events, sizeof(*marks));
	if (!marks || !nothing || make_ranges(m) < 0) {
		free(marks);
		return -ENOMEM;
	}
	if (m->nr_ranges)
		phases_of_ranges(m, nothing, marks, ret_nr);
	for (size_t i = 0; !m->nr_ranges && i < m->nr_events; i++)
		add_phase(marks, ret_nr, m->events[i].time_ns, m->events[i].text);
	*ret_marks = marks;
	return 0;
}
