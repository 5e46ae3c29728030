/* SPDX-License-Identifier: Apache-2.0 */
/* windows.h - which parts of a run were recorded, if not all of it: marks `open` and `close`. */
#ifndef ANALYZER_WINDOWS_H
#define ANALYZER_WINDOWS_H

#include <stddef.h>

#include "ttitrace/record.h"

/* All zero: everything was recorded. */
struct windows {
	uint64_t *turned_ns; /* closed, opened, closed ...: the first is a closing, perhaps at 0 */
	size_t nr, size;
};

/* Other marks are ignored.  0 or -ENOMEM. */
int windows_take(struct windows *w, const struct tti_mark *mark);
void windows_free(struct windows *w);

/* How often recording went on. */
size_t windows_count(const struct windows *w);
/* The time from `begin_ns` to `end_ns` that was not recorded. */
uint64_t windows_closed_ns(const struct windows *w, uint64_t begin_ns, uint64_t end_ns);

#endif
