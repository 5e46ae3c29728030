/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_path.c - Runs in: the launching thread, once for each launch.  No malloc, no lock, no
 * system call but the one that reserves a thread's tables, no formatting.
 *
 * What a frame's id depends on is read from each frame each time: the id of its caller, the code
 * object and where it stands in it, self and its class.  Most frames are as they were at this
 * depth at the last launch, which a comparison finds out; the next most are in a table of the
 * thread's, under a hash of these; only a new one is decoded and interned.
 */
#include "python_path.h"

#include <pthread.h>

#include "counter.h"
#include "intern.h"
#include "options.h"
#include "python_code.h"
#include "sys.h"
#include "thread.h"

/* _PyInterpreterFrame.owner: from here on (3.12 to 3.14) no frame of Python's, only a marker. */
#define OWNER_NOT_PYTHON 3
/* A chain longer than that, markers and all, is no chain. */
#define CHAIN_MAX (4 * PATH_DEPTH_MAX)

/* No id: the table has no room for the frame. */
#define TABLE_FULL UINT32_MAX

#define NR_CODES   4096u
#define NR_EDGES   16384u
#define PROBES     4u
/* Frames of one code object that differ in self, say: beyond, self is no module but a passer-by. */
#define FRAMES_OF_CODE_MAX 16384u

struct known_code {
	uint64_t code, guard;
	uint32_t id; /* INTERN_CODE */
	uint32_t nr_frames;
	struct self_place self;
	bool is_anonymous; /* selves are too many to tell apart */
};

struct edge {
	uint64_t key;
	uint32_t id;
	uint32_t zero;
};

/* What a frame's id depends on, besides its caller's. */
struct frame_key {
	uint64_t code, guard, at, self, type;
};

/* A frame of the last path; no caller has it that is not the same frame but for its address. */
struct level {
	uint32_t parent, id;
	struct frame_key key;
	int32_t self_offset; /* of self in the frame, or SELF_NONE */
	bool is_plain;       /* self is in that place itself, and is told apart */
};

struct path_cache {
	struct level levels[PATH_DEPTH_MAX]; /* the last path, outermost first */
	struct known_code codes[NR_CODES];
	struct edge edges[NR_EDGES];
};

/* A code object has been found where one should be. */
static _Atomic bool is_proven;

static struct path_cache *cache_of(struct thread *t)
{
	if (unlikely(!t->paths))
		t->paths = sys_reserve(sizeof(*t->paths));
	return t->paths;
}

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 29;
}

static inline uint64_t hash_of(const struct frame_key *k, uint32_t parent)
{
	const uint64_t hash =
		mix(mix(mix(mix(mix(parent, k->code), k->at), k->self), k->type), k->guard);

	return hash ? hash : 1;
}

/* 3.14 marks references in their lowest bits, and keeps small numbers in them. */
static inline uint64_t object_of(uint64_t reference)
{
	return (reference & 7) > 1 ? 0 : reference & ~7ull;
}

static inline uint64_t self_of(const struct python *p, uint64_t frame, struct self_place place)
{
	const uint64_t local = python_word(frame, p->layout.frame_locals + 8 * place.local);
	const uint64_t object = object_of(local);

	if (unlikely(place.is_cell) && python_is_a(p, object, p->PyCell_Type))
		return object_of(python_word(object, p->layout.cell_content));
	return object;
}

static void read_self(const struct python *p, uint64_t frame, const struct known_code *code,
		      struct frame_key *k)
{
	uint64_t self = 0;

	if (code->self.local != SELF_NONE)
		self = self_of(p, frame, code->self);
	if (!python_is_address(self))
		return;
	k->type = python_word(self, p->layout.type_of);
	k->self = code->is_anonymous ? 0 : self;
}

/* Its entry, made when the code is new; NULL: the tables are full. */
static struct known_code *code_find(const struct python *p, struct path_cache *c, uint64_t code,
				    uint64_t guard)
{
	const uint64_t slot = mix(0, code) >> 20;
	struct known_code *k;
	uint32_t id;

	for (uint32_t i = 0; i < PROBES; i++) {
		k = &c->codes[(slot + i) % NR_CODES];
		if (k->code == code && k->guard == guard)
			return k;
		if (!k->code || k->code == code)
			break;
	}
	id = python_code_id(p, code);
	if (!id)
		return NULL;
	atomic_store_explicit(&is_proven, true, memory_order_relaxed);
	*k = (struct known_code){
		.code = code, .guard = guard, .id = id, .self = python_code_self(p, code)
	};
	return k;
}

static uint32_t frame_define(const struct python *p, struct known_code *code,
			     const struct frame_key *k, uint32_t parent)
{
	const struct python_frame_content content = {
		.parent = parent,
		.code = code->id,
		.line = python_code_line(p, k->code, k->at),
		.class = k->type ? python_class_name(p, k->type) : 0,
		.self = k->self,
	};

	if (k->self && ++code->nr_frames > FRAMES_OF_CODE_MAX)
		code->is_anonymous = true;
	return intern(INTERN_PYTHON_FRAME, &content, sizeof(content));
}

static uint32_t frame_find(const struct python *p, struct path_cache *c, struct known_code *code,
			   const struct frame_key *k, uint32_t parent)
{
	const uint64_t hash = hash_of(k, parent);
	struct edge *e;

	for (uint32_t i = 0; i < PROBES; i++) {
		e = &c->edges[((hash >> 32) + i) % NR_EDGES];
		if (e->key == hash)
			return e->id;
		if (!e->key)
			break;
	}
	if (e->key) /* no room: the newest takes the first place */
		e = &c->edges[(hash >> 32) % NR_EDGES];
	e->id = frame_define(p, code, k, parent);
	e->key = e->id ? hash : 0;
	return e->id;
}

/*
 * What differs between a code object and the next one at its address.  Before there was a
 * version, what its line table begins with has to do, and where its names are: text that is
 * compiled, run and thrown away in a loop can still pass for the text before it.
 */
static inline uint64_t guard_of(const struct python *p, uint64_t code)
{
	const struct python_layout *l = &p->layout;
	uint64_t lines, size, begin;

	if (l->code_version >= 0)
		return (uint32_t)python_int(code, l->code_version);
	lines = python_word(code, l->code_lines);
	if (unlikely(!python_is_address(lines)))
		return 0;
	size = python_word(lines, l->bytes_size);
	/* A table of less than a word ends with the object. */
	begin = python_word(lines, l->bytes_data - (size < 7 ? 7 - (int)size : 0));
	return python_word(code, l->code_file) ^ python_word(code, l->code_name) << 8 ^
	       lines << 16 ^ size << 48 ^
	       (begin ^ (uint32_t)python_int(code, l->code_first_line)) * 0x9fb21c651e98df25u;
}

static inline uint64_t instruction_of(const struct python *p, uint64_t frame)
{
	return p->layout.minor <= 10 ? (uint64_t)(int64_t)python_int(frame, p->layout.frame_at)
				     : python_word(frame, p->layout.frame_at);
}

/*
 * Otherwise than the last time at this depth.  What is run and is no code object is passed over,
 * unless none ever was one: then this is not the layout we take it for.
 */
static __attribute__((noinline)) uint32_t level_change(const struct python *p, struct path_cache *c,
						       struct level *l, uint64_t frame,
						       uint32_t parent)
{
	struct frame_key k = {
		.code = object_of(python_word(frame, p->layout.frame_code)),
		.at = instruction_of(p, frame),
	};
	struct known_code *code;

	if (!python_is_a(p, k.code, p->PyCode_Type)) {
		if (!atomic_load_explicit(&is_proven, memory_order_relaxed))
			python_give_up("its frames are not where they should be");
		return parent;
	}
	k.guard = guard_of(p, k.code);
	code = code_find(p, c, k.code, k.guard);
	if (!code)
		return TABLE_FULL;
	read_self(p, frame, code, &k);
	*l = (struct level){
		.parent = parent,
		.id = frame_find(p, c, code, &k, parent),
		.key = k,
		.self_offset = code->self.local == SELF_NONE
				       ? SELF_NONE
				       : p->layout.frame_locals + 8 * code->self.local,
		.is_plain = !code->self.is_cell && !code->is_anonymous,
	};
	return l->id ? l->id : TABLE_FULL;
}

/* Is the frame as it was?  What equals what was looked at then needs no second look. */
static inline bool level_holds(const struct python *p, const struct level *l, uint64_t frame,
			       uint32_t parent)
{
	const uint64_t code = python_word(frame, p->layout.frame_code) & ~7ull;
	uint64_t self;

	if (unlikely(l->key.code != code || l->key.at != instruction_of(p, frame) ||
		     l->parent != parent || !l->id || l->key.guard != guard_of(p, code)))
		return false;
	if (l->self_offset == SELF_NONE)
		return true;
	self = python_word(frame, l->self_offset) & ~7ull;
	return l->is_plain && l->key.self == self &&
	       (!self || l->key.type == python_word(self, p->layout.type_of));
}

/* Innermost first; returns how many. */
static uint32_t frames_of(const struct python *p, uint64_t frame, uint64_t *frames)
{
	const struct python_layout *l = &p->layout;
	const uint32_t depth =
		options.path_depth < PATH_DEPTH_MAX ? (uint32_t)options.path_depth : PATH_DEPTH_MAX;
	uint32_t n = 0;

	for (uint32_t i = 0; python_is_address(frame) && n < depth && i < CHAIN_MAX; i++) {
		if (l->frame_owner < 0 || python_byte(frame, l->frame_owner) < OWNER_NOT_PYTHON)
			frames[n++] = frame;
		frame = python_word(frame, l->frame_back);
	}
	return n;
}

/*
 * The frame this thread is running, or 0.  While the interpreter goes down the states of other
 * threads are freed: then none is looked at.  They go some time after Py_IsInitialized() says
 * so, which is more than a look takes.
 */
static uint64_t innermost(const struct python *p)
{
	uint64_t state = p->Py_IsInitialized() ? (uintptr_t)p->PyGILState_GetThisThreadState() : 0;

	if (!python_is_address(state) ||
	    python_word(state, p->layout.thread_id) != (uint64_t)pthread_self())
		return 0;
	state = python_word(state, p->layout.thread_frame);
	if (p->layout.cframe_frame >= 0 && python_is_address(state))
		state = python_word(state, p->layout.cframe_frame);
	return state;
}

uint32_t python_path(struct thread *t)
{
	/* acquire: pairs with the release in python_find() */
	const struct python *p = atomic_load_explicit(&python, memory_order_acquire);
	struct path_cache *c;
	uint64_t frames[PATH_DEPTH_MAX];
	uint32_t n, id = 0;

	if (unlikely(!p))
		return 0;
	n = frames_of(p, innermost(p), frames);
	c = n ? cache_of(t) : NULL;
	for (uint32_t depth = 0; c && depth < n; depth++) {
		struct level *l = &c->levels[depth];
		const uint64_t frame = frames[n - 1 - depth];
		uint32_t child = l->id;

		if (unlikely(!level_holds(p, l, frame, id)))
			child = level_change(p, c, l, frame, id);
		if (unlikely(child == TABLE_FULL)) {
			counter_add(&t->counters, TTI_COUNTER_PATHS_CUT, 1);
			return id;
		}
		id = child;
	}
	return id;
}
