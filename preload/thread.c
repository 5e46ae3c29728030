/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - Runs in: launching threads (thread_self), the writer (the rest). */
#include "thread.h"

#include "options.h"

__thread struct tls tls;
struct counters shared_counters;

static _Atomic(struct thread *) first;

static size_t thread_bytes(void)
{
	return offsetof(struct thread, ring) + ring_bytes(options.ring_kb * 1024);
}

static struct thread *reuse(uint32_t tid)
{
	for (struct thread *t = thread_first(); t; t = t->next) {
		uint32_t nobody = 0;

		if (atomic_compare_exchange_strong(&t->tid, &nobody, tid))
			return t;
	}
	return NULL;
}

static struct thread *create(uint32_t tid)
{
	struct thread *t = sys_reserve(thread_bytes());

	if (!t)
		return NULL;
	ring_init(&t->ring, ring_bytes(options.ring_kb * 1024));
	atomic_store_explicit(&t->tid, tid, memory_order_relaxed);
	t->next = atomic_load_explicit(&first, memory_order_relaxed);
	/* release: who sees it sees it whole */
	while (!atomic_compare_exchange_weak_explicit(&first, &t->next, t, memory_order_release,
						      memory_order_relaxed)) {
	}
	return t;
}

struct thread *thread_self(void)
{
	const uint32_t tid = tls.thread ? 0 : sys_tid();

	if (likely(tls.thread))
		return tls.thread;
	if (!tls.is_without_thread) {
		tls.thread = reuse(tid);
		if (!tls.thread)
			tls.thread = create(tid);
		tls.is_without_thread = !tls.thread;
	}
	if (!tls.thread)
		counter_add_shared(TTI_COUNTER_NO_RING, 1);
	return tls.thread;
}

struct thread *thread_first(void)
{
	return atomic_load_explicit(&first, memory_order_acquire);
}

void thread_retire(struct thread *t)
{
	t->is_announced = false;
	atomic_store_explicit(&t->tid, 0, memory_order_release);
}

void threads_forget(void)
{
	/* The memory stays: it is the parent's, copied only where the child writes. */
	atomic_store_explicit(&first, NULL, memory_order_relaxed);
	tls.thread = NULL;
}

uint64_t threads_total(unsigned counter)
{
	uint64_t sum = atomic_load_explicit(&shared_counters.value[counter], memory_order_relaxed);

	for (const struct thread *t = thread_first(); t; t = t->next)
		sum += atomic_load_explicit(&t->counters.value[counter], memory_order_relaxed);
	return sum;
}
