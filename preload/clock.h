/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the launch path reads the processor's counter, because clock_gettime takes twice as
 * long; the writer turns ticks into nanoseconds of CLOCK_MONOTONIC between two readings of both.
 */
#ifndef PRELOAD_CLOCK_H
#define PRELOAD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Both clocks read at one instant. */
struct clock_pair {
	uint64_t ticks;
	uint64_t ns;
};

/* Set by clock_init(): the counter runs at one rate in every core and sleep state. */
extern bool clock_counter_is_steady;

/* Any thread, as often as it likes; before any time is read. */
void clock_init(void);
struct clock_pair clock_pair_read(void);
/* Ticks between (or near) two readings, as nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_ns(uint64_t ticks, const struct clock_pair *from, const struct clock_pair *to);
uint64_t clock_rate(const struct clock_pair *from, const struct clock_pair *to);

static inline uint64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_ticks(void)
{
#if defined(__x86_64__)
	if (clock_counter_is_steady)
		return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
	return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
