/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_client.h - records for another client of CUPTI, such as an application's own profiler.
 *
 * CUPTI fills our buffers.  What a client has asked for is copied into buffers that it provides
 * itself, whole records, with times by its own clock, and handed over when they are full or when
 * it flushes: as CUPTI would.
 *
 * We have asked for kernels, copies and fills anyway, so which of those are a client's too is a
 * matter of when they were launched: CUPTI numbers all calls (correlation ids), and a kind is
 * wanted from the call at which the client enabled it up to the one at which it disabled it.
 */
#ifndef PRELOAD_CUPTI_CLIENT_H
#define PRELOAD_CUPTI_CLIENT_H

#include <cuda.h>
#include <cupti.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cupti_time.h"

#define CLIENT_KINDS   64u
#define CLIENT_WINDOWS 8u

/* Calls from `from` up to, not with, `to`: ended ones, each in one word, and the one under way. */
struct client_window {
	_Atomic uint64_t ended[CLIENT_WINDOWS]; /* from, and `to` in the high half */
	_Atomic uint32_t nr_ended;
	_Atomic uint32_t from;
	_Atomic bool is_open;
};

struct client_buffer {
	uint8_t *memory; /* NULL: none */
	size_t size_bytes;
	size_t used_bytes;
	size_t nr_records;
	size_t max_records; /* 0: no limit */
	CUpti_BuffersCallbackCompleteFunc complete;
};

struct cupti_client {
	_Atomic(CUpti_BuffersCallbackRequestFunc) request;
	_Atomic(CUpti_BuffersCallbackCompleteFunc) complete;
	_Atomic uint64_t kinds;    /* enabled now */
	_Atomic uint64_t due;      /* and those disabled, whose records may still come */
	_Atomic uint64_t expected; /* without having been enabled */
	_Atomic bool has_buffer;
	_Atomic uint64_t dropped; /* since it was asked last */
	struct client_window windows[CLIENT_KINDS];
	/*
	 * For what follows.  Recursive, because a client's callbacks may come back to us.  Held
	 * while they run, as CUPTI holds a lock of its own: never take it with another one held.
	 */
	pthread_mutex_t lock;
	struct client_buffer buffer;
	struct time_track time;
};

#define CUPTI_CLIENT_INIT                                      \
	{                                                      \
		.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP \
	}

/* The client is there from now on. */
void client_register(struct cupti_client *c, CUpti_BuffersCallbackRequestFunc request,
		     CUpti_BuffersCallbackCompleteFunc complete);
void client_set_clock(struct cupti_client *c, CUpti_TimestampCallbackFunc clock);

/* From call `correlation` on, up to it.  Callers take turns. */
void client_enable(struct cupti_client *c, CUpti_ActivityKind kind, uint32_t correlation);
void client_disable(struct cupti_client *c, CUpti_ActivityKind kind, uint32_t correlation);

/* Records of this kind are to come, for some calls, without the kind being enabled. */
void client_expect(struct cupti_client *c, CUpti_ActivityKind kind);

/* Is it told by the number of the call whether a record of this kind is a client's? */
bool client_needs_call(CUpti_ActivityKind kind);

/* We made this call ourselves: no client gets a record of it. */
void client_ignore_call(uint32_t correlation);

/* May records of this kind be the client's? */
bool client_has_kind(const struct cupti_client *c, CUpti_ActivityKind kind);

/* Is it to be asked for a buffer?  May be wrong by the time it is known. */
bool client_lacks_buffer(struct cupti_client *c);

/* Has a buffer ready for the kinds that are enabled. */
void client_prepare(struct cupti_client *c);

/* CUPTI has filled a buffer: copies the client's part of it. */
void client_deliver(struct cupti_client *c, uint8_t *buffer, size_t valid_bytes);

/* The client has flushed: hands over what it has not got yet.  `all`: by force, nothing is left. */
void client_flush(struct cupti_client *c, bool all);

/* The client is gone; it gets what there is. */
void client_forget(struct cupti_client *c);

#endif
