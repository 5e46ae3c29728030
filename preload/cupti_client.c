/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_client.c - Runs in: threads on which CUPTI delivers, and those in which the client calls.
 */
#include "cupti_client.h"

#include <string.h>

#include "cupti_api.h"
#include "log.h"
#include "sys.h"

#define READING_NS 1000000000u

/* Kinds whose records are told apart by when they were launched. */
#define IN_WINDOWS                                                                                \
	(UINT64_C(1) << CUPTI_ACTIVITY_KIND_KERNEL |                                              \
	 UINT64_C(1) << CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL |                                   \
	 UINT64_C(1) << CUPTI_ACTIVITY_KIND_MEMCPY | UINT64_C(1) << CUPTI_ACTIVITY_KIND_MEMCPY2 | \
	 UINT64_C(1) << CUPTI_ACTIVITY_KIND_MEMSET)

/* Calls of ours that clients must not see. */
#define IGNORED 64u
static _Atomic uint32_t ignored[IGNORED];
static _Atomic uint32_t nr_ignored;

static uint64_t bit(CUpti_ActivityKind kind)
{
	return (uint32_t)kind < CLIENT_KINDS ? UINT64_C(1) << kind : 0;
}

void client_register(struct cupti_client *c, CUpti_BuffersCallbackRequestFunc request,
		     CUpti_BuffersCallbackCompleteFunc complete)
{
	sys_lock(&c->lock);
	time_read(&c->time, 0);
	atomic_store(&c->request, request);
	atomic_store(&c->complete, complete);
	pthread_mutex_unlock(&c->lock);
}

void client_set_clock(struct cupti_client *c, CUpti_TimestampCallbackFunc clock)
{
	sys_lock(&c->lock);
	if (atomic_load(&c->time.clock) != clock)
		time_restart(&c->time, clock);
	pthread_mutex_unlock(&c->lock);
}

void client_enable(struct cupti_client *c, CUpti_ActivityKind kind, uint32_t correlation)
{
	struct client_window *w;

	if (!bit(kind))
		return;
	w = &c->windows[kind];
	if (!atomic_load(&w->is_open)) {
		atomic_store(&w->from, correlation);
		atomic_store(&w->is_open, true);
	}
	atomic_fetch_or(&c->due, bit(kind));
	atomic_fetch_or(&c->kinds, bit(kind));
}

void client_disable(struct cupti_client *c, CUpti_ActivityKind kind, uint32_t correlation)
{
	struct client_window *w;

	if (!bit(kind))
		return;
	w = &c->windows[kind];
	if (atomic_load(&w->is_open)) {
		const uint32_t from = atomic_load(&w->from);
		/* Not known: what comes soon is taken for the client's, rather than lost. */
		const uint32_t to = correlation ? correlation : from + INT32_MAX;

		/* The window is among the ended ones before it is not open any more. */
		atomic_store(&w->ended[atomic_load(&w->nr_ended) % CLIENT_WINDOWS],
			     (uint64_t)to << 32 | from);
		atomic_fetch_add(&w->nr_ended, 1);
		atomic_store(&w->is_open, false);
	}
	atomic_fetch_and(&c->kinds, ~bit(kind));
}

void client_expect(struct cupti_client *c, CUpti_ActivityKind kind)
{
	atomic_fetch_or(&c->expected, bit(kind));
	atomic_fetch_or(&c->due, bit(kind));
}

bool client_needs_call(CUpti_ActivityKind kind)
{
	return IN_WINDOWS & bit(kind);
}

void client_ignore_call(uint32_t correlation)
{
	atomic_store(&ignored[atomic_fetch_add(&nr_ignored, 1) % IGNORED], correlation);
}

static bool is_ignored(uint32_t correlation)
{
	for (uint32_t i = 0; i < IGNORED; i++)
		if (correlation && atomic_load(&ignored[i]) == correlation)
			return true;
	return false;
}

bool client_has_kind(const struct cupti_client *c, CUpti_ActivityKind kind)
{
	return atomic_load_explicit(&c->due, memory_order_relaxed) & bit(kind);
}

/* Is a call between, in numbers that wrap? */
static bool is_between(uint32_t id, uint32_t from, uint32_t to)
{
	return id - from < to - from;
}

static bool is_in_window(const struct client_window *w, uint32_t correlation)
{
	if (atomic_load(&w->is_open) && (int32_t)(correlation - atomic_load(&w->from)) >= 0)
		return true;
	for (uint32_t i = 0; i < CLIENT_WINDOWS; i++) {
		const uint64_t ended = atomic_load(&w->ended[i]);

		if (is_between(correlation, (uint32_t)ended, (uint32_t)(ended >> 32)))
			return true;
	}
	return false;
}

/* Kinds that we ask for ourselves have a window; others are there because a client asked. */
static bool is_wanted(const struct cupti_client *c, const CUpti_Activity *record)
{
	const CUpti_ActivityKind kind = record->kind;
	uint32_t correlation;

	switch (kind) {
	case CUPTI_ACTIVITY_KIND_KERNEL:
	case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
		correlation = ((const CUpti_ActivityKernel8 *)(const void *)record)->correlationId;
		return is_in_window(&c->windows[CUPTI_ACTIVITY_KIND_KERNEL], correlation) ||
		       is_in_window(&c->windows[CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL],
				    correlation);
	case CUPTI_ACTIVITY_KIND_MEMCPY:
		correlation = ((const CUpti_ActivityMemcpy5 *)(const void *)record)->correlationId;
		return is_in_window(&c->windows[kind], correlation);
	case CUPTI_ACTIVITY_KIND_MEMCPY2:
		correlation =
			((const CUpti_ActivityMemcpyPtoP4 *)(const void *)record)->correlationId;
		return is_in_window(&c->windows[kind], correlation);
	case CUPTI_ACTIVITY_KIND_MEMSET:
		correlation = ((const CUpti_ActivityMemset4 *)(const void *)record)->correlationId;
		return is_in_window(&c->windows[kind], correlation);
	case CUPTI_ACTIVITY_KIND_DRIVER:
		correlation = ((const CUpti_ActivityAPI *)(const void *)record)->correlationId;
		return client_has_kind(c, kind) && !is_ignored(correlation);
	case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
		correlation = ((const CUpti_ActivityExternalCorrelation *)(const void *)record)
				      ->correlationId;
		return client_has_kind(c, kind) && !is_ignored(correlation);
	default:
		return client_has_kind(c, kind);
	}
}

/* Under the lock.  The buffer is the client's again before its callback runs. */
static void hand_over(struct cupti_client *c)
{
	const struct client_buffer full = c->buffer;

	c->buffer = (struct client_buffer){ .memory = NULL };
	atomic_store(&c->has_buffer, false);
	if (full.memory)
		full.complete(NULL, 0, full.memory, full.size_bytes, full.used_bytes);
}

static bool has_room(const struct client_buffer *b, size_t bytes)
{
	return b->memory && bytes <= b->size_bytes - b->used_bytes &&
	       (!b->max_records || b->nr_records < b->max_records);
}

/* Under the lock, where there is none. */
static void request_buffer(struct cupti_client *c)
{
	const CUpti_BuffersCallbackRequestFunc request = atomic_load(&c->request);
	struct client_buffer b = { .complete = atomic_load(&c->complete) };

	if (!request || !b.complete)
		return;
	request(&b.memory, &b.size_bytes, &b.max_records);
	if (!b.memory)
		return;
	c->buffer = b;
	atomic_store(&c->has_buffer, true);
}

static bool make_room(struct cupti_client *c, size_t bytes)
{
	if (has_room(&c->buffer, bytes))
		return true;
	hand_over(c);
	request_buffer(c);
	return has_room(&c->buffer, bytes);
}

bool client_lacks_buffer(struct cupti_client *c)
{
	return atomic_load(&c->request) && atomic_load(&c->kinds) && !atomic_load(&c->has_buffer);
}

/*
 * CUPTI asks for a buffer as soon as there is something to record, which we learn of only when
 * CUPTI's is full.  A client that was not asked for one may think there is nothing to flush.
 */
void client_prepare(struct cupti_client *c)
{
	sys_lock(&c->lock);
	if (client_lacks_buffer(c))
		request_buffer(c);
	pthread_mutex_unlock(&c->lock);
}

static void put(struct cupti_client *c, const CUpti_Activity *record, size_t bytes)
{
	struct client_buffer *b = &c->buffer;
	CUpti_Activity *copy;

	if (!make_room(c, bytes)) {
		atomic_fetch_add(&c->dropped, 1);
		return;
	}
	copy = (CUpti_Activity *)(void *)(b->memory + b->used_bytes);
	memcpy(copy, record, bytes);
	time_convert_record(&c->time, copy);
	b->used_bytes += bytes;
	b->nr_records++;
}

static CUpti_Activity *next_record(uint8_t *buffer, size_t valid_bytes, CUpti_Activity *record)
{
	return cupti.cuptiActivityGetNextRecord(buffer, valid_bytes, &record) == CUPTI_SUCCESS
		       ? record
		       : NULL;
}

void client_deliver(struct cupti_client *c, uint8_t *buffer, size_t valid_bytes)
{
	CUpti_Activity *record, *next;

	if (!atomic_load(&c->complete) || !atomic_load(&c->due) || !buffer)
		return;
	sys_lock(&c->lock);
	time_read(&c->time, READING_NS);
	/* How long a record is, is the library's business: up to the next one. */
	for (record = next_record(buffer, valid_bytes, NULL); record; record = next) {
		next = next_record(buffer, valid_bytes, record);
		if (is_wanted(c, record))
			put(c, record,
			    (size_t)((next ? (uint8_t *)next : buffer + valid_bytes) -
				     (uint8_t *)record));
	}
	pthread_mutex_unlock(&c->lock);
}

void client_flush(struct cupti_client *c, bool all)
{
	sys_lock(&c->lock);
	hand_over(c);
	atomic_fetch_and(&c->due, atomic_load(&c->kinds) | atomic_load(&c->expected) |
					  (all ? 0 : IN_WINDOWS));
	client_prepare(c);
	pthread_mutex_unlock(&c->lock);
}

void client_forget(struct cupti_client *c)
{
	sys_lock(&c->lock);
	hand_over(c);
	atomic_store(&c->request, NULL);
	atomic_store(&c->complete, NULL);
	atomic_store(&c->kinds, 0);
	atomic_store(&c->expected, 0);
	atomic_store(&c->due, 0);
	memset(c->windows, 0, sizeof(c->windows));
	time_restart(&c->time, NULL);
	pthread_mutex_unlock(&c->lock);
}
