/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_time.h - CUPTI is told to use our clock; another client of it wants its own.
 *
 * Both clocks are read together now and then.  A time between two readings is turned into the
 * client's by a straight line between them, so neither a step nor another rate matters much.
 */
#ifndef PRELOAD_CUPTI_TIME_H
#define PRELOAD_CUPTI_TIME_H

#include <cuda.h>
#include <cupti.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TIME_READINGS 64u

struct time_reading {
	uint64_t ours;
	uint64_t theirs;
};

/* One client's clock.  Zeroed: CLOCK_REALTIME, as CUPTI has it, and not read yet. */
struct time_track {
	_Atomic(CUpti_TimestampCallbackFunc) clock; /* NULL: CLOCK_REALTIME */
	uint32_t nr_readings;                       /* of all times; the last ones are kept */
	struct time_reading readings[TIME_READINGS];
};

/* The client's time now. */
uint64_t time_now(const struct time_track *t);

/* Reads both clocks, unless that was done less than `pause_ns` ago.  One thread at a time. */
void time_read(struct time_track *t, uint64_t pause_ns);

/* Another clock: earlier readings say nothing about it.  One thread at a time. */
void time_restart(struct time_track *t, CUpti_TimestampCallbackFunc clock);

/* Our time as the client's; 0 stays 0, there is no time.  After time_read(). */
uint64_t time_convert(const struct time_track *t, uint64_t ours);

/* All times of a copy of a record; a kind that has none, or is not known, stays as it is. */
void time_convert_record(const struct time_track *t, CUpti_Activity *record);

#endif
