/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.c - Runs in: the launching thread, once for each launch.  unw_backtrace() steps through
 * frames it has met before without a lock or a call of the system; a new return address makes it
 * read unwind tables, which takes the loader's lock and its own.  Never in a signal handler.
 */
#include "stack.h"

#include <dlfcn.h>

#include "counter.h"
#include "intern.h"
#include "options.h"
#include "resolve.h"
#include "sys.h"
#include "thread.h"

/* Our own frames between the wrapper's caller and here, at most. */
#define OWN_FRAMES_MAX 16u

struct stack_cache {
	/* The last stack, outermost first. */
	struct level {
		uint64_t address;
		uint32_t parent, id;
	} levels[STACK_DEPTH_MAX];
};

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

static struct stack_cache *cache_of(struct thread *t)
{
	if (unlikely(!t->stacks))
		t->stacks = sys_reserve(sizeof(*t->stacks));
	return t->stacks;
}

static bool is_ours(const void *address)
{
	return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

static uint32_t level_id(struct level *l, const void *address, uint32_t parent)
{
	const struct frame_content f = { .address = (uintptr_t)address, .parent = parent };

	if (likely(l->address == f.address && l->parent == parent && l->id))
		return l->id;
	*l = (struct level){ .address = f.address,
			     .parent = parent,
			     .id = intern(INTERN_FRAME, &f, sizeof(f)) };
	return l->id;
}

uint32_t stack_id(struct thread *t)
{
	const uint32_t depth = options.stack_depth < STACK_DEPTH_MAX ? (uint32_t)options.stack_depth
								     : STACK_DEPTH_MAX;
	void *addresses[STACK_DEPTH_MAX + OWN_FRAMES_MAX];
	struct stack_cache *c = backtrace ? cache_of(t) : NULL;
	int n, own = 0;
	uint32_t id = 0;

	if (unlikely(!c))
		return 0;
	n = backtrace(addresses, (int)(depth + OWN_FRAMES_MAX));
	while (own < n && is_ours(addresses[own]))
		own++;
	if (n > own + (int)depth)
		n = own + (int)depth;
	for (int i = n - 1; i >= own; i--) {
		const uint32_t child = level_id(&c->levels[n - 1 - i], addresses[i], id);

		if (unlikely(!child)) {
			counter_add(&t->counters, TTI_COUNTER_STACKS_CUT, 1);
			return id;
		}
		id = child;
	}
	return id;
}
