/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_path.h - the chain of Python frames of the launching thread, as one id.
 *
 * Read without the GIL: the frames are the running thread's own, and stand still while it
 * launches; what they refer to they keep alive.  A thread that has no frames has no path.
 *
 * Subinterpreters: the thread state is the one PyGILState_GetThisThreadState() knows.  From 3.12
 * that is the interpreter the thread is running; before, the first it ever ran, so code in a
 * subinterpreter is seen as the call that entered it.
 */
#ifndef PRELOAD_PYTHON_PATH_H
#define PRELOAD_PYTHON_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define PATH_DEPTH_MAX 512u

struct thread;

struct python_frame_content {
	uint32_t parent; /* INTERN_PYTHON_FRAME */
	uint32_t code;   /* INTERN_CODE */
	uint32_t line;
	uint32_t class; /* INTERN_STRING */
	uint64_t self;  /* its address */
};

/* INTERN_PYTHON_FRAME of the innermost frame; 0: this thread is not running Python. */
uint32_t python_path(struct thread *t);

/* Before the call that the path will be of: asks for what python_path() is going to read. */
void python_path_expect(const struct thread *t);

#endif
