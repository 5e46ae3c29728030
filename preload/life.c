/* SPDX-License-Identifier: Apache-2.0 */
/* life.c - Runs in: the application's thread, at start, fork, end, and the first CUDA call. */
#include "life.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "clock.h"
#include "cupti.h"
#include "driver.h"
#include "identity.h"
#include "launch.h"
#include "log.h"
#include "options.h"
#include "origin.h"
#include "preamble.h"
#include "thread.h"
#include "trace_file.h"
#include "writer.h"

enum { NEW, STARTING, ON, OFF };

/* CUPTI takes a tenth of a second to start; more than this only a deadlock does. */
#define START_NS 2000000000u

static _Atomic uint32_t state;
/* A vfork child runs in our memory: only its process id tells it from us. */
static pid_t owner;

static void in_forked_child(void)
{
	/* CUDA does not survive fork.  A child of a parent that had not reached it starts anew. */
	if (atomic_load(&state) == NEW)
		return;
	atomic_store(&recording, false);
	atomic_store(&state, OFF);
	trace_file_forget();
	threads_forget();
}

static void at_exit(void)
{
	if (atomic_load(&state) == ON && getpid() == owner)
		writer_flush(true);
}

static void at_quick_exit_(void)
{
	life_end(TTI_ENDING_QUICK_EXIT);
}

static bool start(void)
{
	owner = getpid();
	clock_init();
	preamble_remember_begin();
	if (!intern_init()) {
		log_line("nothing is recorded: no memory");
		return false;
	}
	if (options.timing == TIMING_CUPTI)
		cupti_start();
	origin_start();
	if (!writer_start()) {
		log_line("nothing is recorded: cannot start a thread");
		return false;
	}
	pthread_atfork(NULL, NULL, in_forked_child);
	/* After the driver's own handlers were registered: ours runs before them. */
	atexit(at_exit);
	at_quick_exit(at_quick_exit_);
	return true;
}

static bool is_driver_initialised(void)
{
	int n;

	driver_bind();
	return driver.cuDeviceGetCount(&n) == CUDA_SUCCESS;
}

/*
 * Another thread is starting the tracing: what this one is about to launch would be missed.  This
 * is no launch path yet.  The limit is for a thread that holds what the other one needs, such as
 * the loader's lock.
 */
static bool await_start(void)
{
	const uint64_t give_up = clock_read_ns(CLOCK_MONOTONIC) + START_NS;

	while (atomic_load(&state) == STARTING) {
		if (clock_read_ns(CLOCK_MONOTONIC) > give_up) {
			counter_add_shared(TTI_COUNTER_NOT_STARTED, 1);
			return false;
		}
		sys_wait(&state, STARTING, START_NS / 100);
	}
	return atomic_load(&state) == ON;
}

/* True: this thread has started it, or found it started. */
static bool begin(void)
{
	uint32_t expected = NEW;
	bool is_on;

	if (atomic_load(&state) == NEW && !is_driver_initialised())
		return false;
	if (!atomic_compare_exchange_strong(&state, &expected, STARTING))
		return await_start();
	is_on = start();
	atomic_store(&recording, is_on);
	atomic_store(&state, is_on ? ON : OFF);
	sys_wake(&state);
	return is_on;
}

bool life_begin(void)
{
	const int saved = errno;
	bool is_on;

	if (atomic_load(&state) == OFF)
		return false;
	tls.is_ours++;
	is_on = begin();
	tls.is_ours--;
	errno = saved;
	return is_on;
}

void life_end(enum tti_ending reason)
{
	const int saved = errno;
	uint32_t expected = ON;

	if (getpid() == owner && atomic_compare_exchange_strong(&state, &expected, OFF)) {
		atomic_store(&recording, false);
		writer_finish(reason);
		cupti_end();
	}
	errno = saved;
}

bool life_may_record(void)
{
	return atomic_load(&state) != OFF;
}

void driver_ready(CUresult rc)
{
	if (rc == CUDA_SUCCESS && !tls.is_ours)
		life_begin();
}

/* Device records of a context must be fetched while it lives. */
void context_ends(void)
{
	contexts_forget();
	if (atomic_load(&state) == ON && getpid() == owner)
		writer_flush(false);
}

/* Before main, and before or after other constructors: nothing here needs them. */
__attribute__((constructor)) static void on_load(void)
{
	const int saved = errno;

	if (getauxval(AT_SECURE)) {
		atomic_store(&state, OFF);
	} else {
		options_read();
		trace_file_remember_directory();
	}
	errno = saved;
}

__attribute__((destructor)) static void on_unload(void)
{
	life_end(TTI_ENDING_EXIT);
}
