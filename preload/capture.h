/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.h - is a call recorded into a graph instead of run?  Asking the driver at every launch
 * would cost too much, so it is asked only while some capture is open in the process.
 */
#ifndef PRELOAD_CAPTURE_H
#define PRELOAD_CAPTURE_H

#include <cuda.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

extern _Atomic uint32_t captures_open;

static inline bool capture_is_open(void)
{
	return atomic_load_explicit(&captures_open, memory_order_relaxed) != 0;
}

/* Hooks. */
void capture_began(CUresult rc);
void capture_ended(CUresult rc);

/* Does `stream` take part in a capture? */
bool capture_holds(CUstream stream);

#endif
