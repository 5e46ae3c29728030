/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_entry.c - every row of hook_cuda.def as an entry point of the stand-in driver.
 *
 * An entry point tells the observer, does the work (do_SYMBOL), tells the observer again.  Rows
 * that nobody implements copy or fill as the row says, or only succeed.
 */
#include "tests/fake/fake_driver.h"

#include <cupti_driver_cbid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The defaults take what the row gives and use what they need. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct stat_slot {
	char name[24];
	_Atomic uint64_t value;
};
_Static_assert(sizeof(struct stat_slot) == 32, "the tests read 32 bytes a slot");

static const char *const stat_names[FAKE_NR_STATS] = {
#define STAT(name) #name,
	FAKE_STATS(STAT)
#undef STAT
};
static struct stat_slot own_slots[FAKE_NR_STATS];
static struct stat_slot *slots = own_slots;
static _Atomic(const struct fake_observer *) observer;
static __thread struct fake_call *current;

/* A shared mapping: the numbers are in the file even if the process is killed. */
void stats_open(void)
{
	const char *path = getenv("FAKE_CUDA_REPORT");
	char name[4096];
	if (!path || !*path || slots != own_slots)
		return;
	snprintf(name, sizeof(name), "%s.%d", path, (int)getpid());
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(own_slots)) == 0) {
		void *map =
			mmap(NULL, sizeof(own_slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			slots = map;
	}
	close(fd);
	for (size_t i = 0; i < FAKE_NR_STATS; i++)
		strncpy(slots[i].name, stat_names[i], sizeof(slots[i].name) - 1);
}

void stat_add(enum fake_stat stat, uint64_t n)
{
	atomic_fetch_add_explicit(&slots[stat].value, n, memory_order_relaxed);
}

FAKE_EXPORT void fake_cuda_count(enum fake_stat stat, uint64_t n)
{
	stat_add(stat, n);
}

FAKE_EXPORT bool fake_cuda_observe(const struct fake_observer *o)
{
	const struct fake_observer *before = NULL;
	if (!o)
		atomic_store(&observer, NULL);
	return !o || atomic_compare_exchange_strong(&observer, &before, o) || before == o;
}

struct fake_call *call_current(void)
{
	return current;
}

void call_enter(struct fake_call *call)
{
	const struct fake_observer *o = atomic_load_explicit(&observer, memory_order_acquire);
	call->outer = current;
	current = call;
	if (!o)
		return;
	call->context = context_current();
	call->context_uid = call->context ? call->context->uid : 0;
	o->enter(call);
}

void call_leave(struct fake_call *call)
{
	const struct fake_observer *o = atomic_load_explicit(&observer, memory_order_acquire);
	if (o)
		o->leave(call);
	current = call->outer;
}

void observer_tell(const struct fake_event *event)
{
	const struct fake_observer *o = atomic_load(&observer);
	if (o)
		o->resource(event);
}

void observer_ran(const struct fake_work *work)
{
	const struct fake_observer *o = atomic_load(&observer);
	if (o)
		o->ran(work);
}

/* CUpti_ActivityMemcpyKind by the letters of the entry point's name. */
static uint8_t copy_kind(const char *name)
{
	static const struct {
		const char *letters;
		uint8_t kind;
	} kinds[] = { { "HtoD", 1 }, { "DtoH", 2 }, { "HtoA", 3 }, { "AtoH", 4 },  { "AtoA", 5 },
		      { "AtoD", 6 }, { "DtoA", 7 }, { "DtoD", 8 }, { "Peer", 10 }, { "", 8 } };
	size_t i = 0;
	while (!strstr(name, kinds[i].letters))
		i++;
	return kinds[i].kind;
}

static CUresult run(enum fake_work_kind kind, enum fake_stat stat, uint64_t bytes, CUstream handle)
{
	struct fake_work work = { .kind = kind, .bytes = bytes };
	CUstream stream = NULL;
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS)
		r = stream_find(handle, &stream);
	if (r != CUDA_SUCCESS)
		return r;
	if (kind == FAKE_WORK_COPY)
		work.copy_kind = copy_kind(current->name);
	if (!stream->capture)
		stat_add(stat, 1);
	return stream_run(stream, &work);
}

/* The rows' last column, where a default can be made of it. */
#define COPY(bytes, stream)  run(FAKE_WORK_COPY, FAKE_STAT_copies, bytes, stream)
#define FILL(bytes, stream)  run(FAKE_WORK_FILL, FAKE_STAT_fills, bytes, stream)
#define LAUNCH(...)          CUDA_ERROR_NOT_SUPPORTED
#define LAUNCH_LIST(list, n) CUDA_ERROR_NOT_SUPPORTED
#define GRAPH(exec, stream)  CUDA_ERROR_NOT_SUPPORTED
#define NODE_PARAMS(p)       CUDA_ERROR_NOT_SUPPORTED
#define NODE(...)            CUDA_ERROR_NOT_SUPPORTED
#define SYNC(stream)         CUDA_SUCCESS
#define NOTHING              CUDA_SUCCESS
#define AFTER(action)        CUDA_SUCCESS
#define BEFORE(action)       CUDA_SUCCESS

#define DEFAULT(ret, sym, params, keep)           \
	__attribute__((weak)) ret do_##sym params \
	{                                         \
		return keep;                      \
	}

/* errno is kept around our work only: an observer that spoils it must be seen to. */
#define DOOR(ret, sym, work, params, args, twin)                                 \
	FAKE_EXPORT ret sym params;                                              \
	ENTRY_SLOT(sym);                                                         \
	ret sym params                                                           \
	{                                                                        \
		struct fake_call call = { .name = #sym,                          \
					  .cbid = CUPTI_DRIVER_TRACE_CBID_##sym, \
					  .per_thread = twin };                  \
		call_enter(&call);                                               \
		const int saved = errno;                                         \
		call.result = work args;                                         \
		errno = saved;                                                   \
		call_leave(&call);                                               \
		return call.result;                                              \
	}

#define HOOK(ret, sym, params, args, keep) \
	DEFAULT(ret, sym, params, keep)    \
	DOOR(ret, sym, do_##sym, params, args, false)
#define HOOK_PTSZ(ret, sym, params, args, keep)       \
	DEFAULT(ret, sym, params, keep)               \
	DOOR(ret, sym, do_##sym, params, args, false) \
	DOOR(ret, sym##_ptsz, do_##sym, params, args, true)
#define HOOK_PTDS(ret, sym, params, args, keep)       \
	DEFAULT(ret, sym, params, keep)               \
	DOOR(ret, sym, do_##sym, params, args, false) \
	DOOR(ret, sym##_ptds, do_##sym, params, args, true)
#include "preload/hook_cuda.def"
