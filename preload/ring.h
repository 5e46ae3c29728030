/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - rows on their way from one launching thread to the writer.  One producer, one
 * consumer, no locks.  The producer never waits: a full ring counts a drop.
 */
#ifndef PRELOAD_RING_H
#define PRELOAD_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One host row, or, by its template, something rarer. */
struct row {
	uint64_t begin;         /* ticks */
	uint64_t duration : 44; /* ticks */
	uint64_t result : 20;
	uint32_t template;
	uint32_t correlation;
	uint64_t node;
	uint32_t parameters; /* id, 0: not kept */
	uint32_t zero;
};
_Static_assert(sizeof(struct row) == 40, "no padding");

#define ROW_DURATION_MAX ((1ull << 44) - 1)

/* Templates from here on are not ids. */
#define ROW_SPECIAL (UINT32_MAX - 1)
/* begin, node, correlation, parameters, duration: time, text, kind, domain, range; INTERN_STRING */
#define ROW_MARK (UINT32_MAX - 1)
#define ROW_GRAPH_NODE \
	UINT32_MAX /* begin, node, correlation, duration: node, origin, graph, type */

/* Head and tail on lines of their own: the sides touch each other's only when they must. */
struct ring {
	uint32_t mask;                      /* capacity - 1; fixed */
	_Alignas(64) _Atomic uint32_t head; /* written by the producer */
	uint32_t tail_seen;                 /* the producer's last look at tail */
	_Alignas(64) _Atomic uint32_t tail; /* written by the consumer */
	_Alignas(64) struct row rows[];
};

/* Bytes that a ring of at least `size_bytes` of rows takes; ring_init() wants as much. */
size_t ring_bytes(size_t size_bytes);
void ring_init(struct ring *r, size_t bytes);

/* The row to fill, or NULL: full. */
static inline struct row *ring_reserve(struct ring *r)
{
	const uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (__builtin_expect(head - r->tail_seen > r->mask, 0)) {
		/* acquire: pairs with the release in ring_consume() */
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head - r->tail_seen > r->mask)
			return NULL;
	}
	return &r->rows[head & r->mask];
}

/* A row will be reserved soon. */
static inline void ring_expect(const struct ring *r)
{
	__builtin_prefetch(&r->rows[atomic_load_explicit(&r->head, memory_order_relaxed) & r->mask],
			   1);
}

static inline void ring_commit(struct ring *r)
{
	const uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* release: pairs with the acquire in ring_available() */
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

/* Consumer: how many rows are there; row i of them; the first n are done with. */
uint32_t ring_available(const struct ring *r);
const struct row *ring_row(const struct ring *r, uint32_t i);
void ring_consume(struct ring *r, uint32_t n);

#endif
