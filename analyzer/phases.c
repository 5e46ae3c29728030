/* SPDX-License-Identifier: Apache-2.0 */
#include "phases.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "python_path.h"

enum { THREADS_MAX = 64 };

/* Where a thread's steps have come to. */
struct thread {
	uint64_t tid;
	uint32_t phase;        /* the last one and 1, 0: none */
	uint32_t gap;          /* a segment behind it that is nobody's yet, 0: none */
	uint32_t caller, last; /* of the step's first call; the last segment of a phase */
};

struct maker {
	struct phases *phases;
	const struct trace *trace;
	const struct segment *segments;
	uint32_t *of_segment;
	struct id_map counts; /* by name */
	uint32_t *counters;
	size_t nr_counters;
	struct thread threads[THREADS_MAX];
	size_t nr_threads;
};

static struct thread *find_thread(struct maker *m, uint64_t tid)
{
	for (size_t i = 0; i < m->nr_threads; i++)
		if (m->threads[i].tid == tid)
			return &m->threads[i];
	if (m->nr_threads == THREADS_MAX)
		return &m->threads[THREADS_MAX - 1];
	m->threads[m->nr_threads] = (struct thread){ .tid = tid };
	return &m->threads[m->nr_threads++];
}

/* --- prefill or decode ------------------------------------------------------------------------ */

/* How many queries an attention of the segment has; 0: not known. */
static uint64_t queries_of(const struct trace *t, const struct segment *s)
{
	const struct site *site = &t->pairs.sites[s->attention];
	const struct hint *hint = &t->pairs.hints[site->hint];
	const struct host_template *h = &t->model.templates.rows[site->template];
	const struct call *call = &t->model.calls.rows[h->call];
	const struct launch_facts facts =
		model_launch_facts(&t->model, site->template, site->parameters);
	struct attention a = { 0 };

	if (!s->attention)
		return 0;
	if (hint->attention)
		a = t->pairs.attentions[hint->attention];
	else if (call->kind == CALL_SDPA)
		attention_of_sdpa(call, &a);
	else
		attention_decode(&facts, &a);
	return a.exactness == EXACTNESS_exact ? a.s_q : 0;
}

static bool is_prefill_by_name(const struct trace *t, const struct segment *s)
{
	return strstr(python_function(&t->model.python_frames.rows[s->caller]), "prefill");
}

/* Without lengths: what is called first, before its like. */
static bool is_prefill(const struct maker *m, const struct segment *s, const struct thread *thread)
{
	const uint64_t queries = queries_of(m->trace, s);
	const enum phase_kind before =
		thread->phase ? m->phases->rows[thread->phase - 1].kind : PHASE_gap;

	if (is_prefill_by_name(m->trace, s) || queries > 1)
		return true;
	return !queries && before != PHASE_language && before != PHASE_prefill;
}

/* --- phases ----------------------------------------------------------------------------------- */

static uint32_t count_of(struct maker *m, const struct name *name)
{
	uint32_t index = id_map_find(&m->counts, (uintptr_t)name);

	if (!index) {
		uint32_t *counters = realloc(m->counters, (m->nr_counters + 1) * sizeof(*counters));

		if (!counters)
			return 0;
		m->counters = counters;
		m->counters[m->nr_counters++] = 0;
		index = (uint32_t)m->nr_counters;
		if (id_map_add(&m->counts, (uintptr_t)name, index) < 0)
			return 0;
	}
	return m->counters[index - 1]++;
}

/* NULL: no memory */
static struct phase *add_phase(struct maker *m, const struct segment *s, enum phase_kind kind)
{
	struct phases *p = m->phases;
	const char *text = phase_kind_name(kind);
	const struct name *name = (kind == PHASE_module || kind == PHASE_mark) && s->name
					  ? s->name
					  : names_intern(p->run->names, text, strlen(text));

	if (p->nr == p->size) {
		const size_t size = p->size ? 2 * p->size : 64;
		struct phase *rows = realloc(p->rows, size * sizeof(*rows));

		if (!rows)
			return NULL;
		p->rows = rows;
		p->size = size;
	}
	if (!name)
		return NULL;
	p->rows[p->nr] = (struct phase){ .name = name,
					 .trace = m->trace,
					 .kind = kind,
					 .index = count_of(m, name),
					 .begin_ns = UINT64_MAX };
	return &p->rows[p->nr++];
}

static void add_segment(struct phase *phase, const struct segment *s)
{
	const bool is_gpu_time = s->gpu_begin_ns != UINT64_MAX;
	const uint64_t begin_ns = is_gpu_time ? s->gpu_begin_ns : s->begin_ns;
	const uint64_t end_ns = is_gpu_time ? s->gpu_end_ns : s->end_ns;

	phase->launches += s->launches;
	phase->busy_ns += s->busy_ns;
	phase->kernel_ns += s->kernel_ns;
	if (phase->is_gpu_time && !is_gpu_time)
		return;
	if (!phase->is_gpu_time && is_gpu_time) {
		phase->is_gpu_time = true;
		phase->begin_ns = begin_ns;
		phase->end_ns = end_ns;
	}
	phase->begin_ns = begin_ns < phase->begin_ns ? begin_ns : phase->begin_ns;
	phase->end_ns = end_ns > phase->end_ns ? end_ns : phase->end_ns;
}

/* Another line of the function that made the step's first call. */
static bool is_other_line(const struct maker *m, uint32_t first, uint32_t second)
{
	const struct python_frame *rows = m->trace->model.python_frames.rows;
	const struct python_frame *a = &rows[first], *b = &rows[second];

	return first != second && a->parent == b->parent && a->code == b->code &&
	       a->file == b->file;
}

static bool continues_step(const struct maker *m, const struct segment *s,
			   const struct thread *thread)
{
	const struct segment *last = &m->segments[thread->last];

	if (!thread->phase)
		return false;
	if (last->kind == PHASE_control)
		return s->kind == PHASE_control || s->kind == PHASE_denoise;
	return s->kind == PHASE_denoise && last->kind == PHASE_denoise && s->self == last->self &&
	       is_other_line(m, thread->caller, s->caller);
}

static enum phase_kind kind_of(const struct maker *m, const struct segment *s,
			       const struct thread *thread)
{
	if (s->kind == PHASE_control)
		return PHASE_denoise;
	if (s->kind == PHASE_language && is_prefill(m, s, thread))
		return PHASE_prefill;
	return s->kind;
}

/* Between two steps: the first one's. */
static bool owns_gap(enum phase_kind before, enum phase_kind now)
{
	return phase_kind_is_step(before) &&
	       (before == now || (before == PHASE_prefill && now == PHASE_language));
}

static int take_segment(struct maker *m, uint32_t index)
{
	const struct segment *s = &m->segments[index];
	struct thread *thread = find_thread(m, s->tid);
	struct phase *rows = m->phases->rows;
	struct phase *phase;
	enum phase_kind kind;

	if (s->begin_ns == UINT64_MAX)
		return 0; /* a mark without rows */
	if (s->kind == PHASE_gap || (s->is_capture && !s->launches)) {
		thread->gap = index;
		return 0;
	}
	kind = kind_of(m, s, thread);
	if (thread->gap && thread->phase &&
	    (owns_gap(rows[thread->phase - 1].kind, kind) || continues_step(m, s, thread))) {
		add_segment(&rows[thread->phase - 1], &m->segments[thread->gap]);
		m->of_segment[thread->gap] = thread->phase;
	}
	thread->gap = 0;
	if (continues_step(m, s, thread)) {
		phase = &rows[thread->phase - 1];
	} else {
		phase = add_phase(m, s, kind);
		if (!phase)
			return -ENOMEM;
		thread->phase = (uint32_t)m->phases->nr;
		thread->caller = s->caller;
	}
	if (m->segments[thread->last].kind == PHASE_control && s->kind == PHASE_denoise)
		thread->caller = s->caller;
	thread->last = index;
	add_segment(phase, s);
	m->of_segment[index] = thread->phase;
	return 0;
}

static int take_trace(struct phases *p, size_t i)
{
	const struct trace *t = p->run->traces[i];
	struct maker m = { .phases = p, .trace = t };
	const struct phase_survey *survey = phase_tracker_survey(t->phases);
	size_t nr;
	int r = 0;

	m.segments = phase_tracker_segments(t->phases, &nr);
	m.of_segment = p->of_segment[i] = calloc(nr, sizeof(*m.of_segment));
	if (!m.of_segment)
		return -ENOMEM;
	p->by_marks |= survey->nr_marks != 0;
	if (survey->anchor)
		p->period_launches = survey->period_launches;
	for (uint32_t k = 1; k < nr && r == 0; k++)
		r = take_segment(&m, k);
	for (uint32_t k = 1; k < nr; k++)
		if (!m.of_segment[k]) {
			p->residual.launches += m.segments[k].launches;
			p->residual.busy_ns += m.segments[k].busy_ns;
			p->residual.kernel_ns += m.segments[k].kernel_ns;
		}
	id_map_free(&m.counts);
	free(m.counters);
	return r;
}

int phases_make(struct phases *p, const struct run *run)
{
	int r = 0;

	*p = (struct phases){ .run = run, .of_segment = calloc(run->nr, sizeof(*p->of_segment)) };
	p->residual.name = names_intern(run->names, "residual", strlen("residual"));
	if (!p->of_segment || !p->residual.name)
		r = -ENOMEM;
	for (size_t i = 0; i < run->nr && r == 0; i++)
		r = take_trace(p, i);
	if (r < 0)
		phases_clear(p);
	return r;
}

void phases_clear(struct phases *p)
{
	for (size_t i = 0; p->of_segment && i < p->run->nr; i++)
		free(p->of_segment[i]);
	free(p->of_segment);
	free(p->rows);
	*p = (struct phases){ 0 };
}

uint32_t phases_of_segment(const struct phases *p, const struct trace *t, uint32_t segment)
{
	for (size_t i = 0; i < p->run->nr; i++)
		if (p->run->traces[i] == t)
			return p->of_segment[i][segment];
	return 0;
}

uint32_t phases_of_site(const struct phases *p, const struct trace *t, uint32_t site)
{
	return phases_of_segment(p, t, t->pairs.sites[site].segment);
}

static void add_part(struct module_work *work, const struct profile_part *part)
{
	work->time_ns += part->time_ns;
	work->launches += part->launches;
	if (part->item->assignment.has_cost)
		work->flops += (double)part->launches * part->item->assignment.cost.flops;
}

static int sum_part(void *context, const struct profile_part *part)
{
	struct phases *p = context;
	const uint32_t index = phases_of_segment(p, part->item->trace, part->segment);
	struct phase *phase = index ? &p->rows[index - 1] : &p->residual;

	profile_cost_add(&phase->cost, part->item, part->launches);
	add_part(&phase->sums.all, part);
	add_part(&phase->sums.operators[part->item->assignment.op], part);
	return 0;
}

int phases_sum(struct phases *p, const struct profile *profile)
{
	return profile_each_part(profile, sum_part, p);
}

/* --- choice ----------------------------------------------------------------------------------- */

static bool parse_range(const char *text, struct phase_choice *c)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	c->first = c->last = strtoull(text, &end, 10);
	if (!*end)
		return true;
	if (strncmp(end, "..", 2) != 0)
		return false;
	text = end + 2;
	if (!*text) {
		c->last = UINT64_MAX;
		return true;
	}
	if (!isdigit((unsigned char)*text))
		return false;
	c->last = strtoull(text, &end, 10);
	return !*end;
}

bool phase_choice_parse(const char *text, struct phase_choice *ret)
{
	const char *colon = strrchr(text, ':');
	struct phase_choice c = { .last = UINT64_MAX };
	const size_t length =
		colon && parse_range(colon + 1, &c) ? (size_t)(colon - text) : strlen(text);

	if (parse_range(text, &c)) {
		*ret = c;
		return true;
	}
	if (!length || length >= sizeof(c.name))
		return false;
	memcpy(c.name, text, length);
	*ret = c;
	return true;
}

bool phase_choice_has(const struct phase_choice *c, const struct phases *p, uint32_t phase)
{
	const struct phase *row = phase ? &p->rows[phase - 1] : &p->residual;

	if (!c->name[0])
		return phase && phase >= c->first && phase <= c->last;
	return strcasestr(row->name->text, c->name) && row->index >= c->first &&
	       row->index <= c->last;
}
