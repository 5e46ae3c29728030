/* SPDX-License-Identifier: Apache-2.0 */
/* counter.h - totals by TTI_COUNTER; each set has one writing thread. */
#ifndef PRELOAD_COUNTER_H
#define PRELOAD_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "ttitrace/format.h"

struct counters {
	_Atomic uint64_t value[TTI_COUNTER_LIMIT];
};

/* For what no launching thread counts: any thread may add. */
extern struct counters shared_counters;

/* The owner only: a plain increment that other threads may read. */
static inline void counter_add(struct counters *c, enum tti_counter id, uint64_t n)
{
	const uint64_t v = atomic_load_explicit(&c->value[id], memory_order_relaxed);

	atomic_store_explicit(&c->value[id], v + n, memory_order_relaxed);
}

static inline void counter_add_shared(enum tti_counter id, uint64_t n)
{
	atomic_fetch_add_explicit(&shared_counters.value[id], n, memory_order_relaxed);
}

#endif
