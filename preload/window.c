/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c - Runs in: the application's threads; the writer (window_look, window_keeps); a signal
 * handler, which only asks the writer.
 */
#include "window.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cupti.h"
#include "launch.h"
#include "life.h"
#include "log.h"
#include "options.h"
#include "sys.h"
#include "trace_file.h"
#include "ttitrace/ttitrace.h"
#include "writer.h"

enum mode { ALWAYS, PROFILER, RANGE, CLOSED };

#define RANGES_MAX 16u
/*
 * Of so many calls it is known whether they were recorded; a power of two.  Device records come at
 * most some seconds late, and a process makes less than a million launches in one.
 */
#define CALLS_MAX (1u << 22)
/* Records of what was launched before the window closed come for a while. */
#define SETTLE_NS 1000000000u

static enum mode mode;
static const char *range_name;
static size_t range_name_size;

_Atomic bool window_is_limited;
static _Atomic bool is_open = true;
static _Atomic uint32_t asked;    /* by a signal handler: how often to turn */
static _Atomic bool is_exhausted; /* all that were to be taken have been */
static _Atomic uint64_t nr_launches;
static uint64_t nr_openings; /* by ranges and by the profiler; guarded by turning */

/* Ranges of the name that are open, in whatever thread (guarded by turning); those of START by
 * number. */
static int nr_open;
static _Atomic uint64_t started[RANGES_MAX];
/*
 * The ranges this thread has pushed, a bit each, the innermost lowest.  Where there are so many
 * that the outermost one of the name would be forgotten, the rest is only counted: it lies inside
 * of it.
 */
THREAD_LOCAL uint64_t pushed;
THREAD_LOCAL uint64_t nr_pushed_deeper;
#define PUSHED_OUTERMOST (UINT64_C(1) << 63)

/*
 * A bit for each call that was not recorded, by correlation id.  A span of ids for each opening
 * would not do: calls that are under way in other threads while the window turns have ids on either
 * side.
 */
static _Atomic uint64_t passed[CALLS_MAX / 64];

/* Who turns the window holds it; on the launch path only the call that ends the run does. */
static pthread_mutex_t turning = PTHREAD_MUTEX_INITIALIZER;

/* CUPTI's records cost time also where nobody wants them. */
static bool is_quiet;         /* guarded by turning */
static uint64_t closed_at_ns; /* 0: the writer has not seen it yet; guarded by turning */

bool window_is_open(void)
{
	return atomic_load_explicit(&is_open, memory_order_relaxed);
}

bool window_needs_file(void)
{
	return mode == CLOSED;
}

/* --- switching -------------------------------------------------------------------------------- */

/* Who opened or closed it is known by its mark; what it was like before does not matter then. */
static void set_open(bool open)
{
	if (atomic_exchange(&is_open, open) == open)
		return;
	closed_at_ns = 0;
	if (open && is_quiet) {
		is_quiet = false;
		cupti_records(true);
	}
	record_said(&(const struct said){ .kind = open ? TTI_MARK_OPEN : TTI_MARK_CLOSE });
	life_window_turned();
}

static void begin_turning(void)
{
	/* A child that is forked meanwhile must not find it locked; and marks need the clock. */
	life_expect_marks();
	sys_lock(&turning);
}

static void end_turning(void)
{
	pthread_mutex_unlock(&turning);
}

void window_forked(void)
{
	static const pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;

	turning = free_lock;
}

void window_settle(void)
{
	sys_lock(&turning);
	life_window_turned();
	pthread_mutex_unlock(&turning);
}

static void turn_locked(bool open)
{
	atomic_store(&window_is_limited, true);
	if (!open || !atomic_load(&is_exhausted))
		set_open(open);
}

static void turn(bool open)
{
	begin_turning();
	turn_locked(open);
	end_turning();
}

static void exhaust(void)
{
	if (atomic_load(&is_exhausted))
		return;
	begin_turning();
	atomic_store(&is_exhausted, true);
	turn_locked(false);
	end_turning();
}

static bool turns(enum window_key key)
{
	switch (key) {
	case WINDOW_PROFILER:
		return mode == PROFILER;
	case WINDOW_RANGE:
		return mode == RANGE;
	default:
		return true;
	}
}

static bool is_its_turn(enum window_key key)
{
	return key == WINDOW_PERSON || options.every <= 1 || nr_openings++ % options.every == 0;
}

void window_open(enum window_key key)
{
	if (!turns(key))
		return;
	begin_turning();
	if (is_its_turn(key))
		turn_locked(true);
	end_turning();
}

void window_close(enum window_key key)
{
	if (turns(key))
		turn(false);
}

void ttitrace_pause(void)
{
	window_close(WINDOW_PERSON);
}

void ttitrace_resume(void)
{
	window_open(WINDOW_PERSON);
}

void ttitrace_mark(const char *text)
{
	record_mark(text);
}

static void on_signal(int unused)
{
	(void)unused;
	atomic_fetch_add(&asked, 1);
}

void window_watch_signal(void)
{
	struct sigaction before, ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (!options.signal || sigaction((int)options.signal, NULL, &before) < 0)
		return;
	if (before.sa_flags & SA_SIGINFO || before.sa_handler != SIG_DFL)
		log_line("TTITRACE_SIGNAL: the program handles that signal itself; it is left "
			 "alone");
	else
		sigaction((int)options.signal, &ours, NULL);
}

void window_start(void)
{
	static const char prefix[] = "range:";

	if (!strcmp(options.window, "profiler")) {
		mode = PROFILER;
	} else if (!strcmp(options.window, "closed")) {
		mode = CLOSED;
	} else if (!strncmp(options.window, prefix, strlen(prefix)) &&
		   options.window[strlen(prefix)]) {
		mode = RANGE;
		range_name = options.window + strlen(prefix);
		range_name_size = strlen(range_name);
	} else if (*options.window && strcmp(options.window, "always")) {
		log_line("TTITRACE_WINDOW=", options.window,
			 " is not understood; everything is recorded");
	}
	atomic_store(&is_open, mode == ALWAYS);
	atomic_store(&window_is_limited, mode != ALWAYS || options.skip || options.take);
}

/* --- ranges ----------------------------------------------------------------------------------- */

/* "step" is the name of "step", "step 3" and "step[3]", not of "stepwise". */
static bool is_named(uint32_t id)
{
	size_t size = 0;
	const char *text = intern_content(INTERN_STRING, id, &size);
	char next;

	if (!text || size < range_name_size || memcmp(text, range_name, range_name_size) != 0)
		return false;
	next = size > range_name_size ? text[range_name_size] : ' ';
	return !((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

/* Counted and turned at once: else one that begins while another ends is not recorded. */
static void range_begins(void)
{
	begin_turning();
	if (nr_open++ == 0 && is_its_turn(WINDOW_RANGE))
		turn_locked(true);
	end_turning();
}

static void range_ends(void)
{
	begin_turning();
	if (nr_open-- == 1)
		turn_locked(false);
	end_turning();
}

static void range_pushed(bool is_ours)
{
	if (pushed & PUSHED_OUTERMOST) {
		nr_pushed_deeper++;
		return;
	}
	pushed = pushed << 1 | is_ours;
	if (is_ours)
		range_begins();
}

static void range_popped(void)
{
	if (nr_pushed_deeper) {
		nr_pushed_deeper--;
		return;
	}
	if (pushed & 1)
		range_ends();
	pushed >>= 1;
}

static void range_started(uint64_t range)
{
	for (uint32_t i = 0; i < RANGES_MAX; i++) {
		uint64_t nothing = 0;

		if (atomic_compare_exchange_strong(&started[i], &nothing, range)) {
			range_begins();
			return;
		}
	}
}

static void range_ended(uint64_t range)
{
	for (uint32_t i = 0; i < RANGES_MAX; i++) {
		uint64_t expected = range;

		if (atomic_compare_exchange_strong(&started[i], &expected, 0))
			range_ends();
	}
}

void window_range(enum tti_mark_kind kind, uint32_t text, uint64_t range)
{
	if (mode != RANGE)
		return;
	switch (kind) {
	case TTI_MARK_PUSH:
		range_pushed(is_named(text));
		break;
	case TTI_MARK_POP:
		range_popped();
		break;
	case TTI_MARK_START:
		if (is_named(text))
			range_started(range);
		break;
	case TTI_MARK_END:
		range_ended(range);
		break;
	default:
		break;
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

/* By number, over all threads; the window is shut for good behind the last. */
static bool is_counted_in(const struct template_content *c)
{
	const bool is_launch = c->op == TTI_OP_LAUNCH || c->op == TTI_OP_GRAPH_LAUNCH;
	const uint64_t n =
		is_launch ? atomic_fetch_add(&nr_launches, 1) : atomic_load(&nr_launches);

	if (options.take && n >= options.skip + options.take) {
		exhaust();
		return false;
	}
	return n >= options.skip;
}

bool window_admits(const struct template_content *c)
{
	if (c->op == TTI_OP_NODE || c->flags & TTI_TEMPLATE_CAPTURED)
		return true;
	if (window_is_open() && ((!options.skip && !options.take) || is_counted_in(c)))
		return true;
	/* It began when the window was open, and has been taken for one that is recorded. */
	if (tls.correlation)
		window_see(tls.correlation, true);
	return false;
}

static _Atomic uint64_t *passed_word(uint32_t correlation)
{
	return &passed[correlation % CALLS_MAX / 64];
}

void window_see(uint32_t correlation, bool is_passed)
{
	const uint64_t bit = UINT64_C(1) << (correlation % 64);
	_Atomic uint64_t *word = passed_word(correlation);

	/* Mostly it is as it should be: no line of memory changes hands for that. */
	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit) == !is_passed)
		return;
	if (is_passed)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed);
}

bool window_keeps(uint32_t correlation)
{
	if (!atomic_load_explicit(&window_is_limited, memory_order_relaxed))
		return true;
	/* In the body of a conditional node: nobody knows which launch it was of. */
	if (!correlation)
		return window_is_open();
	return !(atomic_load_explicit(passed_word(correlation), memory_order_relaxed) >>
			 (correlation % 64) &
		 1);
}

/* --- what the writer does --------------------------------------------------------------------- */

/* What `ttitrace ctl` wants.  -1: nothing. */
static int read_word(const char *path)
{
	char word[8] = "";
	struct stat st;
	int fd, answer = -1;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* The directory may be anybody's to write into. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || !st.st_uid) &&
	    read(fd, word, sizeof(word) - 1) > 0)
		answer = !strcmp(word, "start\n") ? true : !strcmp(word, "stop\n") ? false : -1;
	close(fd);
	return answer;
}

static void take_word(void)
{
	char path[4096];
	const char *trace = trace_file_path();
	int word;

	if (!trace || strlen(trace) + sizeof(".ctl") > sizeof(path))
		return;
	strcpy(path, trace);
	strcat(path, ".ctl");
	word = read_word(path);
	if (word < 0)
		return;
	turn(word);
	/* Gone: done. */
	if (!word)
		writer_round();
	unlink(path);
}

static void quieten(uint64_t now)
{
	begin_turning();
	if (!window_is_open() && !closed_at_ns) {
		closed_at_ns = now;
	} else if (!window_is_open() && !is_quiet && now - closed_at_ns > SETTLE_NS) {
		is_quiet = true;
		cupti_records(false);
	}
	end_turning();
}

void window_look(void)
{
	if (atomic_exchange(&asked, 0) % 2)
		turn(!window_is_open());
	take_word();
	if (atomic_load(&window_is_limited))
		quieten(clock_read_ns(CLOCK_MONOTONIC));
}
