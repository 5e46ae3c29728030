/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - the library call that a thread is in: every launch made inside carries it.
 *
 * The outermost call stands: what cuDNN asks of cuBLAS belongs to what the application asked of
 * cuDNN.  The real call is not guarded: its launches are what we want.
 *
 * Runs in: the application's thread, on either side of the real call.
 */
#ifndef PRELOAD_SPAN_H
#define PRELOAD_SPAN_H

#include <stdbool.h>

#include "launch.h"
#include "thread.h"

/* False inside another call, and when nothing is recorded: then the problem is not even read. */
static inline bool span_is_wanted(void)
{
	return atomic_load_explicit(&recording, memory_order_relaxed) && !tls.call && !tls.is_ours;
}

/* `call`: INTERN_CALL, 0: none.  Returns what span_close() wants. */
static inline uint32_t span_open(uint32_t call)
{
	tls.call = call;
	return call;
}

static inline void span_close(uint32_t span)
{
	if (span)
		tls.call = 0;
}

/* The last column of a row: `before, after` of hook_family.inc. */
#define SPAN(call) const uint32_t span = span_is_wanted() ? span_open(call) : 0, span_close(span)

#endif
