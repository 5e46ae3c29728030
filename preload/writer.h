/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h - the thread that takes rows, records and definitions to the file. */
#ifndef PRELOAD_WRITER_H
#define PRELOAD_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "ttitrace/format.h"

/* False: no memory or no thread. */
bool writer_start(void);

/* In the thread itself: what is recorded so far goes to the file. */
void writer_round(void);

/* The file could not be made: recording is over. */
bool writer_has_failed(void);

/*
 * All that is recorded so far goes to the file, GPU records too; waits, but not for ever.
 * `is_last`: CUPTI is not called after this; the driver is about to go.
 */
void writer_flush(bool is_last);

/*
 * The same, then the last record of the file; nothing is written after it.
 * For TTI_ENDING_EXIT without GPU records: CUPTI may be gone.
 */
void writer_finish(enum tti_ending reason);

/* Has it look at once at what there is to do.  False: it does not run. */
bool writer_wake(void);

/* The same for an end that may not come: writer_resume() takes the last record back. */
void writer_pause(enum tti_ending reason);
void writer_resume(void);

#endif
