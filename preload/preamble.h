/* SPDX-License-Identifier: Apache-2.0 */
/* preamble.h - the first records of a file: process, options, versions, devices. */
#ifndef PRELOAD_PREAMBLE_H
#define PRELOAD_PREAMBLE_H

#include "ttitrace/encode.h"

/* Early: when the process began to be recorded. */
void preamble_remember_begin(void);

void preamble_put(struct tti_buffer *b, uint64_t ticks_per_second);

#endif
