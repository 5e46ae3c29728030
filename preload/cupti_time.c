/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_time.c - Runs in: whichever thread CUPTI delivers records on. */
#include "cupti_time.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"

/* A reading that took longer was interrupted: it is tried again. */
#define QUICK_NS 1000u
#define TRIES    4

static const struct {
	uint32_t kind;
	uint16_t offset;
	uint16_t count;
} places[] = {
#define TIMES(kind, structure, field, count) \
	{ CUPTI_ACTIVITY_KIND_##kind, offsetof(structure, field), count },
#include "cupti_time.def"
#undef TIMES
};

uint64_t time_now(const struct time_track *t)
{
	const CUpti_TimestampCallbackFunc clock =
		atomic_load_explicit(&t->clock, memory_order_relaxed);

	return clock ? clock() : clock_read_ns(CLOCK_REALTIME);
}

static const struct time_reading *reading(const struct time_track *t, uint32_t number)
{
	return &t->readings[number % TIME_READINGS];
}

static struct time_reading read_both(const struct time_track *t)
{
	struct time_reading best = { .ours = 0 };
	uint64_t best_took = UINT64_MAX;

	for (int i = 0; i < TRIES && best_took > QUICK_NS; i++) {
		const uint64_t before = clock_read_ns(CLOCK_MONOTONIC);
		const uint64_t theirs = time_now(t);
		const uint64_t took = clock_read_ns(CLOCK_MONOTONIC) - before;

		if (took < best_took)
			best = (struct time_reading){ .ours = before + took / 2, .theirs = theirs };
		if (took < best_took)
			best_took = took;
	}
	return best;
}

/*
 * The last reading is replaced until it is `pause_ns` after the one before it: what lies between
 * two readings that are far apart is known best.
 */
void time_read(struct time_track *t, uint64_t pause_ns)
{
	const struct time_reading now = read_both(t);
	const uint32_t n = t->nr_readings;

	if (n >= 2 && now.ours - reading(t, n - 2)->ours < pause_ns)
		t->readings[(n - 1) % TIME_READINGS] = now;
	else
		t->readings[t->nr_readings++ % TIME_READINGS] = now;
}

void time_restart(struct time_track *t, CUpti_TimestampCallbackFunc clock)
{
	atomic_store_explicit(&t->clock, clock, memory_order_relaxed);
	t->nr_readings = 0;
	time_read(t, 0);
}

uint64_t time_convert(const struct time_track *t, uint64_t ours)
{
	const uint32_t n = t->nr_readings;
	const uint32_t oldest = n > TIME_READINGS ? n - TIME_READINGS : 0;
	const struct time_reading *from, *to;
	uint32_t i;

	if (!ours || n < 2)
		return ours;
	for (i = n - 2; i > oldest && reading(t, i)->ours > ours; i--)
		;
	from = reading(t, i);
	to = reading(t, i + 1);
	if (to->ours == from->ours)
		return from->theirs + (ours - from->ours);
	return from->theirs + (uint64_t)(int64_t)((__int128)(int64_t)(ours - from->ours) *
						  (int64_t)(to->theirs - from->theirs) /
						  (int64_t)(to->ours - from->ours));
}

void time_convert_record(const struct time_track *t, CUpti_Activity *record)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint8_t *at = (uint8_t *)record + places[i].offset;

		if (places[i].kind != (uint32_t)record->kind)
			continue;
		for (uint16_t k = 0; k < places[i].count; k++, at += sizeof(uint64_t)) {
			uint64_t time;

			memcpy(&time, at, sizeof(time));
			time = time_convert(t, time);
			memcpy(at, &time, sizeof(time));
		}
	}
}
