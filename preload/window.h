/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - which part of a run is recorded: all of it, what lies between cudaProfilerStart and
 * Stop, within an NVTX range, what somebody switches on and off, some launches by number.
 *
 * A closed window costs a launch one look at `recording`.  Captures into graphs are recorded all
 * the same: they run nothing, and what is replayed later comes from them.
 */
#ifndef PRELOAD_WINDOW_H
#define PRELOAD_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "ttitrace/format.h"

/* Who opens and closes it.  PERSON: the program by ttitrace.h, `ttitrace ctl`, a signal. */
enum window_key { WINDOW_PROFILER, WINDOW_RANGE, WINDOW_PERSON };

/* Some part of this run may not be recorded: from then on each row is looked at. */
extern _Atomic bool window_is_limited;

/* At start, after the options are read. */
void window_start(void);
/* When recording begins: the program has the signals by then that it wants for itself. */
void window_watch_signal(void);
bool window_is_open(void);
/* When recording has begun: what was turned meanwhile holds. */
void window_settle(void);
/* In a forked child: nobody is turning it. */
void window_forked(void);

/* Any thread, not in a signal handler.  A key that the options do not name turns nothing. */
void window_open(enum window_key key);
void window_close(enum window_key key);

/* The program pushes, pops, starts or ends a range; `text`: a string's id. */
void window_range(enum tti_mark_kind kind, uint32_t text, uint64_t range);

/* Launch path, only where window_is_limited: may this row be recorded? */
bool window_admits(const struct template_content *c);

/* Launch path, only where window_is_limited: the call of this id is not recorded, or is. */
void window_see(uint32_t correlation, bool is_passed);

/* Writer: is this device record one of a launch that was recorded? */
bool window_keeps(uint32_t correlation);
/* Writer, once in a round: does what was asked for where it could not be done. */
void window_look(void);
/* Writer: nobody can switch recording on if the file is not there to be found. */
bool window_needs_file(void);

#endif
