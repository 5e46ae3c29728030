/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memo.h - a thread's own memory of which hash is which id.  It may forget, it never invents: who
 * adds has made sure that the id is what the 64 bits stand for.
 *
 * Runs in: the launching thread.  Zeroed memory is an empty memo.
 */
#ifndef PRELOAD_MEMO_H
#define PRELOAD_MEMO_H

#include <stdint.h>

#include "sys.h"

#define MEMO_ENTRIES 32768u
#define MEMO_NEXT    16384u
#define MEMO_PROBES  4u

struct memo_entry {
	uint64_t hash; /* 0: none */
	uint32_t id;
	uint32_t zero;
};

struct memo {
	struct memo_entry last;
	struct memo_entry entries[MEMO_ENTRIES];
	/*
	 * By an id: what was found after it the last time.  Ids rise in the order of first
	 * launches, so that this is read front to back where `entries` is read here and there.
	 */
	struct memo_entry next[MEMO_NEXT];
};

static inline uint64_t memo_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 29;
}

/* The place of a hash: its own, or the one it may take. */
static inline struct memo_entry *memo_place(struct memo *m, uint64_t hash)
{
	for (uint32_t i = 0; i < MEMO_PROBES; i++) {
		struct memo_entry *e = &m->entries[((hash >> 32) + i) % MEMO_ENTRIES];

		if (e->hash == hash || !e->hash)
			return e;
	}
	return &m->entries[(hash >> 32) % MEMO_ENTRIES]; /* no room: the newest takes the first */
}

/* The id of `hash`, 0: not known.  `hash` is not 0. */
static inline uint32_t memo_find(struct memo *m, uint64_t hash)
{
	struct memo_entry *next = &m->next[m->last.id % MEMO_NEXT];

	if (hash == m->last.hash)
		return m->last.id;
	if (unlikely(next->hash != hash)) {
		const struct memo_entry *e = memo_place(m, hash);

		if (e->hash != hash)
			return 0;
		*next = *e;
	}
	m->last = *next;
	return m->last.id;
}

static inline void memo_add(struct memo *m, uint64_t hash, uint32_t id)
{
	*memo_place(m, hash) = (struct memo_entry){ .hash = hash, .id = id };
}

/* memo_find() will be called soon. */
static inline void memo_expect(const struct memo *m)
{
	__builtin_prefetch(&m->next[m->last.id % MEMO_NEXT]);
}

#endif
