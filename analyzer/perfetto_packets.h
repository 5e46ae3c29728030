/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perfetto_packets.h - Perfetto's trace format: packets of one sequence, names interned, tracks
 * described once.  Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef ANALYZER_PERFETTO_PACKETS_H
#define ANALYZER_PERFETTO_PACKETS_H

#include <perfetto.pb-c.h>
#include <stdio.h>

#include "id_map.h"

enum packet_event { EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3, EVENT_COUNTER = 4 };

/* Each has numbers of its own. */
enum packet_intern {
	INTERN_category,
	INTERN_name,
	INTERN_annotation,
	INTERN_text,
	NR_INTERNS,
};

struct packets {
	FILE *out;
	struct id_map interned[NR_INTERNS]; /* by address */
	uint32_t nr_interned[NR_INTERNS];
	uint64_t nr_tracks;
	int err; /* the first thing that went wrong */
};

/* Writes what a trace begins with; the real time belongs to the other one, 0: not known. */
void packets_begin(struct packets *p, FILE *out, uint64_t monotonic_ns, uint64_t realtime_ns);
void packets_clear(struct packets *p);

/* The number of a text that is UTF-8 and has one address as long as this is used; 0: p->err. */
uint64_t packets_intern(struct packets *p, enum packet_intern sort, const char *text);

/* Describes a track under a number of its own, which it returns; the descriptor's uuid is set. */
uint64_t packets_track(struct packets *p, Perfetto__TrackDescriptor *track);

void packets_event(struct packets *p, uint64_t time_ns, Perfetto__Event *event);

#endif
