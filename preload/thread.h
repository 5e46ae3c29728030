/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - what we keep for each thread that launches: its ring and its counters.
 *
 * A thread's own fields are written by it alone; the writer reads them.  A thread that has ended
 * is found by asking the system, not by a destructor in the application's thread; its memory
 * goes to the next thread that comes.
 */
#ifndef PRELOAD_THREAD_H
#define PRELOAD_THREAD_H

#include "counter.h"
#include "ring.h"
#include "sys.h"

#define THREAD_SUCCESSORS 2048u /* a power of two; a UNet's step has some 250 templates */

struct thread {
	struct thread *next;  /* all threads ever; set before it is published */
	_Atomic uint32_t tid; /* 0: free for another thread */
	bool is_announced;    /* writer: its record is in the file */
	uint32_t due;         /* writer: rows to take in this round */
	struct counters counters;
	struct path_cache *paths; /* python_path.c; made when first needed, kept for the next */
	struct memo *stacks;      /* stack.c; the same */
	uint32_t last_template;
	uint32_t successors[THREAD_SUCCESSORS]; /* by template: what came after it the last time */
	struct ring ring;                       /* last: its rows follow */
};

/* Thread-local, small: static TLS is scarce. */
struct tls {
	struct thread *thread; /* NULL: none yet */
	uint64_t node;         /* CUPTI: node that the call under way has created */
	void *context;         /* CUPTI: CUcontext of the call under way */
	const char *symbol;    /* CUPTI: name of the kernel of the call under way */
	uint32_t correlation;  /* CUPTI: id of the call under way; TLS_PASSED: not recorded, not yet
				  known */
	uint32_t is_ours;      /* code of ours is running: calls we cause are not recorded */
	/* The context looked up last, so that most launches need no look-up. */
	void *last_context;
	uint32_t last_context_id;
	uint32_t last_context_generation;
	uint32_t call;          /* the library call this thread is in, 0: none; see span.h */
	uintptr_t call_frame;   /* the stack frame of the wrapper that it was opened in */
	bool is_without_thread; /* there was no memory for it; do not ask again */
};

#define TLS_PASSED UINT32_MAX

extern __thread struct tls tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* This thread's record, made when it is first asked for; NULL: no memory, counted. */
struct thread *thread_self(void);

/* All of them, newest first; walk with ->next. */
struct thread *thread_first(void);

/* Writer: gives the memory of an ended and drained thread to the next that comes. */
void thread_retire(struct thread *t);

/* In a forked child: the parent's threads do not exist here. */
void threads_forget(void);

/* Counter values over all threads, ended ones too. */
uint64_t threads_total(unsigned counter);

#endif
