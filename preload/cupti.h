/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti.h - GPU times: device records in buffers, and on the launching thread the id that joins
 * a call to its device records.
 *
 * The subscriber's callback runs inside the real entry point and leaves the correlation id in
 * thread-local memory, where the wrapper picks it up: exact, whatever thread, stream or library
 * launched.  Counting launches instead breaks at the first dropped record, and external
 * correlation ids yield no records from a wrapper.
 */
#ifndef PRELOAD_CUPTI_H
#define PRELOAD_CUPTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds libcupti, subscribes, enables the records.  False: there will be no GPU times; one line
 * has said why.
 */
bool cupti_start(void);

/* Delivers what is complete; `all`: also what is not, at the end.  Any thread but in a callback. */
void cupti_flush(bool all);

/* What the subscriber's callback tells us: on the launch path, a few stores. */
void cupti_called(uint32_t domain, uint32_t event, const void *data);

/* Does anybody empty activity buffers?  Not before the start, nor after cupti_end(). */
bool cupti_wants_records(void);
void cupti_end(void);

/* Off while nothing is recorded: CUPTI's records cost time also where nobody wants them. */
void cupti_records(bool on);

/* Which libcupti is in use: path and version; false: none. */
bool cupti_describe(const char **ret_path, uint32_t *ret_version);

/* CUPTI's names for handles; 0: not known. */
uint32_t cupti_context_id(void *context);
uint32_t cupti_graph_exec_id(void *exec);

/* Walks a delivered buffer.  *record NULL: the first; false: no more. */
bool cupti_next_record(uint8_t *buffer, size_t valid_bytes, void **record);

#endif
