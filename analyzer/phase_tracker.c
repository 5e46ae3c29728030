/* SPDX-License-Identifier: Apache-2.0 */
#include "phase_tracker.h"

#include <stdlib.h>
#include <string.h>

#include "python_path.h"

enum {
	SEGMENTS_MAX = 1 << 18,
	THREADS_MAX = 64,
	DEPTH_MAX = 512,
	SLOTS = 1 << 18, /* power of two; launches in flight */
	/* A call begins anew where one of its first paths comes again behind at least so many
	   others. */
	FIRST_PATHS = 4,
	FAR_PATHS = 12,
};

/* What is known of the path that ends in a frame. */
struct frame_note {
	uint32_t top; /* 0: no call of a module */
	uint8_t kind;
	bool is_known;
	uint32_t segment, order; /* the last segment it was seen in, its place there */
};

struct thread_state {
	uint64_t tid;
	uint32_t segment, path;
};

struct slot {
	uint32_t correlation, segment;
};

struct phase_tracker {
	const struct model *model;
	struct phase_survey survey;
	struct segment *segments;
	size_t nr, size;
	struct frame_note *notes;
	size_t nr_notes;
	struct thread_state threads[THREADS_MAX];
	size_t nr_threads;
	uint32_t latest;
	uint64_t busy_until_ns;
	struct slot slots[SLOTS];
};

static const struct {
	const char *name;
	bool is_step;
} kinds[] = {
#define PHASE(kind, name, is_step) { name, is_step },
#define PHASE_CLASS(pattern, where, kind)
#include "phase_rules.def"
#undef PHASE
#undef PHASE_CLASS
};

const char *phase_kind_name(enum phase_kind kind)
{
	return kinds[kind].name;
}

bool phase_kind_is_step(enum phase_kind kind)
{
	return kinds[kind].is_step;
}

/* --- classes ---------------------------------------------------------------------------------- */

enum place { PREFIX, SUFFIX, PART };

/* '?' in front: there is more of the name before. */
static bool matches(const char *name, const char *pattern, enum place place)
{
	const bool needs_more = pattern[0] == '?';
	const size_t length = strlen(pattern + needs_more), size = strlen(name);

	switch (place) {
	case PREFIX:
		return !strncmp(name, pattern, length);
	case SUFFIX:
		return size >= length + needs_more &&
		       !strcmp(name + size - length, pattern + needs_more);
	case PART:
		break;
	}
	return strstr(name, pattern) != NULL;
}

enum phase_kind phase_kind_of_class(const char *class_name)
{
	const char *last = strrchr(class_name, '.');
	const char *name = last ? last + 1 : class_name;

#define PHASE(kind, name, is_step)
#define PHASE_CLASS(pattern, where, kind)  \
	if (matches(name, pattern, where)) \
		return PHASE_##kind;
#include "phase_rules.def"
#undef PHASE
#undef PHASE_CLASS
	return PHASE_gap;
}

/* --- paths ------------------------------------------------------------------------------------ */

/* An autoencoder may be asked by any of its functions. */
static bool is_entry(const struct python_frame *f, enum phase_kind kind)
{
	const char *function = python_function(f);

	return kind == PHASE_vae || python_is_call(f) || !strcmp(function, "forward") ||
	       !strcmp(function, "__call__");
}

/* "Decoder", "CViViTDecoder" */
static bool is_class_of(const struct python_frame *f, const char *suffix)
{
	return f->class_name && matches(f->class_name->text, suffix, SUFFIX);
}

/* What an autoencoder does, by the functions of its that are running; else by its parts. */
static enum phase_kind vae_kind(const struct model *m, const uint32_t *chain, size_t nr)
{
	const struct python_frame *rows = m->python_frames.rows;
	const struct python_frame *top = &rows[chain[nr]];

	for (size_t i = nr + 1; i-- > 0;) {
		const struct python_frame *f = &rows[chain[i]];

		if (f->self == top->self && strstr(python_function(f), "decode"))
			return PHASE_vae_decode;
		if (f->self == top->self && strstr(python_function(f), "encode"))
			return PHASE_vae_encode;
	}
	for (size_t i = nr + 1; i-- > 0;) {
		if (is_class_of(&rows[chain[i]], "Decoder"))
			return PHASE_vae_decode;
		if (is_class_of(&rows[chain[i]], "Encoder"))
			return PHASE_vae_encode;
	}
	return PHASE_vae;
}

static void judge_path(const struct model *m, uint32_t path, struct frame_note *note)
{
	const struct python_frame *rows = m->python_frames.rows;
	uint32_t chain[DEPTH_MAX];
	uint32_t any_call = 0;
	bool is_setup = false, is_upscale = false;
	size_t nr = 0;

	for (uint32_t i = path; i && nr < DEPTH_MAX; i = rows[i].parent < i ? rows[i].parent : 0)
		chain[nr++] = i;
	note->is_known = true;
	while (nr--) {
		const struct python_frame *f = &rows[chain[nr]];
		enum phase_kind kind;

		is_setup = (is_setup && !python_is_call(f)) || python_is_setup(f);
		if (is_setup || !f->class_name)
			continue;
		kind = phase_kind_of_class(f->class_name->text);
		is_upscale |= kind == PHASE_upscale;
		if (kind == PHASE_gap || kind == PHASE_upscale || !is_entry(f, kind)) {
			if (!any_call && python_is_call(f))
				any_call = chain[nr];
			continue;
		}
		if (kind == PHASE_vae)
			kind = vae_kind(m, chain, nr);
		note->top = chain[nr];
		note->kind = kind == PHASE_denoise && is_upscale ? PHASE_upscale : kind;
		return;
	}
	note->top = is_setup ? 0 : any_call;
	note->kind =
		any_call && phase_kind_of_class(rows[any_call].class_name->text) == PHASE_upscale
			? PHASE_upscale
			: PHASE_module;
}

/* NULL: no memory */
static struct frame_note *find_note(struct phase_tracker *t, uint32_t path)
{
	if (path >= t->nr_notes) {
		const size_t nr = t->model->python_frames.nr + t->model->python_frames.nr / 2 + 64;
		struct frame_note *notes = realloc(t->notes, nr * sizeof(*notes));

		if (!notes)
			return NULL;
		memset(notes + t->nr_notes, 0, (nr - t->nr_notes) * sizeof(*notes));
		t->notes = notes;
		t->nr_notes = nr;
	}
	if (!t->notes[path].is_known)
		judge_path(t->model, path, &t->notes[path]);
	return &t->notes[path];
}

/* --- segments --------------------------------------------------------------------------------- */

/* The last one where there are too many; 0: no memory. */
static uint32_t add_segment(struct phase_tracker *t, const struct segment *segment)
{
	if (t->nr == SEGMENTS_MAX)
		return (uint32_t)(t->nr - 1);
	if (t->nr == t->size) {
		const size_t size = 2 * t->size;
		struct segment *segments = realloc(t->segments, size * sizeof(*segments));

		if (!segments)
			return 0;
		t->segments = segments;
		t->size = size;
	}
	t->segments[t->nr] = *segment;
	t->segments[t->nr].gpu_begin_ns = UINT64_MAX;
	return (uint32_t)t->nr++;
}

struct phase_tracker *phase_tracker_new(const struct model *m, const struct phase_survey *survey)
{
	struct phase_tracker *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->model = m;
	t->size = 64;
	t->segments = calloc(t->size, sizeof(*t->segments));
	if (!t->segments) {
		free(t);
		return NULL;
	}
	t->nr = 1;
	if (survey)
		t->survey = *survey;
	/* Those of marks are there from the start: one before the first, one from each on. */
	for (size_t i = 0; t->survey.nr_marks && i <= t->survey.nr_marks; i++) {
		const struct name *text = i ? t->survey.marks[i - 1].text : NULL;

		add_segment(t,
			    &(struct segment){ .kind = text && text->size ? PHASE_mark : PHASE_gap,
					       .begin_ns = UINT64_MAX,
					       .name = text });
	}
	return t;
}

void phase_tracker_free(struct phase_tracker *t)
{
	if (!t)
		return;
	free(t->survey.marks);
	free(t->segments);
	free(t->notes);
	free(t);
}

static struct thread_state *find_thread(struct phase_tracker *t, uint64_t tid)
{
	for (size_t i = 0; i < t->nr_threads; i++)
		if (t->threads[i].tid == tid)
			return &t->threads[i];
	if (t->nr_threads == THREADS_MAX)
		return &t->threads[THREADS_MAX - 1];
	t->threads[t->nr_threads] = (struct thread_state){ .tid = tid };
	return &t->threads[t->nr_threads++];
}

/* The place of a path in the segment, which is the next one if it was not seen there. */
static uint32_t order_in(struct phase_tracker *t, uint32_t index, struct frame_note *note)
{
	struct segment *s = &t->segments[index];

	if (note->segment != index) {
		note->segment = index;
		note->order = s->nr_paths++;
	}
	return note->order;
}

static bool begins_anew(const struct segment *s, uint32_t index, const struct frame_note *note)
{
	if (note->segment != index)
		return false;
	if (note->order < FIRST_PATHS && s->last_path >= FAR_PATHS)
		return true;
	/* A module of few launches: from the last of them back to the first. */
	return note->order == 0 && s->nr_paths > 1 && s->nr_paths <= FAR_PATHS &&
	       s->last_path == s->nr_paths - 1;
}

static bool is_same_call(const struct phase_tracker *t, uint32_t index,
			 const struct frame_note *note)
{
	const struct segment *s = &t->segments[index];
	const struct python_frame *top = &t->model->python_frames.rows[note->top];

	if (!note->top)
		return s->kind == PHASE_gap;
	return s->kind == note->kind && s->self == top->self && s->name == top->class_name &&
	       s->caller == top->parent && !begins_anew(s, index, note);
}

static uint32_t segment_of_path(struct phase_tracker *t, uint64_t tid, uint32_t path, bool is_graph)
{
	struct thread_state *thread = find_thread(t, tid);
	struct frame_note *note = find_note(t, path);
	const struct python_frame *top;

	if (!note)
		return 0;
	/* One that no module asked for: all that is known of what it does is that it does it again.
	 */
	if (is_graph && !note->top) {
		thread->segment = add_segment(t, &(struct segment){ .kind = PHASE_graph,
								    .tid = tid,
								    .begin_ns = UINT64_MAX });
		return thread->segment;
	}
	if (!thread->segment || !is_same_call(t, thread->segment, note)) {
		top = &t->model->python_frames.rows[note->top];
		thread->segment = add_segment(t, &(struct segment){ .kind = note->top ? note->kind
										      : PHASE_gap,
								    .top = note->top,
								    .caller = top->parent,
								    .name = top->class_name,
								    .self = top->self,
								    .tid = tid,
								    .begin_ns = UINT64_MAX });
	}
	if (thread->segment)
		t->segments[thread->segment].last_path = order_in(t, thread->segment, note);
	return thread->segment;
}

/* That of the last mark before. */
static uint32_t segment_of_time(const struct phase_tracker *t, uint64_t begin_ns)
{
	size_t low = 0, high = t->survey.nr_marks;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (t->survey.marks[middle].time_ns <= begin_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)(low + 1);
}

static uint32_t segment_of_period(struct phase_tracker *t, uint64_t template_id, uint64_t tid)
{
	const bool is_anchor = t->survey.anchor && template_id == t->survey.anchor;
	const struct segment *latest = &t->segments[t->latest];

	if (!is_anchor && t->latest &&
	    (latest->kind == PHASE_gap || latest->launches < t->survey.longest_launches))
		return t->latest;
	return add_segment(t, &(struct segment){ .kind = is_anchor ? PHASE_period : PHASE_gap,
						 .tid = tid,
						 .begin_ns = UINT64_MAX });
}

uint32_t phase_tracker_host(struct phase_tracker *t, uint64_t tid, uint32_t host_template,
			    uint64_t begin_ns, uint64_t end_ns, uint32_t correlation)
{
	const struct host_template *h = &t->model->templates.rows[host_template];
	const bool is_inherited = h->definition.flags & TTI_TEMPLATE_PATH_INHERITED;
	bool is_captured;
	struct segment *s;
	uint32_t index;

	if (t->survey.nr_marks)
		index = segment_of_time(t, begin_ns);
	else if (t->survey.anchor)
		index = segment_of_period(t, h->definition.id, tid);
	else if ((is_inherited || h->definition.op == TTI_OP_SYNC) && t->latest)
		index = t->latest;
	else
		index = segment_of_path(t, tid, h->path, h->definition.op == TTI_OP_GRAPH_LAUNCH);
	if (!index)
		return 0;
	t->latest = index;
	s = &t->segments[index];
	s->begin_ns = begin_ns < s->begin_ns ? begin_ns : s->begin_ns;
	s->end_ns = end_ns > s->end_ns ? end_ns : s->end_ns;
	is_captured =
		h->definition.flags & TTI_TEMPLATE_CAPTURED || h->definition.op == TTI_OP_NODE;
	s->is_capture |= is_captured;
	s->launches += !is_captured && (h->definition.op == TTI_OP_LAUNCH ||
					h->definition.op == TTI_OP_GRAPH_LAUNCH);
	if (correlation)
		t->slots[correlation & (SLOTS - 1)] = (struct slot){ correlation, index };
	return index;
}

uint32_t phase_tracker_device(struct phase_tracker *t, uint32_t correlation, uint64_t begin_ns,
			      uint64_t duration_ns, bool is_kernel)
{
	const struct slot *slot = &t->slots[correlation & (SLOTS - 1)];
	const uint64_t end_ns = begin_ns + duration_ns;
	const uint64_t from_ns = begin_ns > t->busy_until_ns ? begin_ns : t->busy_until_ns;
	struct segment *s;

	if (!correlation || slot->correlation != correlation || end_ns < begin_ns)
		return 0;
	s = &t->segments[slot->segment];
	s->gpu_begin_ns = begin_ns < s->gpu_begin_ns ? begin_ns : s->gpu_begin_ns;
	s->gpu_end_ns = end_ns > s->gpu_end_ns ? end_ns : s->gpu_end_ns;
	s->kernel_ns += is_kernel ? duration_ns : 0;
	if (end_ns > from_ns) {
		s->busy_ns += end_ns - from_ns;
		t->busy_until_ns = end_ns;
	}
	return slot->segment;
}

void phase_tracker_replays(struct phase_tracker *t, uint32_t segment, uint32_t capture)
{
	struct segment *s = &t->segments[segment];
	const struct segment *from = &t->segments[capture];

	if (s->kind != PHASE_graph || s->is_known_graph)
		return;
	s->is_known_graph = true;
	if (from->kind == PHASE_gap)
		return;
	s->kind = from->kind;
	s->name = from->name;
	s->self = from->self;
	s->top = from->top;
	s->caller = from->caller;
}

void phase_tracker_attention(struct phase_tracker *t, uint32_t segment, uint32_t site)
{
	if (segment && !t->segments[segment].attention)
		t->segments[segment].attention = site;
}

const struct segment *phase_tracker_segments(const struct phase_tracker *t, size_t *ret_nr)
{
	*ret_nr = t->nr;
	return t->segments;
}

const struct phase_survey *phase_tracker_survey(const struct phase_tracker *t)
{
	return &t->survey;
}
