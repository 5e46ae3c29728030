/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - the drain thread: rings and activity buffers -> frames -> file.
 *
 * Runs in: its own thread, with every signal blocked, apart from the functions of writer.h.
 * Memory is reserved once; zstd works in memory of ours, not the application's heap.
 *
 * The order within a round makes the file right: first the device records that are complete, then
 * how far the rings are filled, then the definitions (whoever put a row had defined what it
 * refers to), then the rows.
 */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_initStaticCCtx */
#include "writer.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "activity.h"
#include "clock.h"
#include "cupti.h"
#include "cupti_share.h"
#include "definition.h"
#include "launch.h"
#include "log.h"
#include "options.h"
#include "origin.h"
#include "preamble.h"
#include "thread.h"
#include "trace_file.h"
#include "ttitrace/frame.h"
#include "window.h"

#define CONTENT_BYTES (8u << 20)
/* At most this many rows of one thread go into one frame, so that a batch surely fits. */
#define FRAME_ROWS_MAX 32768u
/* How often the rings are looked at: a ring of the default size fills in 60 ms at the most. */
#define POLL_NS 10000000u
/* A thread of a silent process is looked for this often. */
#define THREADS_NS 1000000000u
/* CUPTI's last flush can hang; the process must end all the same. */
#define PATIENCE_NS 4000000000u

struct buffers {
	struct tti_buffer content;
	struct tti_scratch scratch;
	struct gpu_rows gpu;
	uint64_t host[tti_nr_columns_host][FRAME_ROWS_MAX];
};

/* What stands in the file; a frame that could not be written leaves it as it was. */
struct progress {
	bool has_preamble;
	struct definitions_written definitions;
	uint64_t counters[TTI_COUNTER_LIMIT];
};

static struct {
	struct buffers *buffers;
	ZSTD_CCtx *cctx;
	uint8_t *compressed;
	size_t compressed_bytes;
	struct progress written, putting;
	/* Two readings of both clocks, 1 to 2 s apart once the process is that old, and the last.
	 */
	struct clock_pair from, middle, now;
	uint64_t frame_rows;     /* in the content so far */
	_Atomic bool has_failed; /* the file could not be made */
	bool is_finished;        /* the last record is in the file */
	bool is_full;            /* the file is as large as it may become */
	bool is_round_lost;      /* the rest of the round may refer to what was not written */
	/* The last record is in the file, and may have to be taken back to this. */
	bool is_paused;
	uint64_t paused_bytes;
	struct progress paused;
} w;

/* Requests to the thread: it answers by raising `answered` to what `asked` was. */
static _Atomic uint32_t asked, answered;
static _Atomic uint32_t ending; /* tti_ending; 0: none */
/* The process ends: also records of what still runs are fetched, which then have no times. */
static _Atomic bool by_force;
static _Atomic bool may_go_on; /* after that end */
static _Atomic bool is_awake;  /* the thread runs */
/* Once the process is ending, CUPTI may be gone at any moment: it is not called any more. */
static _Atomic bool is_cupti_off;

static void clocks_read(void)
{
	w.now = clock_pair_read();
	if (w.now.ns - w.middle.ns > 1000000000u) {
		w.from = w.middle;
		w.middle = w.now;
	}
}

static uint64_t to_ns(uint64_t ticks)
{
	return clock_counter_is_steady ? clock_ns(ticks, &w.from, &w.now) : ticks;
}

static void threads_announce_again(void)
{
	for (struct thread *t = thread_first(); t; t = t->next)
		t->is_announced = false;
}

static bool is_room_for(size_t size)
{
	const uint64_t limit = options.max_mb << 20;

	if (!limit || trace_file_bytes() + size <= limit)
		return true;
	if (!w.is_full)
		log_line("the trace is as large as TTITRACE_MAX_MB allows; the program goes on, "
			 "what "
			 "follows is counted");
	w.is_full = true;
	return false;
}

/* A failure loses the rows of the frame, not its definitions. */
static void settle(bool is_written, size_t size)
{
	if (is_written) {
		w.written = w.putting;
	} else {
		counter_add_shared(TTI_COUNTER_WRITE_FAILED, size);
		counter_add_shared(TTI_COUNTER_ROWS_UNWRITTEN, w.frame_rows);
		w.putting = w.written;
		w.is_round_lost = true;
		threads_announce_again();
	}
	w.frame_rows = 0;
	tti_buffer_reset(&w.buffers->content);
}

static size_t compress(void)
{
	struct tti_buffer *content = &w.buffers->content;

	return tti_frame_compress(w.cctx, w.compressed, w.compressed_bytes, content, content->cuts,
				  content->nr_cuts);
}

/* Sends the content so far as a frame. */
static void frame_end(void)
{
	size_t size;

	if (!w.buffers->content.used)
		return;
	size = w.is_round_lost ? 0 : compress();
	settle(size && is_room_for(size) && trace_file_append(w.compressed, size), size);
}

static void frame_end_last(void)
{
	const size_t size = compress();

	settle(size && trace_file_append_last(w.compressed, size), size);
}

static void put_record(uint64_t kind, const void *record)
{
	tti_put_record(&w.buffers->content, kind, record);
	if (w.buffers->content.full) {
		frame_end();
		tti_put_record(&w.buffers->content, kind, record);
	}
}

static void put_batch(uint64_t kind, const void *head, const uint64_t *const *columns, size_t rows)
{
	tti_put_batch(&w.buffers->content, kind, head, columns, NULL, rows, &w.buffers->scratch);
	if (w.buffers->content.full) {
		frame_end();
		tti_put_batch(&w.buffers->content, kind, head, columns, NULL, rows,
			      &w.buffers->scratch);
	}
	w.frame_rows += rows;
}

static void put_definitions(void)
{
	if (!w.putting.has_preamble) {
		preamble_put(&w.buffers->content, clock_rate(&w.from, &w.now));
		w.putting.has_preamble = true;
	}
	while (!definitions_put(&w.buffers->content, &w.putting.definitions)) {
		frame_end();
		if (w.is_round_lost)
			return;
	}
}

static void put_thread(struct thread *t, uint32_t tid)
{
	char path[64] = "/proc/self/task/", name[32];
	char *end = path + strlen(path);
	uint32_t rest = tid, digits = 1;

	for (uint32_t d = tid; d >= 10; d /= 10)
		digits++;
	for (uint32_t i = digits; i-- > 0; rest /= 10)
		end[i] = (char)('0' + rest % 10);
	strcpy(end + digits, "/comm");
	if (!sys_read_file(path, name, sizeof(name)))
		name[0] = '\0';
	put_record(TTI_RECORD_THREAD,
		   &(const struct tti_thread){ .tid = tid, .name = { name, strcspn(name, "\n") } });
	t->is_announced = true;
}

static void put_graph_node(const struct row *row)
{
	put_record(TTI_RECORD_GRAPH_NODE, &(const struct tti_graph_node){ .node = row->begin,
									  .origin = row->node,
									  .graph = row->correlation,
									  .type = row->duration });
}

static void put_mark(const struct row *row, uint64_t time_ns, uint32_t tid)
{
	struct tti_mark mark = {
		.time_ns = time_ns, .tid = tid, .kind = row->correlation, .range = row->duration
	};

	mark.text.data = intern_content(INTERN_STRING, (uint32_t)row->node, &mark.text.size);
	mark.domain.data = intern_content(INTERN_STRING, row->parameters, &mark.domain.size);
	put_record(TTI_RECORD_MARK, &mark);
}

static void put_special(const struct row *row, uint64_t begin_ns, uint32_t tid)
{
	if (row->template == ROW_GRAPH_NODE)
		put_graph_node(row);
	else
		put_mark(row, begin_ns, tid);
	w.frame_rows++;
}

/* The rows of one thread: calls as one batch, the rest as records of their own. */
static void put_rows(struct thread *t, uint32_t nr_rows)
{
	uint64_t(*column)[FRAME_ROWS_MAX] = w.buffers->host;
	const uint64_t *columns[tti_nr_columns_host];
	const uint32_t tid = atomic_load_explicit(&t->tid, memory_order_relaxed);
	uint32_t n = 0;

	for (uint32_t i = 0; i < nr_rows; i++) {
		const struct row *row = ring_row(&t->ring, i);
		const uint64_t begin = to_ns(row->begin);

		if (row->template >= ROW_SPECIAL) {
			put_special(row, begin, tid);
			continue;
		}
		column[tti_column_host_template][n] = row->template;
		column[tti_column_host_begin_ns][n] = begin;
		column[tti_column_host_duration_ns][n] = to_ns(row->begin + row->duration) - begin;
		column[tti_column_host_correlation][n] = row->correlation;
		column[tti_column_host_result][n] = row->result;
		column[tti_column_host_node][n] = row->node;
		column[tti_column_host_parameters][n] = row->parameters;
		n++;
	}
	if (!t->is_announced)
		put_thread(t, tid);
	for (int i = 0; i < tti_nr_columns_host; i++)
		columns[i] = column[i];
	if (n)
		put_batch(TTI_RECORD_HOST, &(const struct tti_host){ .tid = tid }, columns, n);
	ring_consume(&t->ring, nr_rows);
}

static void put_gpu_rows(void)
{
	struct gpu_rows *rows = &w.buffers->gpu;
	const uint64_t *columns[tti_nr_columns_gpu];

	for (int i = 0; i < tti_nr_columns_gpu; i++)
		columns[i] = rows->column[i];
	if (rows->nr_rows)
		put_batch(TTI_RECORD_GPU, &(const struct tti_gpu){ .collected_ns = w.now.ns },
			  columns, rows->nr_rows);
	rows->nr_rows = 0;
}

static void put_counters(void)
{
	for (uint32_t i = 1; i < TTI_COUNTER_LIMIT; i++) {
		const uint64_t value = threads_total(i);

		if (value == w.putting.counters[i])
			continue;
		w.putting.counters[i] = value;
		put_record(TTI_RECORD_COUNT,
			   &(const struct tti_count){ .counter = i, .value = value });
	}
}

/*
 * What is due now: no more than a batch holds, and nothing that came after the definitions were
 * looked at.  False: nothing.
 */
static bool snapshot(void)
{
	bool is_any;

	activity_collect(&w.buffers->gpu);
	is_any = w.buffers->gpu.nr_rows;
	for (struct thread *t = thread_first(); t; t = t->next) {
		const uint32_t available = ring_available(&t->ring);

		t->due = available < FRAME_ROWS_MAX ? available : FRAME_ROWS_MAX;
		is_any |= t->due != 0;
	}
	clocks_read();
	return is_any;
}

bool writer_has_failed(void)
{
	return w.has_failed;
}

static bool file_is_open(void)
{
	if (!trace_file_path() && !w.has_failed && !trace_file_create()) {
		w.has_failed = true;
		atomic_store(&recording, false);
		cupti_end();
	}
	return trace_file_path();
}

/* There is no more room in the file: what is due is counted. */
static void discard(void)
{
	uint64_t rows = w.buffers->gpu.nr_rows;

	for (struct thread *t = thread_first(); t; t = t->next) {
		rows += t->due;
		ring_consume(&t->ring, t->due);
	}
	w.buffers->gpu.nr_rows = 0;
	counter_add_shared(TTI_COUNTER_ROWS_UNWRITTEN, rows);
}

static void put_all(void)
{
	w.is_round_lost = false;
	put_definitions();
	for (struct thread *t = thread_first(); t; t = t->next)
		if (t->due)
			put_rows(t, t->due);
	put_gpu_rows();
	put_counters();
	frame_end();
}

static bool is_more_than_due(void)
{
	bool is_more = w.buffers->gpu.nr_rows > TTI_BATCH_ROWS_MAX / 2;

	for (struct thread *t = thread_first(); t; t = t->next)
		is_more |= t->due == FRAME_ROWS_MAX;
	return is_more;
}

/* Rounds until everything that was there at the first one is in the file. */
static void drain(void)
{
	bool is_more = true;

	while (is_more && snapshot() && file_is_open()) {
		is_more = is_more_than_due();
		if (w.is_full)
			discard();
		else
			put_all();
	}
}

static void retire_ended_threads(void)
{
	for (struct thread *t = thread_first(); t; t = t->next) {
		const uint32_t tid = atomic_load_explicit(&t->tid, memory_order_acquire);

		if (tid && !sys_thread_lives(tid) && !ring_available(&t->ring))
			thread_retire(t);
	}
}

static bool is_a_ring_half_full(void)
{
	for (struct thread *t = thread_first(); t; t = t->next)
		if (ring_available(&t->ring) > t->ring.mask / 2)
			return true;
	return false;
}

static void finish(enum tti_ending reason)
{
	if (!trace_file_path())
		return;
	w.paused = w.written;
	w.paused_bytes = trace_file_bytes();
	put_counters();
	put_record(TTI_RECORD_FINISH,
		   &(const struct tti_finish){ .reason = w.is_full ? TTI_ENDING_LIMIT : reason,
					       .time_ns = w.now.ns });
	frame_end_last();
}

static void take_back_finish(void)
{
	if (!trace_file_path())
		return;
	trace_file_cut(w.paused_bytes);
	w.written = w.putting = w.paused;
}

void writer_round(void)
{
	if (!atomic_load(&is_cupti_off))
		cupti_flush(atomic_load(&by_force));
	drain();
}

static void answer(uint32_t request)
{
	const uint32_t reason = atomic_load(&ending);

	if (w.is_paused)
		take_back_finish();
	w.is_paused = reason && atomic_load(&may_go_on);
	writer_round();
	if (reason) {
		finish(reason);
		w.is_finished = !w.is_paused;
	}
	atomic_store(&answered, request);
	sys_wake(&answered);
}

static void *run(void *unused)
{
	uint64_t flush_at = w.now.ns, threads_at = w.now.ns;

	tls.is_ours = 1;
	prctl(PR_SET_NAME, "ttitrace");
	/* Whoever is to switch recording on must find the file. */
	if (window_needs_file() && file_is_open()) {
		put_definitions();
		frame_end();
	}
	while (!w.has_failed && !w.is_finished) {
		const uint32_t request = atomic_load(&asked);
		const uint64_t now = clock_read_ns(CLOCK_MONOTONIC);

		share_prepare();
		if (request != atomic_load(&answered)) {
			answer(request);
		} else if (w.is_paused) {
			/* Whatever comes stays where it is. */
		} else if (now >= flush_at) {
			if (!atomic_load(&is_cupti_off))
				cupti_flush(false);
			drain();
			window_look();
			flush_at = now + options.flush_ms * 1000000;
		} else if (is_a_ring_half_full()) {
			drain();
		}
		if (now >= threads_at) {
			retire_ended_threads();
			origin_look_again();
			threads_at = now + THREADS_NS;
		}
		sys_wait(&asked, atomic_load(&answered), POLL_NS);
	}
	atomic_store(&is_awake, false);
	return unused;
}

static bool reserve_memory(void)
{
	const size_t cctx_bytes = ZSTD_estimateCStreamSize((int)options.level);
	void *workspace = sys_reserve(cctx_bytes);

	w.buffers = sys_reserve(sizeof(*w.buffers));
	w.buffers->content.data = sys_reserve(CONTENT_BYTES);
	w.buffers->content.size = CONTENT_BYTES;
	w.compressed_bytes = tti_frame_bound(CONTENT_BYTES, TTI_CUTS_MAX);
	w.compressed = sys_reserve(w.compressed_bytes);
	if (!workspace || !w.buffers || !w.buffers->content.data || !w.compressed)
		return false;
	w.cctx = ZSTD_initStaticCCtx(workspace, cctx_bytes);
	return w.cctx && tti_frame_setup(w.cctx, (int)options.level) == 0;
}

bool writer_start(void)
{
	sigset_t all, before;
	pthread_t thread;
	bool is_started;

	if (options.level < 1 || options.level > 19)
		options.level = 3;
	if (!reserve_memory())
		return false;
	w.now = w.middle = w.from = clock_pair_read();
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	is_started = pthread_create(&thread, NULL, run, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	atomic_store(&is_awake, is_started);
	if (is_started)
		pthread_detach(thread);
	return is_started;
}

/*
 * Waits until the thread has answered, or patience is at its end.  Who waited in vain once, for a
 * disk that stalls or a CUPTI that hangs, does not wait as long again.
 */
static void ask(void)
{
	static _Atomic bool is_late;
	const uint32_t request = atomic_fetch_add(&asked, 1) + 1;
	const uint64_t patience_ns = atomic_load(&is_late) ? PATIENCE_NS / 20 : PATIENCE_NS;
	const uint64_t give_up = clock_read_ns(CLOCK_MONOTONIC) + patience_ns;

	sys_wake(&asked);
	while (!w.has_failed) {
		const uint32_t seen = atomic_load(&answered);
		const bool is_answered = (int32_t)(seen - request) >= 0;

		if (is_answered || clock_read_ns(CLOCK_MONOTONIC) > give_up) {
			atomic_store(&is_late, !is_answered);
			return;
		}
		sys_wait(&answered, seen, patience_ns / 4);
	}
}

bool writer_wake(void)
{
	sys_wake(&asked);
	return atomic_load(&is_awake);
}

void writer_flush(bool is_last)
{
	if (is_last)
		atomic_store(&by_force, true);
	ask();
	if (is_last)
		atomic_store(&is_cupti_off, true);
}

void writer_finish(enum tti_ending reason)
{
	if (reason == TTI_ENDING_EXIT)
		atomic_store(&is_cupti_off, true);
	atomic_store(&by_force, true);
	atomic_store(&may_go_on, false);
	atomic_store(&ending, reason);
	ask();
}

void writer_pause(enum tti_ending reason)
{
	atomic_store(&by_force, true);
	atomic_store(&may_go_on, true);
	atomic_store(&ending, reason);
	ask();
}

void writer_resume(void)
{
	atomic_store(&by_force, false);
	atomic_store(&ending, 0);
	ask();
}
