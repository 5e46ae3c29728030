/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h - the stand-in driver's objects, and how it tells the stand-in CUPTI what happens.
 *
 * Both stand-ins are for tests on machines without a GPU.  They behave as the vendor's libraries
 * were seen to behave where a tracer could go wrong: handles come back as something else, records
 * arrive late and out of order, the driver refuses what it refuses during capture.
 */
#ifndef TTITRACE_FAKE_H
#define TTITRACE_FAKE_H

#include <cuda.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_EXPORT __attribute__((visibility("default")))

/* First word of every object: a stale or foreign handle is refused, not believed. */
enum fake_magic {
	FAKE_FREE = 0,
	FAKE_CONTEXT = 0x7c0001,
	FAKE_STREAM,
	FAKE_MODULE,
	FAKE_LIBRARY,
	FAKE_FUNCTION,
	FAKE_KERNEL,
	FAKE_GRAPH,
	FAKE_NODE,
	FAKE_EXEC,
	FAKE_EVENT,
	FAKE_MAGIC_END,
};

/* The last two are CUPTI's own: an API call, and the external number of one (`bytes`). */
enum fake_work_kind {
	FAKE_WORK_KERNEL,
	FAKE_WORK_COPY,
	FAKE_WORK_FILL,
	FAKE_WORK_EMPTY,
	FAKE_WORK_CALL,
	FAKE_WORK_EXTERNAL,
};

/* One thing the device does, and when it does it. */
struct fake_work {
	enum fake_work_kind kind;
	const char *name; /* never freed */
	unsigned int grid[3];
	unsigned int block[3];
	unsigned int cluster[3];
	unsigned int shared_bytes;
	unsigned int static_shared_bytes;
	unsigned int registers;
	uint8_t copy_kind; /* CUpti_ActivityMemcpyKind */
	uint64_t bytes;
	uint32_t device;
	uint32_t context_uid;
	uint32_t stream_id;
	uint32_t correlation;
	uint32_t graph_id;
	uint64_t node_id;
	uint64_t begin_ns; /* CLOCK_MONOTONIC, usually in the future when it is handed out */
	uint64_t end_ns;
};

/* One call of a driver entry point, on the stack of the thread that makes it. */
struct fake_call {
	const char *name;
	uint32_t cbid;
	bool per_thread; /* came in by the _ptsz or _ptds twin */
	uint32_t correlation;
	uint64_t observer_data;
	const char *symbol;
	CUcontext context;
	uint32_t context_uid;
	CUresult result;
	struct fake_call *outer;
};

/* CUPTI_CBID_RESOURCE_*, with what that callback needs. */
struct fake_event {
	uint32_t cbid;
	CUcontext context;
	CUstream stream;
	uint32_t module_id;
	CUgraph graph;
	CUgraph original_graph;
	CUgraphNode node;
	CUgraphNode original_node;
	CUgraphNodeType node_type;
	CUgraphExec exec;
};

struct fake_observer {
	void (*enter)(struct fake_call *call);
	void (*leave)(struct fake_call *call);
	void (*resource)(const struct fake_event *event);
	void (*ran)(const struct fake_work *work);
};

/*
 * Exported by the stand-in libcuda.so.1, which has one observer.  False: another one was first.
 * NULL: nobody looks any more.
 */
bool fake_cuda_observe(const struct fake_observer *observer);

/* What the stand-ins saw, by name: the FAKE_CUDA_REPORT file has them, 32 bytes each. */
#define FAKE_STATS(STAT)        \
	STAT(launches)          \
	STAT(captured)          \
	STAT(nodes_added)       \
	STAT(graph_launches)    \
	STAT(node_runs)         \
	STAT(copies)            \
	STAT(fills)             \
	STAT(refused)           \
	STAT(parameter_sum)     \
	STAT(syncs)             \
	STAT(unsafe_in_capture) \
	STAT(cupti_subscribed)  \
	STAT(cupti_records)     \
	STAT(cupti_dropped)     \
	STAT(cupti_zeroed)      \
	STAT(cupti_incomplete)  \
	STAT(cupti_finalized)   \
	STAT(cupti_used_in_child)
enum fake_stat {
#define STAT(name) FAKE_STAT_##name,
	FAKE_STATS(STAT)
#undef STAT
		FAKE_NR_STATS
};

/* Exported by the stand-in libcuda.so.1, for CUPTI's share of the numbers. */
void fake_cuda_count(enum fake_stat stat, uint64_t n);

struct CUctx_st {
	uint32_t magic;
	uint32_t uid;
	CUdevice device;
	bool primary;
	CUstream legacy;
	CUstream streams; /* all of them, under the driver's lock */
	struct CUctx_st *next_free;
};

struct fake_capture {
	uint64_t id;
	CUgraph graph;
	CUstream origin;
	CUstreamCaptureMode mode;
	pthread_t owner;
	bool invalid;
	bool own_graph;
};

struct CUstream_st {
	uint32_t magic;
	uint32_t id; /* the same for cuStreamGetId and CUPTI */
	CUcontext context;
	pthread_mutex_t lock; /* of busy_until_ns */
	uint64_t busy_until_ns;
	struct fake_capture *capture;
	CUgraphNode tail;
	pthread_t owner; /* of a per-thread default stream */
	bool per_thread;
	CUstream next;
};

#define FAKE_MAX_PARAMS 16

/* What CUfunction and CUkernel have in common; `name` dies with the module, `symbol` does not. */
struct fake_function {
	uint32_t magic;
	char *name;
	const char *symbol;
	unsigned int nr_params;
	unsigned int offsets[FAKE_MAX_PARAMS];
	unsigned int sizes[FAKE_MAX_PARAMS];
	unsigned int registers;
	unsigned int static_shared_bytes;
	CUmodule module;
	struct fake_function *next;
	struct fake_function *twin; /* CUkernel -> its CUfunction */
};

struct CUfunc_st {
	struct fake_function f;
};
struct CUkern_st {
	struct fake_function f;
};

struct CUmod_st {
	uint32_t magic;
	uint32_t id;
	char *image;
	struct fake_function *functions;
	struct fake_function *kernels;
};
struct CUlib_st {
	uint32_t magic;
	CUmodule module;
};

struct CUgraphNode_st {
	uint32_t magic;
	CUgraphNodeType type;
	uint64_t id;
	uint64_t origin_id;
	CUgraph graph;
	CUgraphNode next;
	struct fake_work work;
};
struct CUgraph_st {
	uint32_t magic;
	uint32_t id;
	uint32_t nr_nodes;
	CUgraphNode first;
	CUgraphNode last;
};
struct CUgraphExec_st {
	uint32_t magic;
	uint32_t id;
	CUgraph clone;
};
struct CUevent_st {
	uint32_t magic;
	uint64_t at_ns;
	struct fake_capture *capture;
	CUgraphNode node;
};

#endif
