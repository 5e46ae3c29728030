/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c - Runs in: the application's threads; the writer (window_look, window_keeps); a signal
 * handler, which only asks the writer.
 */
#include "window.h"

#include <fcntl.h>
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
#include "trace_file.h"
#include "ttitrace/ttitrace.h"
#include "writer.h"

enum mode { ALWAYS, PROFILER, RANGE, CLOSED };

#define RANGES_MAX 16u
/* Between correlation ids of launches; device records come at most some seconds late. */
#define SPANS_MAX 256u
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
static _Atomic uint64_t nr_openings; /* by ranges and by the profiler */

/* Ranges of the name that are open, in whatever thread; those of START by number. */
static _Atomic int nr_open;
static _Atomic uint64_t started[RANGES_MAX];
/* The ranges this thread has pushed, a bit each, the innermost lowest. */
THREAD_LOCAL uint64_t pushed;

/*
 * Launches of one opening have correlation ids behind `before` and up to `last`.  The opening under
 * way is the last one, without an end.
 */
static struct span {
	uint32_t before, last;
} spans[SPANS_MAX];
static _Atomic uint32_t nr_spans;    /* ever; they are a ring */
static _Atomic uint32_t last_passed; /* not recorded */

/* CUPTI's records cost time also where nobody wants them. */
static _Atomic bool is_quiet;
static uint64_t closed_at_ns;

bool window_is_open(void)
{
	return atomic_load_explicit(&is_open, memory_order_relaxed);
}

bool window_needs_file(void)
{
	return mode == CLOSED;
}

/* --- switching -------------------------------------------------------------------------------- */

static struct span *span_at(uint32_t i)
{
	return &spans[i % SPANS_MAX];
}

/* The newest id of all threads' rows: those that a ring has given to the writer still lie there. */
static uint32_t last_correlation(void)
{
	uint32_t last = 0;

	for (const struct thread *t = thread_first(); t; t = t->next) {
		const uint32_t id = ring_last_correlation(&t->ring);

		if (id && (!last || (int32_t)(id - last) > 0))
			last = id;
	}
	return last;
}

/* `before`: an id from which on launches count. */
static void span_begin(uint32_t before)
{
	const uint32_t nr = atomic_load(&nr_spans);

	*span_at(nr) = (struct span){ before, before };
	atomic_store(&nr_spans, nr + 1);
}

static void span_end(void)
{
	struct span *s = span_at(atomic_load(&nr_spans) - 1);
	const uint32_t last = last_correlation();

	if (last && (int32_t)(last - s->before) > 0)
		s->last = last;
}

static void limit(bool open)
{
	if (atomic_exchange(&window_is_limited, true))
		return;
	/* What has run until now was recorded, all of it. */
	if (open)
		span_begin(0);
	atomic_store(&is_open, open);
}

static void turn(bool open)
{
	limit(true);
	if (atomic_load(&is_exhausted) || atomic_exchange(&is_open, open) == open)
		return;
	if (!open)
		span_end();
	if (open)
		span_begin(atomic_load(&last_passed));
	if (open && atomic_exchange(&is_quiet, false))
		cupti_records(true);
	record_said(&(const struct said){ .kind = open ? TTI_MARK_OPEN : TTI_MARK_CLOSE });
	life_window_turned();
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

void window_open(enum window_key key)
{
	if (!turns(key))
		return;
	if (key != WINDOW_PERSON && options.every > 1 &&
	    atomic_fetch_add(&nr_openings, 1) % options.every != 0)
		return;
	turn(true);
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
	if (mode != ALWAYS || options.skip || options.take)
		limit(mode == ALWAYS);
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

static void range_begins(void)
{
	if (atomic_fetch_add(&nr_open, 1) == 0)
		window_open(WINDOW_RANGE);
}

static void range_ends(void)
{
	if (atomic_fetch_sub(&nr_open, 1) == 1)
		window_close(WINDOW_RANGE);
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
		pushed = pushed << 1 | is_named(text);
		if (pushed & 1)
			range_begins();
		break;
	case TTI_MARK_POP:
		if (pushed & 1)
			range_ends();
		pushed >>= 1;
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

	if (is_launch && n == options.skip && tls.correlation)
		span_at(atomic_load(&nr_spans) - 1)->before = tls.correlation - 1;
	if (options.take && n >= options.skip + options.take) {
		turn(false);
		atomic_store(&is_exhausted, true);
		return false;
	}
	return n >= options.skip;
}

bool window_admits(const struct template_content *c)
{
	if (c->op == TTI_OP_NODE || c->flags & TTI_TEMPLATE_CAPTURED)
		return true;
	return window_is_open() && ((!options.skip && !options.take) || is_counted_in(c));
}

void window_pass(uint32_t correlation)
{
	atomic_store_explicit(&last_passed, correlation, memory_order_relaxed);
}

static bool span_has(const struct span *s, uint32_t correlation, bool is_under_way)
{
	return (int32_t)(correlation - s->before) > 0 &&
	       (is_under_way || (int32_t)(s->last - correlation) >= 0);
}

bool window_keeps(uint32_t correlation)
{
	const uint32_t nr = atomic_load(&nr_spans);

	if (!atomic_load_explicit(&window_is_limited, memory_order_relaxed))
		return true;
	if (atomic_load(&nr_launches) <= options.skip && options.skip)
		return false;
	for (uint32_t i = nr; i > 0 && nr - i < SPANS_MAX; i--)
		if (span_has(span_at(i - 1), correlation, i == nr && window_is_open()))
			return true;
	return false;
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
	if (window_is_open() || !atomic_load(&window_is_limited)) {
		closed_at_ns = 0;
	} else if (!closed_at_ns) {
		closed_at_ns = now;
	} else if (now - closed_at_ns > SETTLE_NS && !atomic_exchange(&is_quiet, true)) {
		cupti_records(false);
		/* Somebody has opened it meanwhile and found it not yet quiet. */
		if (window_is_open() && atomic_exchange(&is_quiet, false))
			cupti_records(true);
	}
}

void window_look(void)
{
	if (atomic_exchange(&asked, 0) % 2)
		turn(!window_is_open());
	take_word();
	quieten(clock_read_ns(CLOCK_MONOTONIC));
}
