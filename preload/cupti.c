/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti.c - Runs in: the thread that first reaches the driver (start), launching threads
 * (callbacks, buffer requests), CUPTI's threads (finished buffers), the writer (flush).
 */
#include "cupti.h"

#include <cuda.h>
#include <cupti.h>

#include "activity_buffer.h"
#include "clock.h"
#include "cupti_library.h"
#include "identity.h"
#include "launch.h"
#include "log.h"
#include "options.h"
#include "resolve.h"
#include "window.h"

static struct {
#define CUPTI(symbol, needed) __typeof__(symbol) *symbol;
#include "cupti.def"
#undef CUPTI
} cupti;

static char library_path[1024];
static _Atomic bool is_running;

/* Which driver entry points leave a correlation id: those of the hook table that make work. */
static const CUpti_CallbackId correlated[] = {
#define YES(...)                          1
#define NO(...)                           0
#define LAUNCH                            YES
#define LAUNCH_LIST                       YES
#define GRAPH                             YES
#define COPY                              YES
#define FILL                              YES
#define NODE                              NO
#define NODE_PARAMS                       NO
#define SYNC                              NO
#define AFTER                             NO
#define BEFORE                            NO
#define HOOK(ret, sym, params, args, ...) (__VA_ARGS__) ? CUPTI_DRIVER_TRACE_CBID_##sym : 0,
#define HOOK_PTSZ(ret, sym, params, args, ...) \
	HOOK(ret, sym, params, args, __VA_ARGS__) HOOK(ret, sym##_ptsz, params, args, __VA_ARGS__)
#define HOOK_PTDS(ret, sym, params, args, ...) \
	HOOK(ret, sym, params, args, __VA_ARGS__) HOOK(ret, sym##_ptds, params, args, __VA_ARGS__)
#include "hook_cuda.def"
#undef HOOK
#undef HOOK_PTSZ
#undef HOOK_PTDS
};

static const CUpti_CallbackId resource_events[] = { CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED,
						    CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED,
						    CUPTI_CBID_RESOURCE_MODULE_UNLOAD_STARTING };

static const CUpti_ActivityKind activity_kinds[] = { CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
						     CUPTI_ACTIVITY_KIND_MEMCPY,
						     CUPTI_ACTIVITY_KIND_MEMCPY2,
						     CUPTI_ACTIVITY_KIND_MEMSET };

#define COUNT(array) (sizeof(array) / sizeof(array[0]))

/* CUPTI converts GPU clocks to this one; CLOCK_REALTIME, its default, can step. */
static uint64_t CUPTIAPI read_clock(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

static void CUPTIAPI on_request(uint8_t **buffer, size_t *size, size_t *max_records)
{
	*buffer = activity_buffer_request(size);
	*max_records = 0;
}

static void CUPTIAPI on_complete(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size,
				 size_t valid)
{
	size_t dropped = 0;

	(void)size;
	if (cupti.cuptiActivityGetNumDroppedRecords(context, stream, &dropped) == CUPTI_SUCCESS &&
	    dropped)
		counter_add_shared(TTI_COUNTER_CUPTI_DROPPED, dropped);
	activity_buffer_complete(buffer, valid);
}

/*
 * CUPTI tells of every node as created, and of a clone's nodes then as cloned too.  What a call
 * creates goes into the row of that call.
 */
static void on_graph_node(CUpti_CallbackId event, const CUpti_GraphData *g)
{
	uint64_t node = 0, origin = 0;
	uint32_t graph = 0;

	if (!cupti.cuptiGetGraphNodeId || cupti.cuptiGetGraphNodeId(g->node, &node))
		return;
	if (event == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED) {
		tls.node = node;
		return;
	}
	if (cupti.cuptiGetGraphId)
		cupti.cuptiGetGraphId(g->graph, &graph);
	cupti.cuptiGetGraphNodeId(g->originalNode, &origin);
	record_graph_node(node, origin, graph, (uint32_t)g->nodeType);
}

/* The launch path: on entry only, a few stores. */
static void CUPTIAPI on_call(void *unused, CUpti_CallbackDomain domain, CUpti_CallbackId event,
			     const void *data)
{
	(void)unused;
	if (likely(domain == CUPTI_CB_DOMAIN_DRIVER_API)) {
		const CUpti_CallbackData *call = data;

		if (call->callbackSite == CUPTI_API_ENTER) {
			tls.correlation = call->correlationId;
			tls.context = call->context;
			tls.symbol = call->symbolName;
			if (unlikely(!atomic_load_explicit(&recording, memory_order_relaxed)))
				window_pass(call->correlationId);
		}
	} else if (event == CUPTI_CBID_RESOURCE_MODULE_UNLOAD_STARTING) {
		kernels_forget();
	} else {
		on_graph_node(event, ((const CUpti_ResourceData *)data)->resourceDescriptor);
	}
}

static bool bind_all(void *library)
{
	bool complete = true;

#define CUPTI(symbol, needed)                                                \
	cupti.symbol = (__typeof__(symbol) *)resolve_real(library, #symbol); \
	complete &= cupti.symbol || !(needed);
#include "cupti.def"
#undef CUPTI
	return complete;
}

static void say_refused(CUptiResult rc, const char *what)
{
	const char *text = "";

	cupti.cuptiGetResultString(rc, &text);
	log_line("no GPU times: ", what, ": ", text,
		 rc == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED
			 ? " (another profiler or debugger has CUPTI)"
			 : "");
}

static bool enable_callbacks(CUpti_SubscriberHandle subscriber)
{
	CUptiResult rc = CUPTI_SUCCESS;

	/* A libcupti older than an entry point refuses its number: that entry point is not there.
	 */
	for (size_t i = 0; i < COUNT(correlated); i++)
		if (correlated[i])
			cupti.cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API,
						  correlated[i]);
	rc = cupti.cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API,
				       CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel);
	for (size_t i = 0; i < COUNT(resource_events); i++)
		cupti.cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_RESOURCE,
					  resource_events[i]);
	if (rc != CUPTI_SUCCESS)
		say_refused(rc, "cuptiEnableCallback");
	return rc == CUPTI_SUCCESS;
}

/* 13.0 calls itself 130001; before, versions counted from 1, and which one is 12.9 is not sure. */
#define VERSION_THAT_TAKES_NO 130000u

static bool enable_records(void)
{
	uint32_t version = 0;
	CUptiResult rc;

	if (cupti.cuptiActivityRegisterTimestampCallback)
		cupti.cuptiActivityRegisterTimestampCallback(read_clock);
	cupti.cuptiGetVersion(&version);
	activity_buffer_allow_refusal(version >= VERSION_THAT_TAKES_NO);
	rc = cupti.cuptiActivityRegisterCallbacks(on_request, on_complete);
	for (size_t i = 0; i < COUNT(activity_kinds) && rc == CUPTI_SUCCESS; i++)
		rc = cupti.cuptiActivityEnable(activity_kinds[i]);
	if (rc != CUPTI_SUCCESS)
		say_refused(rc, "cuptiActivityEnable");
	return rc == CUPTI_SUCCESS;
}

bool cupti_start(void)
{
	void *library = cupti_library_open(library_path, sizeof(library_path));
	CUpti_SubscriberHandle subscriber;
	CUptiResult rc;

	if (!library) {
		log_line("no GPU times: found no libcupti; TTITRACE_CUPTI=path names one");
		return false;
	}
	if (!bind_all(library)) {
		log_line("no GPU times: ", library_path, " lacks functions of CUPTI 12 and 13");
		return false;
	}
	/* The subscriber comes first: refused, we have disturbed nobody. */
	rc = cupti.cuptiSubscribe(&subscriber, on_call, NULL);
	if (rc != CUPTI_SUCCESS) {
		say_refused(rc, "cuptiSubscribe");
		return false;
	}
	if (!enable_callbacks(subscriber) || !enable_records()) {
		cupti.cuptiUnsubscribe(subscriber);
		return false;
	}
	if (options.verbose)
		log_line("GPU times from ", library_path);
	atomic_store(&is_running, true);
	return true;
}

void cupti_records(bool on)
{
	for (size_t i = 0; i < COUNT(activity_kinds) && atomic_load(&is_running); i++)
		if (on)
			cupti.cuptiActivityEnable(activity_kinds[i]);
		else
			cupti.cuptiActivityDisable(activity_kinds[i]);
}

void cupti_flush(bool all)
{
	if (atomic_load(&is_running))
		cupti.cuptiActivityFlushAll(all ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0);
}

bool cupti_describe(const char **ret_path, uint32_t *ret_version)
{
	if (!atomic_load(&is_running) || cupti.cuptiGetVersion(ret_version) != CUPTI_SUCCESS)
		return false;
	*ret_path = library_path;
	return true;
}

uint32_t cupti_context_id(void *context)
{
	uint32_t id = 0;

	if (atomic_load(&is_running) && cupti.cuptiGetContextId)
		cupti.cuptiGetContextId(context, &id);
	return id;
}

uint32_t cupti_graph_exec_id(void *exec)
{
	uint32_t id = 0;

	if (atomic_load(&is_running) && cupti.cuptiGetGraphExecId)
		cupti.cuptiGetGraphExecId(exec, &id);
	return id;
}

bool cupti_next_record(uint8_t *buffer, size_t valid_bytes, void **record)
{
	return cupti.cuptiActivityGetNextRecord(buffer, valid_bytes, (CUpti_Activity **)record) ==
	       CUPTI_SUCCESS;
}
