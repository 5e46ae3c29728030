/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <pthread.h>
#include <string.h>

#include "sys.h"

bool clock_counter_is_steady;

/* The kernel has tested the counter for longer than we could: believe it, and only it. */
static void choose(void)
{
	char name[32];

	clock_counter_is_steady =
		sys_read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			      name, sizeof(name)) &&
		strncmp(name, "tsc", 3) == 0;
}

void clock_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose);
}

/* Of a few tries, the one in which the least time passed between the two readings. */
struct clock_pair clock_pair_read(void)
{
	struct clock_pair best = { 0, 0 };
	uint64_t narrowest = UINT64_MAX;

	for (int i = 0; i < 4; i++) {
		const uint64_t before = clock_ticks();
		const uint64_t ns = clock_read_ns(CLOCK_MONOTONIC);
		const uint64_t width = clock_ticks() - before;

		if (width < narrowest) {
			narrowest = width;
			best = (struct clock_pair){ .ticks = before + width / 2, .ns = ns };
		}
	}
	return best;
}

uint64_t clock_ns(uint64_t ticks, const struct clock_pair *from, const struct clock_pair *to)
{
	const __int128 elapsed = (__int128)ticks - from->ticks;
	const uint64_t span = to->ticks - from->ticks;

	if (!span)
		return to->ns;
	return from->ns + (uint64_t)(int64_t)(elapsed * (__int128)(to->ns - from->ns) / span);
}

uint64_t clock_rate(const struct clock_pair *from, const struct clock_pair *to)
{
	const uint64_t ns = to->ns - from->ns;

	return ns ? (uint64_t)((__int128)(to->ticks - from->ticks) * 1000000000 / ns) : 0;
}
