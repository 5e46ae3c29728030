/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libiberty refuses names beyond 1000 bytes unless it may use any amount of stack, and a few
 * hundred bytes can keep it busy for years: a substitution may repeat two earlier ones.  So long
 * names are demangled in a thread with a stack that is large enough for their length, and all of
 * them under a timer that counts processor time.
 *
 * To leave libiberty, in the middle of a computation or for its endless output, there is only the
 * jump.  It holds nothing on the heap and no locks, so nothing is lost.
 */
#include "demangle.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libiberty/demangle.h>

#define MS_NS 1000000ull

/* Real names take less than FREE_NS; what is beyond is taken from what all names have together. */
#define NAME_NS_MAX (500 * MS_NS)
#define ALL_NS_MAX  (5000 * MS_NS)
#define FREE_NS     (MS_NS / 5)

/* libiberty takes names up to half its limit on recursion by itself. */
enum { SHORT_NAME_BYTES = 1000, DEADLINE_SIGNAL = SIGVTALRM };

struct demangling {
	const char *name;
	int options;
	sigjmp_buf leave;
	volatile sig_atomic_t is_running;
	bool is_done;
	size_t length;
	char text[DEMANGLE_TEXT_BYTES_MAX + 1];
};

static _Thread_local struct demangling *of_this_thread;
static uint64_t left_ns = ALL_NS_MAX;

static void deadline_handler(int signal_number)
{
	(void)signal_number;
	if (of_this_thread && of_this_thread->is_running)
		siglongjmp(of_this_thread->leave, 1);
}

static void demangling_append(const char *part, size_t n, void *opaque)
{
	struct demangling *const d = opaque;

	if (n > DEMANGLE_TEXT_BYTES_MAX - d->length)
		siglongjmp(d->leave, 1);
	memcpy(d->text + d->length, part, n);
	d->length += n;
}

static void demangling_run(struct demangling *d)
{
	if (sigsetjmp(d->leave, 1) == 0) {
		d->is_running = 1;
		d->is_done =
			cplus_demangle_v3_callback(d->name, DMGL_PARAMS | DMGL_ANSI | d->options,
						   demangling_append, d);
	}
	d->is_running = 0;
}

static uint64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 * MS_NS + (uint64_t)now.tv_nsec;
}

static void *demangling_run_timed(void *opaque)
{
	struct demangling *const d = opaque;
	const uint64_t begin_ns = processor_ns();
	const uint64_t limit_ns = left_ns < NAME_NS_MAX ? left_ns : NAME_NS_MAX;
	const struct itimerspec limit = { .it_value.tv_nsec = (long)limit_ns };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = DEADLINE_SIGNAL };
	timer_t timer;
	uint64_t took_ns;

	event._sigev_un._tid = gettid(); /* glibc has no better name for it */
	of_this_thread = d;
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) < 0)
		return NULL;
	timer_settime(timer, 0, &limit, NULL);
	demangling_run(d);
	timer_delete(timer);
	of_this_thread = NULL;
	took_ns = processor_ns() - begin_ns;
	if (took_ns > FREE_NS)
		left_ns -= took_ns - FREE_NS < left_ns ? took_ns - FREE_NS : left_ns;
	return NULL;
}

/*
 * Its largest array has an element of 16 bytes for each pair of a reference to a template
 * parameter and a template: with names as short as they can be, n * n / 12 of them.  The rest is
 * linear: per byte two components of 32 bytes, and a few calls that nest.  It costs no memory until
 * it is used.
 */
static size_t stack_bytes(size_t name_bytes)
{
	return ((size_t)4 << 20) + 1024 * name_bytes + 2 * name_bytes * name_bytes;
}

/* Where there is no memory for so large a stack, the name stays as it is. */
static void demangling_run_in_thread(struct demangling *d)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (pthread_attr_init(&attributes))
		return;
	if (!pthread_attr_setstacksize(&attributes, stack_bytes(strlen(d->name))) &&
	    !pthread_create(&thread, &attributes, demangling_run_timed, d))
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

static void demangling_try(struct demangling *d)
{
	const struct sigaction on_deadline = { .sa_handler = deadline_handler };
	struct sigaction before;

	sigaction(DEADLINE_SIGNAL, &on_deadline, &before);
	if (strlen(d->name) < SHORT_NAME_BYTES) {
		demangling_run_timed(d);
	} else {
		d->options = DMGL_NO_RECURSE_LIMIT;
		demangling_run_in_thread(d);
	}
	sigaction(DEADLINE_SIGNAL, &before, NULL);
}

char *demangle(const char *name)
{
	struct demangling *d;
	char *ret;

	if (strncmp(name, "_Z", 2) != 0 || strlen(name) > DEMANGLE_NAME_BYTES_MAX || !left_ns)
		return strdup(name);
	d = malloc(sizeof(*d));
	if (!d)
		return NULL;
	d->name = name;
	d->options = 0;
	d->is_running = 0;
	d->is_done = false;
	d->length = 0;
	demangling_try(d);
	ret = d->is_done ? strndup(d->text, d->length) : strdup(name);
	free(d);
	return ret;
}
