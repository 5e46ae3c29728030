/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cuda.c - the driver: every launch, copy and fill of the process passes here, whoever made
 * it (a static cudart, cuBLAS, cuDNN, NCCL, Triton, XLA).
 * Runs in: the application's thread.  No malloc, no lock, no system call, errno kept.
 */
#define __CUDA_API_VERSION_INTERNAL /* the symbols as they are, and their _ptsz twins */
#include <cuda.h>
#include <cudaProfiler.h>

#if CUDA_VERSION < 12040
#error "building needs the headers of CUDA 12.4 or newer (running does not)"
#endif

#include "capture.h"
#include "hook.h"
#include "identity.h"
#include "launch.h"
#include "life.h"
#include "resolve.h"
#include "window.h"

#define RECORDED(record) const uint64_t begin = record_begin(), if (begin) record
#define AFTER(action)    (void)0, action
#define BEFORE(action)   action, (void)0

#define LAUNCH(...)      RECORDED(record_launch(begin, id, rc, LAUNCH_ARGS(__VA_ARGS__)))
#define LAUNCH_ARGS(f, s, shared_, flags_, config_, params_, extra_, gx_, gy_, gz_, bx_, by_, bz_) \
	&(const struct launch)                                                                     \
	{                                                                                          \
		.function = f, .stream = s, .shared_bytes = shared_, .flags = flags_,              \
		.config = config_, .params = params_, .extra = extra_, .grid = { gx_, gy_, gz_ },  \
		.block = {                                                                         \
			bx_,                                                                       \
			by_,                                                                       \
			bz_                                                                        \
		}                                                                                  \
	}
#define LAUNCH_LIST(list, n) RECORDED(record_launch_list(begin, id, rc, list, n))
#define NODE(f, shared_, params, extra, gx, gy, gz, bx, by, bz)                                    \
	RECORDED(record_node(begin, id, rc,                                                        \
			     LAUNCH_ARGS(f, NULL, shared_, 0, NULL, params, extra, gx, gy, gz, bx, \
					 by, bz)))
#define NODE_PARAMS(p) RECORDED(record_node_params(begin, id, rc, p))
#define GRAPH(exec, s) RECORDED(record_graph_launch(begin, id, rc, exec, s))
#define COPY(bytes, s) RECORDED(record_transfer(begin, id, rc, TTI_OP_COPY, bytes, s))
#define FILL(bytes, s) RECORDED(record_transfer(begin, id, rc, TTI_OP_FILL, bytes, s))
#define SYNC(s)        RECORDED(record_sync(begin, id, rc, s))

static void hooks_swap(void **pfn, CUresult rc);

/* Whatever the driver answers: without a profiler of its own it refuses. */
static void profiler_turned(bool on)
{
	if (on)
		window_open(WINDOW_PROFILER);
	record_mark(on ? "cuProfilerStart" : "cuProfilerStop");
	if (!on)
		window_close(WINDOW_PROFILER);
}

#define FAMILY       cuda
#define HOOK_DEF     "hook_cuda.def"
#define SONAMES      "libcuda.so.1", "libcuda.so"
#define PREFIX       "cu"
#define ABSENT       CUDA_ERROR_NOT_FOUND
#define COPIES       1
#define COPY_OF(row) 0
#define LIBRARY      NULL
#include "hook_family.inc"

/*
 * The real cuGetProcAddress has answered: its choice of version and twin, its status and result
 * stand.  If what it found is something we have a wrapper for, that is what the caller gets.
 */
static void hooks_swap(void **pfn, CUresult rc)
{
	const struct hook *h;

	if (rc != CUDA_SUCCESS || !pfn || !*pfn)
		return;
	h = hook_by_address(&family_cuda, *pfn);
	if (h)
		*pfn = h->wrapper;
}
