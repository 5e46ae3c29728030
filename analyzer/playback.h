/* SPDX-License-Identifier: Apache-2.0 */
/*
 * playback.h - the rows of a run once more, each with the item of the profile that it was added to.
 *
 * A report knows what a launch was for only when all of its trace is read.  Who needs single
 * launches then reads the file again, and keeps of it what is to be shown.
 */
#ifndef ANALYZER_PLAYBACK_H
#define ANALYZER_PLAYBACK_H

#include "profile.h"

struct played {
	const struct trace *trace; /* the one in the run */
	const struct profile_item *item;
	uint64_t begin_ns, duration_ns; /* on the device; of host time, in the launching call */
	uint64_t launch_ns;             /* when the launching call began; 0: not known */
};

struct player {
	void (*play)(void *context, const struct played *row);
	void *context;
};

/*
 * Nearly in the order of the file: what waits for its launch comes late.  Rows that no item has are
 * left out: those that a choice of modules or phases leaves out.  Shows on a terminal how far it
 * is. 0, -ENOMEM, or what trace_scan() says.
 */
int playback(const struct run *run, enum information information, const struct profile *p,
	     const struct player *player, struct diag *diag);

#endif
