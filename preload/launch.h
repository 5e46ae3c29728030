/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h - the launch path: what every wrapper does on either side of the real call.
 *
 * Runs in: the application's thread, once for each launch.  No malloc, no lock, no system call,
 * no formatting, errno kept.  The first launch of a kernel, and the first of a thread, do more.
 */
#ifndef PRELOAD_LAUNCH_H
#define PRELOAD_LAUNCH_H

#include <cuda.h>
#include <stdint.h>

#include "clock.h"
#include "thread.h"
#include "ttitrace/format.h"

struct launch {
	CUfunction function; /* or a CUkernel */
	CUstream stream;
	uint32_t shared_bytes;
	uint32_t flags;               /* tti_template_flag */
	const CUlaunchConfig *config; /* NULL: there is none */
	void *const *params;          /* as passed; NULL: there are none, or they are packed */
	void *const *extra;
	uint32_t grid[3];
	uint32_t block[3];
};

/* Life is on and the window open. */
extern _Atomic bool recording;

/* Recording is off: find out whether this call is recorded all the same. */
uint64_t record_begin_first(void);

/* Our own memory for this call, cold since the last one, is fetched while the driver works. */
void record_expect(const struct thread *t);

static inline uint64_t record_begin_now(void)
{
	tls.correlation = 0;
	tls.node = 0;
	tls.context = NULL;
	tls.symbol = NULL;
	if (likely(tls.thread))
		record_expect(tls.thread);
	return clock_ticks();
}

/* When the call began, in ticks; 0: do not record it. */
static inline uint64_t record_begin(void)
{
	if (unlikely(!atomic_load_explicit(&recording, memory_order_relaxed)))
		return record_begin_first();
	return unlikely(tls.is_ours) ? 0 : record_begin_now();
}

/* `id` is the row of hook_cuda.def. */
void record_launch(uint64_t begin, uint32_t id, CUresult rc, const struct launch *l);
void record_launch_list(uint64_t begin, uint32_t id, CUresult rc, const CUDA_LAUNCH_PARAMS *list,
			unsigned int n);
void record_node(uint64_t begin, uint32_t id, CUresult rc, const struct launch *l);
void record_node_params(uint64_t begin, uint32_t id, CUresult rc, const CUgraphNodeParams *p);
void record_graph_launch(uint64_t begin, uint32_t id, CUresult rc, CUgraphExec exec, CUstream s);
void record_transfer(uint64_t begin, uint32_t id, CUresult rc, enum tti_op op, uint64_t bytes,
		     CUstream s);
void record_sync(uint64_t begin, uint32_t id, CUresult rc, CUstream s);

/* What the application says itself, as fields of record `mark`; ids of strings. */
struct said {
	enum tti_mark_kind kind;
	uint32_t domain, text;
	uint64_t range; /* at most ROW_DURATION_MAX */
};

/* Also before recording begins: a range may be open then. */
void record_said(const struct said *said);
/* Outside the launch path, like the next: waits for room. */
void record_mark(const char *text);

/* A node came into being in the call under way. */
void record_graph_node(uint64_t node, uint64_t origin, uint32_t graph, uint32_t type);

#endif
