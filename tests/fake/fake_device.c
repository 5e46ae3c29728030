/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_device.c - the stand-in driver's devices, contexts, streams and their time.
 *
 * Work "runs" on its stream's timeline, in CLOCK_MONOTONIC: it begins when the stream is free and
 * takes a time made from its grid.  Waiting for a stream really waits.
 */
#include "tests/fake/fake_driver.h"

#include <cupti_driver_cbid.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NR_DEVICES     2
#define STACK_DEPTH    16
#define DRIVER_VERSION 13000

enum { BEFORE_INIT, READY, AFTER_FORK };

static _Atomic int state = BEFORE_INIT;
static _Atomic uint32_t ids = 1;
static _Atomic uint32_t context_uids;
static _Atomic int global_captures; /* open captures in CU_STREAM_CAPTURE_MODE_GLOBAL */
static CUcontext primaries[NR_DEVICES];
static unsigned int primary_users[NR_DEVICES];
static struct fake_capture *captures[64];
static __thread CUcontext stack[STACK_DEPTH];
static __thread unsigned int depth;
static __thread CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t next_id(void)
{
	return atomic_fetch_add(&ids, 1);
}

/* The real driver does not survive fork: a child of a process that used it gets errors only. */
static void in_child(void)
{
	if (state == READY)
		state = AFTER_FORK;
}

CUresult driver_ready(void)
{
	return atomic_load_explicit(&state, memory_order_relaxed) == READY
		       ? CUDA_SUCCESS
		       : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult do_cuInit(unsigned int flags)
{
	if (flags != 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (state == AFTER_FORK)
		return CUDA_ERROR_NOT_INITIALIZED;
	driver_lock();
	if (state == BEFORE_INIT) {
		stats_open();
		pthread_atfork(NULL, NULL, in_child);
		state = READY;
	}
	driver_unlock();
	return CUDA_SUCCESS;
}

ENTRY(cuDriverGetVersion, (int *version))
{
	struct fake_call call = { .name = "cuDriverGetVersion",
				  .cbid = CUPTI_DRIVER_TRACE_CBID_cuDriverGetVersion };
	call_enter(&call);
	*version = DRIVER_VERSION;
	call_leave(&call);
	return CUDA_SUCCESS;
}

/* Devices. */

ENTRY(cuDeviceGet, (CUdevice * device, int ordinal))
{
	if (ordinal < 0 || ordinal >= NR_DEVICES)
		return CUDA_ERROR_INVALID_DEVICE;
	*device = ordinal;
	return driver_ready();
}

ENTRY(cuDeviceGetCount, (int *count))
{
	*count = NR_DEVICES;
	return driver_ready();
}

ENTRY(cuDeviceGetName, (char *name, int size, CUdevice device))
{
	if (device < 0 || device >= NR_DEVICES || size <= 0)
		return CUDA_ERROR_INVALID_DEVICE;
	strncpy(name, "Stand-in GPU", (size_t)size);
	name[size - 1] = 0;
	return driver_ready();
}

ENTRY(cuDeviceGetUuid, (CUuuid * uuid, CUdevice device))
{
	memset(uuid, 0xa0 + device, sizeof(*uuid));
	return driver_ready();
}

ENTRY(cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device))
{
	return cuDeviceGetUuid(uuid, device);
}

ENTRY(cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))
{
	*bytes = 16ull << 30;
	return device < NR_DEVICES ? driver_ready() : CUDA_ERROR_INVALID_DEVICE;
}

ENTRY(cuDeviceGetAttribute, (int *value, CUdevice_attribute attribute, CUdevice device))
{
	static const struct {
		CUdevice_attribute attribute;
		int value;
	} values[] = {
		{ CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 9 },
		{ CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0 },
		{ CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16 },
		{ CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1000000 },
		{ CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 2000000 },
		{ CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 512 },
		{ CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 4 << 20 },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024 },
		{ CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, 1 },
	};
	if (device < 0 || device >= NR_DEVICES)
		return CUDA_ERROR_INVALID_DEVICE;
	*value = 0;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].attribute == attribute)
			*value = values[i].value;
	}
	return driver_ready();
}

/* Contexts. */

static CUstream stream_new(CUcontext context)
{
	CUstream s = object_new(FAKE_STREAM, sizeof(*s));
	s->id = next_id();
	s->context = context;
	pthread_mutex_init(&s->lock, NULL);
	driver_lock();
	s->next = context->streams;
	context->streams = s;
	driver_unlock();
	return s;
}

static CUcontext context_new(CUdevice device, bool primary)
{
	CUcontext c = object_new(FAKE_CONTEXT, sizeof(*c));
	c->uid = atomic_fetch_add(&context_uids, 1) + 1;
	c->device = device;
	c->primary = primary;
	c->legacy = stream_new(c);
	observer_tell(&(struct fake_event){ .cbid = 1, .context = c });
	return c;
}

static void context_drop(CUcontext c)
{
	observer_tell(&(struct fake_event){ .cbid = 2, .context = c });
	driver_lock();
	for (CUstream s = c->streams, next; s; s = next) {
		next = s->next;
		object_free(FAKE_STREAM, s);
	}
	c->streams = NULL;
	driver_unlock();
	object_free(FAKE_CONTEXT, c);
}

CUcontext context_current(void)
{
	return depth ? stack[depth - 1] : NULL;
}

static CUresult context_create(CUcontext *ret_context, CUdevice device)
{
	if (driver_ready() != CUDA_SUCCESS)
		return CUDA_ERROR_NOT_INITIALIZED;
	if (device < 0 || device >= NR_DEVICES)
		return CUDA_ERROR_INVALID_DEVICE;
	if (depth == STACK_DEPTH)
		return CUDA_ERROR_OUT_OF_MEMORY;
	*ret_context = stack[depth++] = context_new(device, false);
	return CUDA_SUCCESS;
}

ENTRY(cuCtxCreate_v2, (CUcontext * context, unsigned int flags, CUdevice device))
{
	(void)flags;
	return context_create(context, device);
}

ENTRY(cuCtxCreate_v3, (CUcontext * context, CUexecAffinityParam *params, int nr_params,
		       unsigned int flags, CUdevice device))
{
	(void)params, (void)nr_params, (void)flags;
	return context_create(context, device);
}

ENTRY(cuCtxCreate_v4,
      (CUcontext * context, CUctxCreateParams *params, unsigned int flags, CUdevice device))
{
	(void)params, (void)flags;
	return context_create(context, device);
}

CUresult do_cuCtxDestroy_v2(CUcontext c)
{
	if (!object_is(c, FAKE_CONTEXT) || c->primary)
		return CUDA_ERROR_INVALID_CONTEXT;
	if (context_current() == c)
		depth--;
	context_drop(c);
	return CUDA_SUCCESS;
}

ENTRY(cuCtxPushCurrent_v2, (CUcontext c))
{
	if (!object_is(c, FAKE_CONTEXT) || depth == STACK_DEPTH)
		return CUDA_ERROR_INVALID_CONTEXT;
	stack[depth++] = c;
	return CUDA_SUCCESS;
}

ENTRY(cuCtxPopCurrent_v2, (CUcontext * ret_context))
{
	if (!depth)
		return CUDA_ERROR_INVALID_CONTEXT;
	depth--;
	if (ret_context)
		*ret_context = stack[depth];
	return CUDA_SUCCESS;
}

ENTRY(cuCtxSetCurrent, (CUcontext c))
{
	if (c && !object_is(c, FAKE_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	if (!depth)
		depth = 1;
	stack[depth - 1] = c;
	return CUDA_SUCCESS;
}

ENTRY(cuCtxGetCurrent, (CUcontext * ret_context))
{
	*ret_context = context_current();
	return driver_ready();
}

ENTRY(cuCtxGetDevice, (CUdevice * device))
{
	CUcontext c = context_current();
	if (!c)
		return CUDA_ERROR_INVALID_CONTEXT;
	*device = c->device;
	return CUDA_SUCCESS;
}

ENTRY(cuCtxGetId, (CUcontext c, unsigned long long *id))
{
	if (!c)
		c = context_current();
	if (!object_is(c, FAKE_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	*id = c->uid;
	return CUDA_SUCCESS;
}

ENTRY(cuDevicePrimaryCtxRetain, (CUcontext * ret_context, CUdevice device))
{
	if (driver_ready() != CUDA_SUCCESS)
		return CUDA_ERROR_NOT_INITIALIZED;
	if (device < 0 || device >= NR_DEVICES)
		return CUDA_ERROR_INVALID_DEVICE;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	if (!primaries[device])
		primaries[device] = context_new(device, true);
	primary_users[device]++;
	*ret_context = primaries[device];
	pthread_mutex_unlock(&lock);
	return CUDA_SUCCESS;
}

CUresult do_cuDevicePrimaryCtxReset_v2(CUdevice device)
{
	CUcontext c = primaries[device];
	primaries[device] = NULL;
	primary_users[device] = 0;
	if (c)
		context_drop(c);
	return CUDA_SUCCESS;
}

CUresult do_cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
	if (!primary_users[device])
		return CUDA_ERROR_INVALID_CONTEXT;
	if (--primary_users[device] == 0)
		return do_cuDevicePrimaryCtxReset_v2(device);
	return CUDA_SUCCESS;
}

ENTRY(cuDevicePrimaryCtxGetState, (CUdevice device, unsigned int *flags, int *active))
{
	*flags = 0;
	*active = primaries[device] != NULL;
	return CUDA_SUCCESS;
}

/* Streams. */

static CUstream per_thread_stream(CUcontext c)
{
	driver_lock();
	CUstream s = c->streams;
	while (s && !(s->per_thread && pthread_equal(s->owner, pthread_self())))
		s = s->next;
	driver_unlock();
	if (s)
		return s;
	s = stream_new(c);
	s->owner = pthread_self();
	s->per_thread = true;
	return s;
}

CUresult stream_find(CUstream handle, CUstream *ret_stream)
{
	const struct fake_call *call = call_current();
	CUcontext c = context_current();
	if (!object_is(c, FAKE_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	if (handle == CU_STREAM_PER_THREAD || (!handle && call && call->per_thread)) {
		*ret_stream = per_thread_stream(c);
		return CUDA_SUCCESS;
	}
	if (!handle || handle == CU_STREAM_LEGACY) {
		*ret_stream = c->legacy;
		return CUDA_SUCCESS;
	}
	if (!object_is(handle, FAKE_STREAM))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_stream = handle;
	return CUDA_SUCCESS;
}

static unsigned int log2_of(uint64_t n)
{
	return n ? 63u - (unsigned int)__builtin_clzll(n) : 0;
}

static uint64_t duration_ns(const struct fake_work *w)
{
	if (w->kind != FAKE_WORK_KERNEL)
		return 600 + w->bytes / 100;
	const uint64_t blocks = (uint64_t)w->grid[0] * w->grid[1] * w->grid[2];
	const uint64_t threads = (uint64_t)w->block[0] * w->block[1] * w->block[2];
	return 900 + 300 * log2_of(blocks) + 100 * log2_of(threads);
}

CUresult stream_run(CUstream s, struct fake_work *w)
{
	const struct fake_call *call = call_current();
	if (s->capture) {
		static const CUgraphNodeType types[] = { CU_GRAPH_NODE_TYPE_KERNEL,
							 CU_GRAPH_NODE_TYPE_MEMCPY,
							 CU_GRAPH_NODE_TYPE_MEMSET,
							 CU_GRAPH_NODE_TYPE_EMPTY };
		if (s->capture->invalid)
			return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
		return graph_add(s->capture->graph, types[w->kind], w, &s->tail);
	}
	w->device = (uint32_t)s->context->device;
	w->context_uid = s->context->uid;
	w->stream_id = s->id;
	w->correlation = call ? call->correlation : 0;
	const uint64_t ready = now_ns() + 1500;
	pthread_mutex_lock(&s->lock);
	w->begin_ns = s->busy_until_ns + 200 > ready ? s->busy_until_ns + 200 : ready;
	w->end_ns = w->begin_ns + duration_ns(w);
	s->busy_until_ns = w->end_ns;
	pthread_mutex_unlock(&s->lock);
	if (w->kind != FAKE_WORK_EMPTY)
		observer_ran(w);
	return CUDA_SUCCESS;
}

static uint64_t busy_until(CUstream s)
{
	pthread_mutex_lock(&s->lock);
	const uint64_t until = s->busy_until_ns;
	pthread_mutex_unlock(&s->lock);
	return until;
}

static void sleep_until(uint64_t until)
{
	const struct timespec t = { .tv_sec = (time_t)(until / 1000000000u),
				    .tv_nsec = (long)(until % 1000000000u) };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

CUresult do_cuStreamSynchronize(CUstream handle)
{
	CUstream s = NULL;
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS)
		r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	if (s->capture) {
		s->capture->invalid = true;
		stat_add(FAKE_STAT_unsafe_in_capture, 1);
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	}
	r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	stat_add(FAKE_STAT_syncs, 1);
	sleep_until(busy_until(s));
	return CUDA_SUCCESS;
}

CUresult do_cuCtxSynchronize(void)
{
	CUcontext c = context_current();
	CUresult r = driver_ready();
	uint64_t until = 0;
	if (r == CUDA_SUCCESS && !object_is(c, FAKE_CONTEXT))
		r = CUDA_ERROR_INVALID_CONTEXT;
	if (r == CUDA_SUCCESS)
		r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	stat_add(FAKE_STAT_syncs, 1);
	driver_lock();
	for (CUstream s = c->streams; s; s = s->next)
		until = busy_until(s) > until ? busy_until(s) : until;
	driver_unlock();
	sleep_until(until);
	return CUDA_SUCCESS;
}

ENTRY(cuStreamCreate, (CUstream * ret_stream, unsigned int flags))
{
	CUcontext c = context_current();
	(void)flags;
	if (!object_is(c, FAKE_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	*ret_stream = stream_new(c);
	observer_tell(&(struct fake_event){ .cbid = 3, .context = c, .stream = *ret_stream });
	return CUDA_SUCCESS;
}

ENTRY(cuStreamCreateWithPriority, (CUstream * ret_stream, unsigned int flags, int priority))
{
	(void)priority;
	return cuStreamCreate(ret_stream, flags);
}

ENTRY(cuStreamDestroy_v2, (CUstream s))
{
	if (!object_is(s, FAKE_STREAM))
		return CUDA_ERROR_INVALID_HANDLE;
	observer_tell(&(struct fake_event){ .cbid = 4, .context = s->context, .stream = s });
	driver_lock();
	CUstream *link = &s->context->streams;
	while (*link && *link != s)
		link = &(*link)->next;
	if (*link)
		*link = s->next;
	driver_unlock();
	object_free(FAKE_STREAM, s);
	return CUDA_SUCCESS;
}

ENTRY(cuStreamGetId, (CUstream handle, unsigned long long *id))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS)
		*id = s->id;
	return r;
}

ENTRY(cuStreamGetCtx, (CUstream handle, CUcontext *ret_context))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS)
		*ret_context = s->context;
	return r;
}

ENTRY(cuStreamQuery, (CUstream handle))
{
	CUstream s = NULL;
	CUresult r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS)
		r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	return busy_until(s) > now_ns() ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

/* Capture. */

/*
 * While any thread captures in global mode, calls that could wait or allocate are refused to
 * every thread that has not relaxed its own mode, and the capture is lost.
 */
CUresult capture_forbids(void)
{
	if (!atomic_load_explicit(&global_captures, memory_order_relaxed) ||
	    thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED)
		return CUDA_SUCCESS;
	stat_add(FAKE_STAT_unsafe_in_capture, 1);
	driver_lock();
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
		if (captures[i] && captures[i]->mode == CU_STREAM_CAPTURE_MODE_GLOBAL)
			captures[i]->invalid = true;
	}
	driver_unlock();
	return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

ENTRY(cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode * mode))
{
	const CUstreamCaptureMode old = thread_mode;
	thread_mode = *mode;
	*mode = old;
	return CUDA_SUCCESS;
}

static CUresult capture_begin(CUstream handle, CUgraph graph, CUstreamCaptureMode mode)
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	if (s == s->context->legacy || s->capture)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	struct fake_capture *c = calloc(1, sizeof(*c));
	*c = (struct fake_capture){ .id = next_id(),
				    .graph = graph ? graph : graph_new(),
				    .own_graph = !graph,
				    .origin = s,
				    .mode = mode,
				    .owner = pthread_self() };
	s->capture = c;
	s->tail = NULL;
	driver_lock();
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
		if (!captures[i]) {
			captures[i] = c;
			break;
		}
	}
	driver_unlock();
	if (mode == CU_STREAM_CAPTURE_MODE_GLOBAL)
		atomic_fetch_add(&global_captures, 1);
	return CUDA_SUCCESS;
}

CUresult do_cuStreamBeginCapture(CUstream s)
{
	return capture_begin(s, NULL, CU_STREAM_CAPTURE_MODE_GLOBAL);
}

CUresult do_cuStreamBeginCapture_v2(CUstream s, CUstreamCaptureMode mode)
{
	return capture_begin(s, NULL, mode);
}

CUresult do_cuStreamBeginCaptureToGraph(CUstream s, CUgraph graph, const CUgraphNode *deps,
					const CUgraphEdgeData *data, size_t n,
					CUstreamCaptureMode mode)
{
	(void)deps, (void)data, (void)n;
	if (!object_is(graph, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	return capture_begin(s, graph, mode);
}

/* Takes the capture off every stream that joined it. */
static void capture_detach(struct fake_capture *c)
{
	driver_lock();
	for (CUstream s = c->origin->context->streams; s; s = s->next) {
		if (s->capture == c) {
			s->capture = NULL;
			s->tail = NULL;
		}
	}
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
		if (captures[i] == c)
			captures[i] = NULL;
	}
	driver_unlock();
	if (c->mode == CU_STREAM_CAPTURE_MODE_GLOBAL)
		atomic_fetch_sub(&global_captures, 1);
}

CUresult do_cuStreamEndCapture(CUstream handle, CUgraph *ret_graph)
{
	CUstream s = NULL;
	CUresult r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	struct fake_capture *c = s->capture;
	if (!c || c->origin != s)
		return CUDA_ERROR_ILLEGAL_STATE;
	capture_detach(c);
	r = c->invalid ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_SUCCESS;
	*ret_graph = c->invalid ? NULL : c->graph;
	if (c->invalid && c->own_graph)
		graph_drop(c->graph);
	free(c);
	return r;
}

static CUstreamCaptureStatus capture_status(CUstream s)
{
	if (!s->capture)
		return CU_STREAM_CAPTURE_STATUS_NONE;
	return s->capture->invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
				   : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

ENTRY(cuStreamIsCapturing, (CUstream handle, CUstreamCaptureStatus *status))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS)
		*status = capture_status(s);
	return r;
}

ENTRY(cuStreamGetCaptureInfo_v3,
      (CUstream handle, CUstreamCaptureStatus *status, cuuint64_t *id, CUgraph *graph,
       const CUgraphNode **deps, const CUgraphEdgeData **edges, size_t *nr_deps))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	*status = capture_status(s);
	if (*status != CU_STREAM_CAPTURE_STATUS_ACTIVE)
		return CUDA_SUCCESS;
	if (id)
		*id = s->capture->id;
	if (graph)
		*graph = s->capture->graph;
	if (deps)
		*deps = &s->tail;
	if (edges)
		*edges = NULL;
	if (nr_deps)
		*nr_deps = s->tail != NULL;
	return CUDA_SUCCESS;
}

ENTRY(cuStreamGetCaptureInfo_v2, (CUstream handle, CUstreamCaptureStatus *status, cuuint64_t *id,
				  CUgraph *graph, const CUgraphNode **deps, size_t *nr_deps))
{
	return cuStreamGetCaptureInfo_v3(handle, status, id, graph, deps, NULL, nr_deps);
}

ENTRY(cuStreamGetCaptureInfo, (CUstream handle, CUstreamCaptureStatus *status, cuuint64_t *id))
{
	return cuStreamGetCaptureInfo_v3(handle, status, id, NULL, NULL, NULL, NULL);
}

/* Events. */

ENTRY(cuEventCreate, (CUevent * ret_event, unsigned int flags))
{
	(void)flags;
	if (!context_current())
		return CUDA_ERROR_INVALID_CONTEXT;
	*ret_event = object_new(FAKE_EVENT, sizeof(**ret_event));
	return CUDA_SUCCESS;
}

ENTRY(cuEventDestroy_v2, (CUevent e))
{
	if (!object_is(e, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	object_free(FAKE_EVENT, e);
	return CUDA_SUCCESS;
}

ENTRY(cuEventRecord, (CUevent e, CUstream handle))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	if (!object_is(e, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	e->capture = s->capture;
	e->node = s->tail;
	e->at_ns = busy_until(s);
	return CUDA_SUCCESS;
}

/* Waiting for an event of a capturing stream draws the waiting stream into the capture. */
ENTRY(cuStreamWaitEvent, (CUstream handle, CUevent e, unsigned int flags))
{
	CUstream s = NULL;
	const CUresult r = stream_find(handle, &s);
	(void)flags;
	if (r != CUDA_SUCCESS)
		return r;
	if (!object_is(e, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	if (e->capture) {
		s->capture = e->capture;
		s->tail = e->node;
		return CUDA_SUCCESS;
	}
	pthread_mutex_lock(&s->lock);
	if (s->busy_until_ns < e->at_ns)
		s->busy_until_ns = e->at_ns;
	pthread_mutex_unlock(&s->lock);
	return CUDA_SUCCESS;
}

ENTRY(cuEventQuery, (CUevent e))
{
	if (!object_is(e, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	if (e->capture) {
		e->capture->invalid = true;
		stat_add(FAKE_STAT_unsafe_in_capture, 1);
		return CUDA_ERROR_CAPTURED_EVENT;
	}
	const CUresult r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	return e->at_ns > now_ns() ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

CUresult do_cuEventSynchronize(CUevent e)
{
	if (!object_is(e, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	const CUresult r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	stat_add(FAKE_STAT_syncs, 1);
	sleep_until(e->at_ns);
	return CUDA_SUCCESS;
}

ENTRY(cuEventElapsedTime, (float *ms, CUevent begin, CUevent end))
{
	if (!object_is(begin, FAKE_EVENT) || !object_is(end, FAKE_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	*ms = (float)((double)(end->at_ns - begin->at_ns) / 1e6);
	return CUDA_SUCCESS;
}

/* Memory: the host's. */

static struct {
	CUdeviceptr begin, end;
} allocations[4096];
static _Atomic unsigned int nr_allocations;

/* What was freed is still known: no program here asks. */
static void allocation_add(CUdeviceptr begin, size_t bytes)
{
	const unsigned int i = atomic_fetch_add(&nr_allocations, 1) % 4096;
	allocations[i].begin = begin;
	allocations[i].end = begin + bytes;
}

static bool allocation_has(CUdeviceptr pointer)
{
	for (unsigned int i = 0; i < nr_allocations && i < 4096; i++) {
		if (pointer >= allocations[i].begin && pointer < allocations[i].end)
			return true;
	}
	return false;
}

ENTRY(cuMemAlloc_v2, (CUdeviceptr * ret_pointer, size_t bytes))
{
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS && !bytes)
		r = CUDA_ERROR_INVALID_VALUE;
	if (r == CUDA_SUCCESS)
		r = capture_forbids();
	if (r == CUDA_SUCCESS) {
		*ret_pointer = (CUdeviceptr)(uintptr_t)malloc(bytes);
		allocation_add(*ret_pointer, bytes);
	}
	return r;
}

ENTRY(cuPointerGetAttribute, (void *value, CUpointer_attribute attribute, CUdeviceptr pointer))
{
	if (attribute != CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
		return CUDA_ERROR_NOT_SUPPORTED;
	if (!allocation_has(pointer))
		return CUDA_ERROR_INVALID_VALUE;
	*(unsigned int *)value = CU_MEMORYTYPE_DEVICE;
	return CUDA_SUCCESS;
}

ENTRY(cuMemFree_v2, (CUdeviceptr pointer))
{
	const CUresult r = capture_forbids();
	if (r == CUDA_SUCCESS)
		free((void *)(uintptr_t)pointer);
	return r;
}

/* The copies that programs check: the bytes arrive.  At once, which no program may notice. */

static CUresult copy(void *to, const void *from, size_t n, CUstream handle, uint8_t kind)
{
	struct fake_work work = { .kind = FAKE_WORK_COPY, .bytes = n, .copy_kind = kind };
	CUstream s = NULL;
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS)
		r = stream_find(handle, &s);
	if (r != CUDA_SUCCESS)
		return r;
	if (!to || !from)
		return CUDA_ERROR_INVALID_VALUE;
	if (!s->capture) {
		memcpy(to, from, n);
		stat_add(FAKE_STAT_copies, 1);
	}
	return stream_run(s, &work);
}

static void *host(CUdeviceptr p)
{
	return (void *)(uintptr_t)p;
}

CUresult do_cuMemcpyHtoD_v2(CUdeviceptr d, const void *s, size_t n)
{
	return copy(host(d), s, n, NULL, 1);
}

CUresult do_cuMemcpyDtoH_v2(void *d, CUdeviceptr s, size_t n)
{
	return copy(d, host(s), n, NULL, 2);
}

CUresult do_cuMemcpyDtoD_v2(CUdeviceptr d, CUdeviceptr s, size_t n)
{
	return copy(host(d), host(s), n, NULL, 8);
}

CUresult do_cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void *s, size_t n, CUstream st)
{
	return copy(host(d), s, n, st, 1);
}

CUresult do_cuMemcpyDtoHAsync_v2(void *d, CUdeviceptr s, size_t n, CUstream st)
{
	return copy(d, host(s), n, st, 2);
}

CUresult do_cuMemcpyDtoDAsync_v2(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream st)
{
	return copy(host(d), host(s), n, st, 8);
}
