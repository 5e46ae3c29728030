/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_path.c - Runs in: the launching thread, once for each launch.  No malloc, no lock, no
 * system call but the one that reserves a thread's tables, no formatting.
 *
 * What a path's id depends on is read from each frame each time: the code object and where it
 * stands in it, self and its class.  The whole chain makes one hash, and the path's id is in a
 * table of the thread's under it: one look, however many frames are new since the last launch (half
 * of them, in a diffusion model).  Only a path that is not there is put together frame by frame.
 *
 * In a real program little of this is in the caches.  So before the real call, the processor is
 * told what will be read after it, going by the last launch; it comes while the driver works.
 */
#include "python_path.h"

#include <pthread.h>

#include "counter.h"
#include "intern.h"
#include "memo.h"
#include "options.h"
#include "python_code.h"
#include "sys.h"
#include "thread.h"

/* _PyInterpreterFrame.owner: from here on (3.12 to 3.14) no frame of Python's, only a marker. */
#define OWNER_NOT_PYTHON 3
/* A chain longer than that, markers and all, is no chain. */
#define CHAIN_MAX (4 * PATH_DEPTH_MAX)

#define NR_CODES  4096u
#define PROBES    4u
/* Frames of one code object that differ in self, say: beyond, self is no module but a passer-by. */
#define FRAMES_OF_CODE_MAX 16384u

#define CACHE_LINE         64u

struct known_code {
	uint64_t code, guard;
	uint32_t id; /* INTERN_CODE */
	uint32_t nr_frames;
	int32_t self_offset; /* of self in the frame, 0: it has none */
	bool is_cell;        /* self may stand in a cell */
	bool is_anonymous;   /* selves are too many to tell apart */
	bool is_special;     /* one of these */
};
_Static_assert(sizeof(struct known_code) == CACHE_LINE / 2, "two to a cache line");

/* What a frame's part of the path depends on. */
struct frame_key {
	uint64_t code, guard, at, self, type;
};

/* Where things were at the last launch. */
struct place {
	uint64_t frame, code, self;
};

struct path_cache {
	uint32_t nr_places;
	struct place places[PATH_DEPTH_MAX]; /* innermost first */
	struct known_code codes[NR_CODES];
	struct memo paths;  /* of launches, by the hash from the innermost frame */
	struct memo begins; /* of their frames, by the hash from the outermost */
};

/* A code object has been found where one should be. */
static _Atomic bool is_proven;

static struct path_cache *cache_of(struct thread *t)
{
	if (unlikely(!t->paths))
		t->paths = sys_reserve(sizeof(*t->paths));
	return t->paths;
}

/* Products side by side; what follows in the chain mixes their bits. */
static inline uint64_t hash_of(uint64_t code, uint64_t guard, uint64_t at, uint64_t self,
			       uint64_t type)
{
	return code * 0x9e3779b97f4a7c15u + at * 0xd6e8feb86659fd93u + self * 0xa0761d6478bd642fu +
	       type * 0xe7037ed1a0b428dbu + guard * 0x8ebc6af09c88c6e3u;
}

static inline uint64_t key_hash(const struct frame_key *k)
{
	return hash_of(k->code, k->guard, k->at, k->self, k->type);
}

/* 3.14 marks references in their lowest bits, and keeps small numbers in them. */
static inline uint64_t object_of(uint64_t reference)
{
	return (reference & 7) > 1 ? 0 : reference & ~7ull;
}

static void read_self(const struct python *p, uint64_t frame, const struct known_code *code,
		      struct frame_key *k)
{
	uint64_t self = object_of(python_word(frame, code->self_offset));

	if (unlikely(code->is_cell) && python_is_a(p, self, p->PyCell_Type))
		self = object_of(python_word(self, p->layout.cell_content));
	if (unlikely(!python_is_address(self)))
		return;
	k->type = python_word(self, p->layout.type_of);
	k->self = code->is_anonymous ? 0 : self;
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

static inline uint32_t code_slot(uint64_t code)
{
	return (uint32_t)(code * 0x9e3779b97f4a7c15u >> 40) % NR_CODES;
}

static struct known_code *code_define(const struct python *p, struct known_code *k, uint64_t code,
				      uint64_t guard, bool *ret_is_full)
{
	const struct self_place self = python_code_self(p, code);
	const uint32_t id = python_code_id(p, code);

	*ret_is_full = !id;
	if (!id)
		return NULL;
	atomic_store_explicit(&is_proven, true, memory_order_relaxed);
	*k = (struct known_code){
		.code = code,
		.guard = guard,
		.id = id,
		.self_offset =
			self.local == SELF_NONE ? 0 : p->layout.frame_locals + 8 * self.local,
		.is_cell = self.is_cell,
		.is_special = self.is_cell,
	};
	return k;
}

/*
 * The entry of code that is not in its first place, made when it is new.  NULL: what is run is no
 * code object, or (*ret_is_full) the tables are full.  What is no code object is passed over,
 * unless none ever was one: then this is not the layout we take it for.
 */
static __attribute__((noinline)) struct known_code *code_search(const struct python *p,
								struct path_cache *c, uint64_t code,
								bool *ret_is_full)
{
	const uint32_t slot = code_slot(code);
	struct known_code *k;
	uint64_t guard;

	if (!python_is_a(p, code, p->PyCode_Type)) {
		if (!atomic_load_explicit(&is_proven, memory_order_relaxed))
			python_give_up("its frames are not where they should be");
		return NULL;
	}
	guard = guard_of(p, code);
	for (uint32_t i = 0; i < PROBES; i++) {
		k = &c->codes[(slot + i) % NR_CODES];
		if (k->code == code && k->guard == guard)
			return k;
		if (!k->code || k->code == code)
			break;
	}
	return code_define(p, k, code, guard, ret_is_full);
}

/* As code_search(). */
static __attribute__((noinline)) struct known_code *frame_read(const struct python *p,
							       struct path_cache *c, uint64_t frame,
							       struct frame_key *ret_key,
							       bool *ret_is_full)
{
	struct frame_key k = {
		.code = object_of(python_word(frame, p->layout.frame_code)),
		.at = instruction_of(p, frame),
	};
	struct known_code *code = &c->codes[code_slot(k.code)];

	if (unlikely(code->code != k.code || !k.code || code->guard != guard_of(p, k.code)))
		code = code_search(p, c, k.code, ret_is_full);
	if (unlikely(!code))
		return NULL;
	k.guard = code->guard;
	if (code->self_offset)
		read_self(p, frame, code, &k);
	*ret_key = k;
	return code;
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
		code->is_anonymous = code->is_special = true;
	return intern(INTERN_PYTHON_FRAME, &content, sizeof(content));
}

/*
 * A path that is not known, from the outermost frame on.  Where the tables are full it is cut, and
 * *ret_is_whole false.
 */
static __attribute__((noinline)) uint32_t path_define(const struct python *p, struct path_cache *c,
						      bool *ret_is_whole)
{
	uint64_t hash = 0;
	uint32_t id = 0;

	for (uint32_t i = c->nr_places; i-- > 0;) {
		bool is_full = false;
		struct frame_key k;
		struct known_code *code = frame_read(p, c, c->places[i].frame, &k, &is_full);
		uint32_t child;

		if (!code && !is_full)
			continue;
		hash = code ? memo_mix(hash, key_hash(&k)) : hash;
		child = code ? memo_find(&c->begins, hash) : 0;
		if (code && !child) {
			child = frame_define(p, code, &k, id);
			memo_add(&c->begins, hash, child);
		}
		*ret_is_whole = child;
		if (!child)
			return id;
		id = child;
	}
	return id;
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

/*
 * The hash of one frame whose code is in its first place, and what its self is; false: it is to be
 * looked at more closely.  What was code when we looked, and has the version that it had, still is.
 */
static inline bool frame_hash(const struct python *p, const struct path_cache *c, uint64_t frame,
			      struct place *ret_place, uint64_t *ret_hash)
{
	const uint64_t code = python_word(frame, p->layout.frame_code) & ~7ull;
	const struct known_code *k = &c->codes[code_slot(code)];
	/* By masks: which frames have a self is another at each launch, and foreseen by nobody. */
	const uint64_t has_self = k->self_offset ? UINT64_MAX : 0;
	const uint64_t self = python_word(frame, k->self_offset) & ~1ull & has_self;
	uint64_t type;

	if (unlikely(k->code != code || !code || k->guard != guard_of(p, code) || k->is_special ||
		     (has_self && !python_is_address(self))))
		return false;
	type = python_word((self & has_self) | (frame & ~has_self), p->layout.type_of) & has_self;
	*ret_place = (struct place){ .frame = frame, .code = code, .self = self };
	*ret_hash = hash_of(code, k->guard, instruction_of(p, frame), self, type);
	return true;
}

/* The same for any frame; false: it runs no code object. */
static __attribute__((noinline)) bool frame_hash_any(const struct python *p, struct path_cache *c,
						     uint64_t frame, struct place *ret_place,
						     uint64_t *ret_hash)
{
	struct frame_key k = { .code = 0 };
	bool is_full = false;
	const bool is_code = frame_read(p, c, frame, &k, &is_full);

	*ret_place = (struct place){ .frame = frame, .code = k.code, .self = k.self };
	*ret_hash = key_hash(&k);
	return is_code || is_full; /* a full table is seen when the path is put together */
}

/* Reads the chain and keeps where it is.  Returns its hash, 0: it has no frames. */
static inline uint64_t chain_read(const struct python *p, struct path_cache *c, uint64_t frame)
{
	const int back = p->layout.frame_back, owner = p->layout.frame_owner;
	const uint32_t depth =
		options.path_depth < PATH_DEPTH_MAX ? (uint32_t)options.path_depth : PATH_DEPTH_MAX;
	uint64_t hash = 0, own = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; python_is_address(frame) && n < depth && i < CHAIN_MAX; i++) {
		const bool is_python = owner < 0 || python_byte(frame, owner) < OWNER_NOT_PYTHON;

		if (is_python && (likely(frame_hash(p, c, frame, &c->places[n], &own)) ||
				  frame_hash_any(p, c, frame, &c->places[n], &own))) {
			hash = memo_mix(hash, own);
			n++;
		}
		frame = python_word(frame, back);
	}
	c->nr_places = n;
	return hash;
}

/* Nothing is read but our own: what has gone meanwhile does no harm, an address is only named. */
void python_path_expect(const struct thread *t)
{
	const struct python *p = atomic_load_explicit(&python, memory_order_acquire);
	const struct path_cache *c = t->paths;
	int guard;

	if (unlikely(!p || !c))
		return;
	memo_expect(&c->paths);
	guard = p->layout.code_version >= 0 ? p->layout.code_version : p->layout.code_lines;
	for (uint32_t i = 0; i < c->nr_places; i++) {
		const struct place *was = &c->places[i];

		__builtin_prefetch((const char *)(uintptr_t)was->frame);
		__builtin_prefetch((const char *)(uintptr_t)was->frame + CACHE_LINE);
		__builtin_prefetch((const char *)(uintptr_t)was->code + guard);
		__builtin_prefetch((const char *)(uintptr_t)was->self + p->layout.type_of);
	}
}

uint32_t python_path(struct thread *t)
{
	/* acquire: pairs with the release in python_find() */
	const struct python *p = atomic_load_explicit(&python, memory_order_acquire);
	struct path_cache *c;
	uint64_t frame, hash;
	uint32_t id;
	bool is_whole = true;

	if (unlikely(!p))
		return 0;
	frame = innermost(p);
	c = frame ? cache_of(t) : NULL;
	hash = c ? chain_read(p, c, frame) : 0;
	if (unlikely(!hash))
		return 0;
	id = memo_find(&c->paths, hash);
	if (likely(id))
		return id;
	id = path_define(p, c, &is_whole);
	if (is_whole)
		memo_add(&c->paths, hash, id);
	else
		counter_add(&t->counters, TTI_COUNTER_PATHS_CUT, 1);
	return id;
}
