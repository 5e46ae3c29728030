/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - who makes a call: the native stack and the Python path, as options ask for them. */
#ifndef PRELOAD_ORIGIN_H
#define PRELOAD_ORIGIN_H

#include "identity.h"
#include "thread.h"

/* Once, before anything is recorded.  What cannot be had costs one line if it was asked for. */
void origin_start(void);

/* The writer, now and then: an interpreter may have been loaded since. */
void origin_look_again(void);

/* Before the real call: what the next will read is fetched while the driver works. */
void origin_expect(const struct thread *t);

/* Fills `stack` and `path`.  Runs in: the launching thread, after the real call. */
void origin_add(struct thread *t, struct template_content *c);

#endif
