/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activity_buffer.h - memory that CUPTI fills with device records and the writer empties.
 * A buffer is free, with CUPTI, or filled; each change of hands is one atomic store.
 */
#ifndef PRELOAD_ACTIVITY_BUFFER_H
#define PRELOAD_ACTIVITY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CUPTI asks, sometimes on a launching thread: no lock.  NULL: no memory, or at the limit. */
uint8_t *activity_buffer_request(size_t *ret_bytes);

/* May a request beyond the limit be refused?  CUPTI before 12.9 crashes on that; then it is not. */
void activity_buffer_allow_refusal(bool is_allowed);

/* CUPTI gives it back with so many bytes of records. */
void activity_buffer_complete(uint8_t *buffer, size_t valid_bytes);

/* Writer: the filled buffer that came first, or NULL.  It is the writer's until released. */
uint8_t *activity_buffer_take(size_t *ret_valid_bytes);
void activity_buffer_release(uint8_t *buffer);

#endif
