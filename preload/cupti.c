/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti.c - Runs in: the thread that first reaches the driver (start), launching threads
 * (callbacks, buffer requests), CUPTI's threads (finished buffers), the writer (flush).
 */
#include "cupti.h"

#include "cupti_api.h"
#include "cupti_share.h"
#include "identity.h"
#include "launch.h"
#include "log.h"
#include "options.h"
#include "window.h"

static const char *library_path = "";
static _Atomic bool is_running;
static _Atomic bool wants_records;

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
void cupti_called(uint32_t domain, uint32_t event, const void *data)
{
	if (likely(domain == CUPTI_CB_DOMAIN_DRIVER_API)) {
		const CUpti_CallbackData *call = data;

		if (call->callbackSite == CUPTI_API_ENTER) {
			if (unlikely(
				    atomic_load_explicit(&window_is_limited, memory_order_relaxed)))
				window_see(call->correlationId, tls.correlation == TLS_PASSED);
			tls.correlation = call->correlationId;
			tls.context = call->context;
			tls.symbol = call->symbolName;
		}
	} else if (event == CUPTI_CBID_RESOURCE_MODULE_UNLOAD_STARTING) {
		kernels_forget();
	} else {
		on_graph_node(event, ((const CUpti_ResourceData *)data)->resourceDescriptor);
	}
}

/* `holder`: who has CUPTI instead of us, if CUPTI has told. */
static bool refuse(CUptiResult rc, const char *what, const char *holder)
{
	const char *text = "";

	cupti.cuptiGetResultString(rc, &text);
	if (rc != CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
		log_line("no GPU times: ", what, ": ", text);
	else if (*holder)
		log_line("no GPU times: ", what, ": ", text, " (it is held by ", holder, ")");
	else
		log_line("no GPU times: ", what, ": ", text,
			 " (another profiler or debugger has CUPTI)");
	return false;
}

/* A libcupti older than an entry point refuses its number: that entry point is not there. */
static bool enable_callbacks(CUpti_SubscriberHandle handle)
{
	CUptiResult rc;

	for (size_t i = 0; i < COUNT(correlated); i++)
		if (correlated[i])
			share_enable_callback(SHARE_SELF, 1, handle, CUPTI_CB_DOMAIN_DRIVER_API,
					      correlated[i]);
	for (size_t i = 0; i < COUNT(resource_events); i++)
		share_enable_callback(SHARE_SELF, 1, handle, CUPTI_CB_DOMAIN_RESOURCE,
				      resource_events[i]);
	rc = share_enable_callback(SHARE_SELF, 1, handle, CUPTI_CB_DOMAIN_DRIVER_API,
				   CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel);
	return rc == CUPTI_SUCCESS || refuse(rc, "cuptiEnableCallback", "");
}

static bool enable_records(void)
{
	CUptiResult rc = share_register_buffers(SHARE_SELF, NULL, NULL);

	for (size_t i = 0; i < COUNT(activity_kinds) && rc == CUPTI_SUCCESS; i++)
		rc = share_enable(SHARE_SELF, activity_kinds[i]);
	return rc == CUPTI_SUCCESS || refuse(rc, "cuptiActivityEnable", "");
}

/* What we are called by in place of this is quicker: cupti_called(), directly. */
static void CUPTIAPI listen(void *unused, CUpti_CallbackDomain domain, CUpti_CallbackId event,
			    const void *data)
{
	(void)unused;
	cupti_called(domain, event, data);
}

static CUptiResult subscribe(CUpti_SubscriberHandle *ret_handle, char *holder, size_t size)
{
#ifdef CUpti_SubscriberParams_STRUCT_SIZE
	CUpti_SubscriberParams params = { .structSize = CUpti_SubscriberParams_STRUCT_SIZE,
					  .subscriberName = "ttitrace",
					  .oldSubscriberName = holder,
					  .oldSubscriberSize = size };
	CUpti_SubscriberParams *p = &params;
#else
	CUpti_SubscriberParams *p = NULL;

	(void)size;
#endif
	*holder = '\0';
	return share_subscribe(SHARE_SELF, ret_handle, listen, NULL, p);
}

static bool start(void)
{
	CUpti_SubscriberHandle handle;
	char holder[64];
	CUptiResult rc;

	/* The subscriber comes first: refused, we have disturbed nobody. */
	rc = subscribe(&handle, holder, sizeof(holder));
	if (rc != CUPTI_SUCCESS)
		return refuse(rc, "cuptiSubscribe", holder);
	atomic_store(&wants_records, true);
	if (enable_callbacks(handle) && enable_records())
		return true;
	atomic_store(&wants_records, false);
	share_finalize(SHARE_SELF);
	return false;
}

bool cupti_start(void)
{
	const char *why;

	if (!share_takes(0)) {
		if (!cupti_bind(&library_path, &why) && !*why)
			log_line("no GPU times: found no libcupti; TTITRACE_CUPTI=path names one");
		else
			log_line("no GPU times: ", library_path, " ", why);
		return false;
	}
	cupti_bind(&library_path, &why);
	if (!start()) {
		/* Those who are there already stay. */
		if (!share_is_shared())
			share_end();
		return false;
	}
	if (options.verbose)
		log_line("GPU times from ", library_path);
	atomic_store(&is_running, true);
	return true;
}

void cupti_end(void)
{
	atomic_store(&wants_records, false);
}

bool cupti_wants_records(void)
{
	return atomic_load(&wants_records);
}

void cupti_records(bool on)
{
	for (size_t i = 0; i < COUNT(activity_kinds) && atomic_load(&is_running); i++)
		if (on)
			share_enable(SHARE_SELF, activity_kinds[i]);
		else
			share_disable(SHARE_SELF, activity_kinds[i]);
}

void cupti_flush(bool all)
{
	if (atomic_load(&is_running))
		share_flush(SHARE_SELF, all ? CUPTI_ACTIVITY_FLAG_FLUSH_FORCED : 0);
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
