/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c - the consumer's side.  Runs in: the writer thread. */
#include "ring.h"

#define ROWS_MIN 256u
#define ROWS_MAX (1u << 24)

static uint32_t rows_for(size_t size_bytes)
{
	uint32_t rows = ROWS_MIN;

	while (rows < ROWS_MAX && rows * sizeof(struct row) < size_bytes)
		rows *= 2;
	return rows;
}

size_t ring_bytes(size_t size_bytes)
{
	return sizeof(struct ring) + rows_for(size_bytes) * sizeof(struct row);
}

void ring_init(struct ring *r, size_t bytes)
{
	r->mask = (uint32_t)((bytes - sizeof(*r)) / sizeof(struct row)) - 1;
}

uint32_t ring_available(const struct ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_acquire) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

const struct row *ring_row(const struct ring *r, uint32_t i)
{
	return &r->rows[(atomic_load_explicit(&r->tail, memory_order_relaxed) + i) & r->mask];
}

void ring_consume(struct ring *r, uint32_t n)
{
	const uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	/* release: the producer may write these rows again */
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
