/* SPDX-License-Identifier: Apache-2.0 */
#include "descriptor.h"

#include <stdbool.h>
#include <string.h>

#include "counter.h"
#include "sys.h"

#define SLOTS  (4 * (DESCRIPTORS_MAX + 1))
#define PROBES 64u

/*
 * A slot is one word, so that it changes at once: the handle, less the three bits that alignment
 * leaves 0, above the number of its entry.  Entry 0 does not exist.
 */
#define ENTRY_BITS 18
#define ENTRY_MASK ((1ull << ENTRY_BITS) - 1)
#define GONE       1ull /* what was here is not here any more; others may stand behind it */
#define HANDLE_MAX (1ull << (64 - ENTRY_BITS + 3))
_Static_assert(DESCRIPTORS_MAX <= ENTRY_MASK, "an entry's number fits");

/*
 * Free entries: a stack of those given back (its top, and a count that makes each state of the
 * stack another word), and those that never were used.
 */
struct pool {
	_Atomic uint64_t top; /* count in the upper half, entry in the lower */
	_Atomic uint32_t unused;
	_Atomic uint32_t below[DESCRIPTORS_MAX + 1];
	struct descriptor entries[DESCRIPTORS_MAX + 1];
};

static _Atomic uint64_t slots[SLOTS];
static _Atomic(struct pool *) pool;

static struct pool *pool_get(void)
{
	struct pool *p = atomic_load_explicit(&pool, memory_order_acquire), *fresh;

	if (likely(p))
		return p;
	fresh = sys_reserve(sizeof(*fresh));
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&pool, &p, fresh))
		return fresh;
	sys_release(fresh, sizeof(*fresh));
	return p;
}

static uint32_t entry_take(struct pool *p)
{
	uint64_t top = atomic_load(&p->top);
	uint32_t entry;

	while ((uint32_t)top) {
		const uint32_t next = atomic_load(&p->below[(uint32_t)top]);

		if (atomic_compare_exchange_weak(&p->top, &top, ((top >> 32) + 1) << 32 | next))
			return (uint32_t)top;
	}
	entry = atomic_load(&p->unused);
	while (entry < DESCRIPTORS_MAX &&
	       !atomic_compare_exchange_weak(&p->unused, &entry, entry + 1)) {
	}
	return entry < DESCRIPTORS_MAX ? entry + 1 : 0;
}

static void entry_give(struct pool *p, uint32_t entry)
{
	uint64_t top = atomic_load(&p->top);

	do
		atomic_store(&p->below[entry], (uint32_t)top);
	while (!atomic_compare_exchange_weak(&p->top, &top, ((top >> 32) + 1) << 32 | entry));
}

static uint64_t key_of(const void *handle)
{
	return (uint64_t)(uintptr_t)handle >> 3 << ENTRY_BITS;
}

static bool is_possible(const void *handle)
{
	const uint64_t h = (uint64_t)(uintptr_t)handle;

	return h && !(h & 7) && h < HANDLE_MAX;
}

static _Atomic uint64_t *slot_at(const void *handle, uint32_t probe)
{
	const uint64_t hash = ((uint64_t)(uintptr_t)handle >> 3) * 0x9e3779b97f4a7c15u >> 40;

	return &slots[(hash + probe) % SLOTS];
}

/* The slot of a handle and what stands in it, or NULL. */
static _Atomic uint64_t *slot_of(const void *handle, uint64_t *ret_word)
{
	const uint64_t key = key_of(handle);

	for (uint32_t i = 0; is_possible(handle) && i < PROBES; i++) {
		_Atomic uint64_t *slot = slot_at(handle, i);
		const uint64_t word = atomic_load_explicit(slot, memory_order_acquire);

		if (!word)
			return NULL;
		if ((word & ~ENTRY_MASK) == key) {
			*ret_word = word;
			return slot;
		}
	}
	return NULL;
}

static bool slot_take(const void *handle, uint32_t entry)
{
	for (uint32_t i = 0; is_possible(handle) && i < PROBES; i++) {
		_Atomic uint64_t *slot = slot_at(handle, i);
		uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed);

		/* release: whoever finds the entry finds it zeroed */
		while (!seen || seen == GONE)
			if (atomic_compare_exchange_strong(slot, &seen, key_of(handle) | entry))
				return true;
	}
	return false;
}

struct descriptor *descriptor_add(const void *handle)
{
	struct pool *p = pool_get();
	uint32_t entry;

	/* One that was destroyed where we could not see it. */
	descriptor_remove(handle);
	entry = p ? entry_take(p) : 0;
	if (entry) {
		memset(&p->entries[entry], 0, sizeof(p->entries[entry]));
		if (slot_take(handle, entry))
			return &p->entries[entry];
		entry_give(p, entry);
	}
	counter_add_shared(TTI_COUNTER_DESCRIPTORS_DROPPED, 1);
	return NULL;
}

struct descriptor *descriptor_find(const void *handle)
{
	struct pool *p = atomic_load_explicit(&pool, memory_order_acquire);
	uint64_t word;

	return p && slot_of(handle, &word) ? &p->entries[word & ENTRY_MASK] : NULL;
}

void descriptor_remove(const void *handle)
{
	struct pool *p = atomic_load_explicit(&pool, memory_order_acquire);
	uint64_t word;
	_Atomic uint64_t *slot = p ? slot_of(handle, &word) : NULL;

	if (slot && atomic_compare_exchange_strong(slot, &word, GONE))
		entry_give(p, (uint32_t)(word & ENTRY_MASK));
}
