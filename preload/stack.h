/* SPDX-License-Identifier: Apache-2.0 */
/* stack.h - the native stack of the launching thread, as one id. */
#ifndef PRELOAD_STACK_H
#define PRELOAD_STACK_H

#include <stdbool.h>
#include <stdint.h>

#define STACK_DEPTH_MAX 256u

struct thread;

struct frame_content {
	uint64_t address; /* return address */
	uint32_t parent;  /* INTERN_FRAME */
	uint32_t zero;
};

/* Opens libunwind; false: there is none.  Runs in: the first launching thread, once. */
bool stack_start(void);

/* INTERN_FRAME of the innermost frame outside this library; 0: stacks are not taken. */
uint32_t stack_id(struct thread *t);

#endif
