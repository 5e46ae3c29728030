/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intern.c - lock-free tables over one arena.
 * Runs in: any thread.  No malloc, no lock, no system call, errno kept.
 */
#include "intern.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "sys.h"

#define ARENA_BYTES (256u << 20) /* reserved, not used: pages count when touched */
#define ENTRIES_MAX (1u << 20)
#define SLOTS       (2 * ENTRIES_MAX)
#define PROBES_MAX  64

struct blob {
	uint64_t size;
	uint8_t bytes[]; /* aligned like what is compared with them */
};

struct intern {
	/* hash in the upper half, id in the lower; 0: free.  Never changes once set. */
	_Atomic uint64_t *slots;
	/* by id: place in the arena, in units of 8 bytes; 0: not ready. */
	_Atomic uint32_t *places;
	_Atomic uint32_t last;
};

static struct intern tables[NR_INTERN_KINDS];
static uint8_t *arena;
static _Atomic uint64_t arena_used = 8; /* place 0 means none */

static bool reserve(void)
{
	const size_t slots = SLOTS * sizeof(*tables->slots);
	const size_t places = ENTRIES_MAX * sizeof(*tables->places);
	uint8_t *memory = sys_reserve(ARENA_BYTES + NR_INTERN_KINDS * (slots + places));

	if (!memory)
		return false;
	arena = memory;
	memory += ARENA_BYTES;
	for (int i = 0; i < NR_INTERN_KINDS; i++, memory += slots + places) {
		tables[i].slots = (void *)memory;
		tables[i].places = (void *)(memory + slots);
	}
	return true;
}

/* A cuDNN graph may be described before recording starts, by any thread. */
bool intern_init(void)
{
	enum { NEW, STARTING, READY, FAILED };
	static _Atomic uint32_t state = NEW;
	uint32_t seen = NEW;

	if (atomic_compare_exchange_strong(&state, &seen, STARTING))
		atomic_store(&state, reserve() ? READY : FAILED);
	while (atomic_load(&state) == STARTING)
		sched_yield(); /* for one mmap */
	return atomic_load(&state) == READY;
}

/* Multiply and fold, eight bytes at a time: contents are a few words, and in cache. */
static uint32_t hash_of(const void *content, size_t size)
{
	const uint8_t *p = content;
	uint64_t h = size * 0x9e3779b97f4a7c15u, word;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9fb21c651e98df25u;
		h ^= h >> 32;
	}
	if (size) {
		word = 0;
		memcpy(&word, p, size);
		h = (h ^ word) * 0x9fb21c651e98df25u;
		h ^= h >> 32;
	}
	return (uint32_t)h ? (uint32_t)h : 1;
}

/*
 * memcmp is a call through the PLT; these are short and mostly equal, so nothing is gained by
 * stopping at the first difference.
 */
static inline bool same(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t x[4], y[4], difference = 0;

	for (; size >= 32; size -= 32, a += 32, b += 32) {
		memcpy(x, a, 32);
		memcpy(y, b, 32);
		difference |= (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
	}
	for (; size >= 8; size -= 8, a += 8, b += 8) {
		memcpy(x, a, 8);
		memcpy(y, b, 8);
		difference |= x[0] ^ y[0];
	}
	return !difference && (size == 0 || memcmp(a, b, size) == 0);
}

static const struct blob *blob_of(const struct intern *t, uint32_t id)
{
	/* acquire: pairs with the release in add() */
	const uint32_t place = atomic_load_explicit(&t->places[id], memory_order_acquire);

	return place ? (const struct blob *)(arena + 8ull * place) : NULL;
}

static uint32_t add(struct intern *t, const void *content, size_t size)
{
	const uint64_t need = (sizeof(struct blob) + size + 7) & ~7ull;
	const uint64_t place = atomic_fetch_add_explicit(&arena_used, need, memory_order_relaxed);
	struct blob *b;
	uint32_t id;

	if (place + need > ARENA_BYTES) {
		atomic_fetch_sub_explicit(&arena_used, need, memory_order_relaxed);
		return 0;
	}
	id = atomic_fetch_add_explicit(&t->last, 1, memory_order_relaxed) + 1;
	if (id >= ENTRIES_MAX) {
		atomic_fetch_sub_explicit(&t->last, 1, memory_order_relaxed);
		return 0;
	}
	b = (struct blob *)(arena + place);
	b->size = size;
	memcpy(b->bytes, content, size);
	/* release: whoever sees the place sees the content */
	atomic_store_explicit(&t->places[id], (uint32_t)(place / 8), memory_order_release);
	return id;
}

static inline uint32_t look_up(enum intern_kind kind, const void *content, size_t size,
			       bool may_add)
{
	struct intern *t = &tables[kind];
	const uint32_t hash = hash_of(content, size);
	uint32_t id = 0;

	if (unlikely(!arena))
		return 0;
	for (uint32_t i = hash, probes = 0; probes < PROBES_MAX; i++, probes++) {
		_Atomic uint64_t *slot = &t->slots[i % SLOTS];
		uint64_t seen = atomic_load_explicit(slot, memory_order_acquire);

		if (!seen) {
			if (!may_add)
				return 0;
			if (!id)
				id = add(t, content, size);
			if (!id ||
			    atomic_compare_exchange_strong(slot, &seen, (uint64_t)hash << 32 | id))
				return id;
			/* Somebody took the slot meanwhile: it may be the same content. */
		}
		if (seen >> 32 == hash) {
			const struct blob *b = blob_of(t, (uint32_t)seen);

			if (b && b->size == size && same(b->bytes, content, size))
				return (uint32_t)seen;
		}
	}
	return id || !may_add ? id : add(t, content, size);
}

uint32_t intern(enum intern_kind kind, const void *content, size_t size)
{
	return look_up(kind, content, size, true);
}

uint32_t intern_find(enum intern_kind kind, const void *content, size_t size)
{
	return look_up(kind, content, size, false);
}

bool intern_is(enum intern_kind kind, uint32_t id, const void *content, size_t size)
{
	const struct blob *b = blob_of(&tables[kind], id);

	return b && b->size == size && same(b->bytes, content, size);
}

void intern_expect(enum intern_kind kind, uint32_t id)
{
	const char *b = (const char *)blob_of(&tables[kind], id);

	__builtin_prefetch(b);
	__builtin_prefetch(b + 64);
}

const void *intern_content(enum intern_kind kind, uint32_t id, size_t *ret_size)
{
	const struct blob *b = id && id < ENTRIES_MAX ? blob_of(&tables[kind], id) : NULL;

	if (b)
		*ret_size = b->size;
	return b ? b->bytes : NULL;
}

uint32_t intern_last(enum intern_kind kind)
{
	return atomic_load_explicit(&tables[kind].last, memory_order_acquire);
}
