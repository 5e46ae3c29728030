/* SPDX-License-Identifier: Apache-2.0 */
/* fake_driver.h - inside the stand-in driver. */
#ifndef TTITRACE_FAKE_DRIVER_H
#define TTITRACE_FAKE_DRIVER_H

/* Old and new versions of each entry point, under their own names. */
#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>
#include <cudaProfiler.h>

#include "tests/fake/fake.h"

/*
 * ENTRY(name, (parameters)) { body }: defines an entry point that is not in hook_cuda.def and puts
 * it where cuGetProcAddress finds it.
 */
struct fake_entry {
	const char *name;
	void *address;
};
#define ENTRY_SLOT(sym)                     \
	static struct fake_entry slot_##sym \
		__attribute__((section("fake_entries"), used)) = { #sym, (void *)sym }
#define ENTRY(sym, params) \
	ENTRY_SLOT(sym);   \
	FAKE_EXPORT CUresult sym params

/* fake_entry.c: who calls, who looks. */
void call_enter(struct fake_call *call);
void call_leave(struct fake_call *call);
struct fake_call *call_current(void);
void observer_tell(const struct fake_event *event);
void observer_ran(const struct fake_work *work);
void stat_add(enum fake_stat stat, uint64_t n);
void stats_open(void);

/* fake_device.c: contexts, streams, time. */
CUresult driver_ready(void); /* CUDA_SUCCESS between cuInit and fork */
CUcontext context_current(void);
CUresult stream_find(CUstream handle, CUstream *ret_stream);
CUresult stream_run(CUstream stream, struct fake_work *work); /* or a node, while it captures */
uint64_t now_ns(void);
uint32_t next_id(void);
/* CUDA_SUCCESS, or what the driver says to an unsafe call while somebody captures. */
CUresult capture_forbids(void);

/* fake_object.c: memory behind handles; freed handles come back first. */
void *object_new(enum fake_magic magic, size_t size);
void object_free(enum fake_magic magic, void *object);
bool object_is(const void *handle, enum fake_magic magic);
void driver_lock(void);
void driver_unlock(void);

/* fake_module.c */
struct fake_function *function_of(const void *handle); /* CUfunction or CUkernel; NULL: neither */

/* fake_graph.c */
CUresult graph_add(CUgraph graph, CUgraphNodeType type, const struct fake_work *work,
		   CUgraphNode *ret_node);
CUgraph graph_new(void);
void graph_drop(CUgraph graph);

/* The driver's real work for rows of hook_cuda.def that do more than fake_entry.c's default. */
#define HOOK(ret, sym, params, args, keep) ret do_##sym params;
#define HOOK_PTSZ                          HOOK
#define HOOK_PTDS                          HOOK
#include "preload/hook_cuda.def"
#undef HOOK
#undef HOOK_PTSZ
#undef HOOK_PTDS

#endif
