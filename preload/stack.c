/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.c - Runs in: the launching thread, once for each launch.  unw_backtrace() steps through
 * frames it has met before without a lock or a call of the system; a new return address makes it
 * read unwind tables, which takes the loader's lock and its own.  Never in a signal handler.
 *
 * The addresses make one hash, and the stack's id is in a table of the thread's under it.  Only a
 * stack that is not there is put together frame by frame.
 */
#include "stack.h"

#include <dlfcn.h>

#include "counter.h"
#include "intern.h"
#include "memo.h"
#include "options.h"
#include "resolve.h"
#include "sys.h"
#include "thread.h"

/* Our own frames between the wrapper's caller and here, at most. */
#define OWN_FRAMES_MAX 16u

/* The linker's: where this library begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static int (*backtrace)(void **addresses, int size);

/*
 * Opened by hand and out of everybody's scope: as a dependency its _Unwind_* would take the
 * place of libgcc's in every plug-in.
 */
bool stack_start(void)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	void *warm[OWN_FRAMES_MAX];

	if (library)
		backtrace = (int (*)(void **, int))resolve_real(library, "unw_backtrace");
	else
		dlerror(); /* our own look-ups must not leave an error behind */
	/* Its first call sets up its cache. */
	return backtrace && backtrace(warm, OWN_FRAMES_MAX) > 0;
}

static struct memo *memo_of(struct thread *t)
{
	if (unlikely(!t->stacks))
		t->stacks = sys_reserve(sizeof(*t->stacks));
	return t->stacks;
}

static bool is_ours(const void *address)
{
	return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/* Lanes side by side: one chain of products would take longer than the reading. */
#define LANES 4

static uint64_t hash_of(void *const *addresses, int n)
{
	uint64_t lanes[LANES] = { 1, 2, 3, 4 }, hash = (uint64_t)n;

	for (int i = 0; i < n; i++)
		lanes[i % LANES] = memo_mix(lanes[i % LANES], (uintptr_t)addresses[i]);
	for (int i = 0; i < LANES; i++)
		hash = memo_mix(hash, lanes[i]);
	return hash ? hash : 1;
}

/* From the outermost frame on; cut where the table is full, and *ret_is_whole false. */
static uint32_t stack_define(void *const *addresses, int n, bool *ret_is_whole)
{
	uint32_t id = 0;

	for (int i = n - 1; i >= 0; i--) {
		const struct frame_content f = { .address = (uintptr_t)addresses[i], .parent = id };
		const uint32_t child = intern(INTERN_FRAME, &f, sizeof(f));

		*ret_is_whole = child;
		if (!child)
			return id;
		id = child;
	}
	return id;
}

uint32_t stack_id(struct thread *t)
{
	const uint32_t depth = options.stack_depth < STACK_DEPTH_MAX ? (uint32_t)options.stack_depth
								     : STACK_DEPTH_MAX;
	void *addresses[STACK_DEPTH_MAX + OWN_FRAMES_MAX];
	struct memo *m = backtrace ? memo_of(t) : NULL;
	bool is_whole = true;
	uint64_t hash;
	uint32_t id;
	int n, own = 0;

	if (unlikely(!m))
		return 0;
	n = backtrace(addresses, (int)(depth + OWN_FRAMES_MAX));
	while (own < n && is_ours(addresses[own]))
		own++;
	n = n - own < (int)depth ? n - own : (int)depth;
	hash = hash_of(addresses + own, n);
	id = memo_find(m, hash);
	if (likely(id))
		return id;
	id = stack_define(addresses + own, n, &is_whole);
	if (!is_whole)
		counter_add(&t->counters, TTI_COUNTER_STACKS_CUT, 1);
	else if (id)
		memo_add(m, hash, id);
	return id;
}
