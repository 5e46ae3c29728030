/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.h - when recording begins and ends in a process.
 *
 * Nothing at all happens before the process reaches a CUDA driver: no file, no thread, no CUPTI.
 */
#ifndef PRELOAD_LIFE_H
#define PRELOAD_LIFE_H

#include <cuda.h>
#include <stdbool.h>

#include "ttitrace/format.h"

/* Starts recording if it is time to; true: recording is on. */
bool life_begin(void);

/* The process is about to end or to become another. */
void life_end(enum tti_ending reason);

/*
 * The process may be about to become another, or to end where nobody is told: the trace is closed,
 * and recording goes on, in memory.  True: closed, and life_stay() takes that back.
 */
bool life_leave(enum tti_ending reason);
void life_stay(void);

/* False: recording is off for good. */
bool life_may_record(void);

/*
 * The program is about to say something, perhaps long before it reaches the driver: it may be
 * kept until then.  False: recording is off for good.
 */
bool life_expect_marks(void);

/* The window was opened or closed. */
void life_window_turned(void);

/* Hooks. */
void driver_ready(CUresult rc);
void context_ends(void);

#endif
