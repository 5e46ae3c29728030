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
#include "nvtx.h"
#include "options.h"
#include "origin.h"
#include "preamble.h"
#include "thread.h"
#include "trace_file.h"
#include "trace_path.h"
#include "window.h"
#include "writer.h"

enum { NEW, STARTING, ON, OFF };

/* CUPTI takes a tenth of a second to start; more than this only a deadlock does. */
#define START_NS 2000000000u

static _Atomic uint32_t state;
/* A vfork child runs in our memory: only its process id tells it from us. */
static pid_t owner;
/* Between life_leave() and life_stay() of some thread. */
static _Atomic bool is_leaving;

static void in_forked_child(void)
{
	threads_forget();
	window_forked();
	/* CUDA does not survive fork.  A child of a parent that had not reached it starts anew. */
	if (atomic_load(&state) == NEW)
		return;
	atomic_store(&recording, false);
	atomic_store(&state, OFF);
	trace_file_forget();
}

static void watch_forks(void)
{
	static atomic_flag is_done = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&is_done))
		pthread_atfork(NULL, NULL, in_forked_child);
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
	/* First: a child that is made while this goes on must not wait for it. */
	watch_forks();
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
	window_watch_signal();
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
	atomic_store(&recording, is_on && window_is_open());
	atomic_store(&state, is_on ? ON : OFF);
	/* The window may have turned between the two. */
	window_settle();
	sys_wake(&state);
	return is_on;
}

bool life_begin(void)
{
	const int saved = errno;
	bool is_on;

	/* A window may be closed: then every launch asks, and none may write to a shared line. */
	if (likely(atomic_load(&state) == ON))
		return true;
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

bool life_leave(enum tti_ending reason)
{
	const int saved = errno;
	const bool is_left = atomic_load(&state) == ON && getpid() == owner &&
			     !atomic_exchange(&is_leaving, true);

	if (is_left)
		writer_pause(reason);
	errno = saved;
	return is_left;
}

void life_stay(void)
{
	const int saved = errno;

	if (getpid() == owner) {
		writer_resume();
		atomic_store(&is_leaving, false);
	}
	errno = saved;
}

bool life_may_record(void)
{
	return atomic_load(&state) != OFF;
}

void life_window_turned(void)
{
	if (atomic_load(&state) == ON)
		atomic_store(&recording, window_is_open() && !writer_has_failed());
	/* It may have ended meanwhile. */
	if (atomic_load(&state) == OFF)
		atomic_store(&recording, false);
}

bool life_expect_marks(void)
{
	if (!life_may_record() || !intern_init())
		return false;
	watch_forks();
	clock_init();
	return true;
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
		log_remember();
		options_read();
		window_start();
		trace_path_remember_directory();
		if (options.marks == MARKS_NVTX)
			nvtx_announce();
	}
	errno = saved;
}

__attribute__((destructor)) static void on_unload(void)
{
	life_end(TTI_ENDING_EXIT);
}
