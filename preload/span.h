/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - the library call that a thread is in: every launch made inside carries it.
 *
 * The outermost call stands: what cuDNN asks of cuBLAS belongs to what the application asked of
 * cuDNN.  The real call is not guarded: its launches are what we want.
 *
 * A call can also be left by an exception, by pthread_exit() or by longjmp().  For the first two
 * each wrapper has a personality routine, which the unwinder asks on its way: it closes the span
 * and catches nothing.  (What -fexceptions makes for __attribute__((cleanup)) would do the same,
 * and make every process that we are preloaded into load libgcc_s, ours before the one it brings
 * along.) longjmp tells nobody: there the span is found to be over by the next call or launch whose
 * frame lies where that of the wrapper has been, or above.  Until then launches made deeper in the
 * stack carry the call that was left.
 *
 * Runs in: the application's thread, on either side of the real call.
 */
#ifndef PRELOAD_SPAN_H
#define PRELOAD_SPAN_H

#include <stdbool.h>

#include "launch.h"
#include "thread.h"

/* The call that code at this place of the stack, or below, is part of.  Stacks grow downwards. */
static inline uint32_t span_call(uintptr_t frame)
{
	if (unlikely(tls.call && frame >= tls.call_frame))
		tls.call = 0;
	return tls.call;
}

/* False inside another call, and when nothing is recorded: then the problem is not even read. */
static inline bool span_is_wanted(uintptr_t frame)
{
	return atomic_load_explicit(&recording, memory_order_relaxed) && !span_call(frame) &&
	       !tls.is_ours;
}

/* `call`: INTERN_CALL, 0: none.  Returns what span_close() wants. */
static inline uint32_t span_open(uint32_t call, uintptr_t frame)
{
	tls.call_frame = frame;
	tls.call = call;
	return call;
}

static inline void span_close(uint32_t span)
{
	if (span)
		tls.call = 0;
}

/* For the unwinder: the frame of this function is one to ask span_personality() about. */
#define SPAN_UNWINDS __asm__(".cfi_personality 0x1b, span_personality")
#define SPAN_FRAME   ((uintptr_t)__builtin_frame_address(0))

/* The last column of a row: `before, after` of hook_family.inc. */
#define SPAN(call)                                                                          \
	SPAN_UNWINDS;                                                                       \
	const uint32_t span = span_is_wanted(SPAN_FRAME) ? span_open(call, SPAN_FRAME) : 0, \
		       span_close(span)

#endif
