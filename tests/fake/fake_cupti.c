/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_cupti.c - a stand-in for libcupti.so.13, fed by the stand-in driver.
 *
 * It keeps the habits of the real one that a tracer must live with: one subscriber; callbacks on
 * the thread that calls the driver; buffers asked for inside a launch; records that come late,
 * from another thread, out of order between streams, and not at all if nobody flushes; a lock that
 * is held while it asks for a buffer.
 *
 * FAKE_CUPTI_REFUSE=1    another tool has it: subscribing and enabling fail
 * FAKE_CUPTI_DROP=N      every Nth record is dropped, and counted by GetNumDroppedRecords
 * FAKE_CUPTI_ZERO=N      every Nth record has no times
 * FAKE_CUPTI_VERSION=N   below 130000: records as CUPTI 12 has them
 */
#include <cupti.h>
#include <cupti_activity_deprecated.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fake/fake.h"

#define API FAKE_EXPORT CUptiResult

/* No client looks at every argument; neither do we. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define NR_CBIDS 1024

struct CUpti_Subscriber_st {
	CUpti_CallbackFunc callback;
	void *data;
	char name[64];
};

/* Finished or running work of one stream, oldest first. */
struct queue {
	uint32_t stream;
	struct fake_work *work;
	size_t nr, capacity;
	struct queue *next;
};

static struct CUpti_Subscriber_st only;
static _Atomic(struct CUpti_Subscriber_st *) subscriber;
static _Atomic uint8_t callback_is_on[CUPTI_CB_DOMAIN_SIZE][NR_CBIDS];
static _Atomic bool domain_is_dead[CUPTI_CB_DOMAIN_SIZE];
static _Atomic uint8_t kind_is_on[CUPTI_ACTIVITY_KIND_COUNT];
static _Atomic uint32_t correlations;
static _Atomic uint64_t nr_records;
static CUpti_BuffersCallbackRequestFunc request;
static CUpti_BuffersCallbackCompleteFunc complete;
static CUpti_TimestampCallbackFunc client_clock;
static void (*driver_count)(enum fake_stat, uint64_t);

/* Lock order: delivery, buffer, queue.  The client's request runs under `buffer`, as in CUPTI. */
static pthread_mutex_t delivery_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t buffer_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *spare; /* asked for, not yet filled */
static size_t spare_bytes;
static struct queue *queues; /* newest stream first: that mixes the order of records */
static size_t nr_dropped;
static pid_t owner;
static bool has_worker;
static bool is_served; /* by the driver */
static _Atomic uint32_t period_ms;

static uint64_t knob(const char *name)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : 0;
}

/* other/libcupti.so.12 is a second copy: the driver serves the first that comes. */
#ifdef FAKE_CUPTI_12
#define BUILT_VERSION 26
#else
#define BUILT_VERSION CUPTI_API_VERSION
#endif

static uint32_t version(void)
{
	const uint64_t v = knob("FAKE_CUPTI_VERSION");
	return v ? (uint32_t)v : BUILT_VERSION;
}

static void count(enum fake_stat stat, uint64_t n)
{
	if (driver_count)
		driver_count(stat, n);
}

/* A child of fork must leave CUPTI alone. */
static void note_use(void)
{
	if (owner && owner != getpid())
		count(FAKE_STAT_cupti_used_in_child, 1);
}

/* Clocks. */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* CUPTI turns device time into the client's clock afterwards: so do we, from CLOCK_MONOTONIC. */
struct timebase {
	uint64_t monotonic, client;
};

static struct timebase first_look;

static struct timebase timebase_now(void)
{
	return (struct timebase){ .monotonic = clock_ns(CLOCK_MONOTONIC),
				  .client = client_clock ? client_clock()
							 : clock_ns(CLOCK_REALTIME) };
}

static uint64_t client_time(const struct timebase *base, uint64_t monotonic)
{
	const double away = (double)(int64_t)(monotonic - base->monotonic);
	const double host = (double)(int64_t)(base->monotonic - first_look.monotonic);
	const double client = (double)(int64_t)(base->client - first_look.client);
	double rate = host > 1e6 ? client / host : 1;
	if (rate > 0.95 && rate < 1.05)
		rate = 1; /* both count nanoseconds; the rest is noise of reading them */
	return base->client + (uint64_t)(int64_t)(away * rate);
}

/* Records. */

static bool is_wanted(const struct fake_work *w)
{
	switch (w->kind) {
	case FAKE_WORK_KERNEL:
		return kind_is_on[CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL] ||
		       kind_is_on[CUPTI_ACTIVITY_KIND_KERNEL];
	case FAKE_WORK_COPY:
		return kind_is_on[CUPTI_ACTIVITY_KIND_MEMCPY];
	case FAKE_WORK_FILL:
		return kind_is_on[CUPTI_ACTIVITY_KIND_MEMSET];
	case FAKE_WORK_CALL:
		return kind_is_on[CUPTI_ACTIVITY_KIND_DRIVER];
	case FAKE_WORK_EXTERNAL:
		return kind_is_on[CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION];
	default:
		return false;
	}
}

static size_t kernel_bytes(void)
{
	return version() < 130000 ? sizeof(CUpti_ActivityKernel9) : sizeof(CUpti_ActivityKernel10);
}

static size_t copy_bytes(void)
{
	return version() < 130000 ? sizeof(CUpti_ActivityMemcpy5) : sizeof(CUpti_ActivityMemcpy6);
}

static size_t put_kernel(void *to, const struct fake_work *w)
{
	const CUpti_ActivityKernel10 k = {
		.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
		.registersPerThread = (uint16_t)w->registers,
		.start = w->begin_ns,
		.end = w->end_ns,
		.completed = w->end_ns,
		.deviceId = w->device,
		.contextId = w->context_uid,
		.streamId = w->stream_id,
		.gridX = (int32_t)w->grid[0],
		.gridY = (int32_t)w->grid[1],
		.gridZ = (int32_t)w->grid[2],
		.blockX = (int32_t)w->block[0],
		.blockY = (int32_t)w->block[1],
		.blockZ = (int32_t)w->block[2],
		.staticSharedMemory = (int32_t)w->static_shared_bytes,
		.dynamicSharedMemory = (int32_t)w->shared_bytes,
		.correlationId = w->correlation,
		.gridId = (int64_t)w->correlation + 1,
		.name = w->name,
		.graphNodeId = w->node_id,
		.graphId = w->graph_id,
		.clusterX = w->cluster[0],
		.clusterY = w->cluster[1],
		.clusterZ = w->cluster[2],
	};
	_Static_assert(offsetof(CUpti_ActivityKernel9, maxActiveClusters) ==
			       offsetof(CUpti_ActivityKernel10, maxActiveClusters),
		       "the older record is the beginning of the newer one");
	memcpy(to, &k, kernel_bytes());
	return kernel_bytes();
}

static size_t put_copy(void *to, const struct fake_work *w)
{
	const CUpti_ActivityMemcpy6 c = {
		.kind = CUPTI_ACTIVITY_KIND_MEMCPY,
		.copyKind = w->copy_kind,
		.srcKind = w->copy_kind == CUPTI_ACTIVITY_MEMCPY_KIND_HTOD
				   ? CUPTI_ACTIVITY_MEMORY_KIND_PAGEABLE
				   : CUPTI_ACTIVITY_MEMORY_KIND_DEVICE,
		.dstKind = w->copy_kind == CUPTI_ACTIVITY_MEMCPY_KIND_DTOH
				   ? CUPTI_ACTIVITY_MEMORY_KIND_PAGEABLE
				   : CUPTI_ACTIVITY_MEMORY_KIND_DEVICE,
		.bytes = w->bytes,
		.start = w->begin_ns,
		.end = w->end_ns,
		.deviceId = w->device,
		.contextId = w->context_uid,
		.streamId = w->stream_id,
		.correlationId = w->correlation,
		.graphNodeId = w->node_id,
		.graphId = w->graph_id,
	};
	memcpy(to, &c, copy_bytes());
	return copy_bytes();
}

static size_t put_fill(void *to, const struct fake_work *w)
{
	const CUpti_ActivityMemset4 m = {
		.kind = CUPTI_ACTIVITY_KIND_MEMSET,
		.bytes = w->bytes,
		.start = w->begin_ns,
		.end = w->end_ns,
		.deviceId = w->device,
		.contextId = w->context_uid,
		.streamId = w->stream_id,
		.correlationId = w->correlation,
		.memoryKind = CUPTI_ACTIVITY_MEMORY_KIND_DEVICE,
		.graphNodeId = w->node_id,
		.graphId = w->graph_id,
	};
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t put_call(void *to, const struct fake_work *w)
{
	const CUpti_ActivityAPI a = {
		.kind = CUPTI_ACTIVITY_KIND_DRIVER,
		.cbid = (CUpti_CallbackId)w->bytes,
		.start = w->begin_ns,
		.end = w->end_ns,
		.correlationId = w->correlation,
	};
	memcpy(to, &a, sizeof(a));
	return sizeof(a);
}

static size_t put_external(void *to, const struct fake_work *w)
{
	const CUpti_ActivityExternalCorrelation e = {
		.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
		.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0,
		.externalId = w->bytes,
		.correlationId = w->correlation,
	};
	memcpy(to, &e, sizeof(e));
	return sizeof(e);
}

static size_t record_bytes(CUpti_ActivityKind kind)
{
	switch (kind) {
	case CUPTI_ACTIVITY_KIND_DRIVER:
		return sizeof(CUpti_ActivityAPI);
	case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
		return sizeof(CUpti_ActivityExternalCorrelation);
	case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
		return kernel_bytes();
	case CUPTI_ACTIVITY_KIND_MEMCPY:
		return copy_bytes();
	case CUPTI_ACTIVITY_KIND_MEMSET:
		return sizeof(CUpti_ActivityMemset4);
	default:
		return 0;
	}
}

static size_t put_record(uint8_t *to, struct fake_work w, const struct timebase *base)
{
	const uint64_t zero = knob("FAKE_CUPTI_ZERO");
	const bool incomplete = w.end_ns > base->monotonic;
	const uint64_t nr = atomic_fetch_add(&nr_records, 1) + 1;
	count(FAKE_STAT_cupti_records, 1);
	if (incomplete)
		count(FAKE_STAT_cupti_incomplete, 1);
	else if (zero && nr % zero == 0)
		count(FAKE_STAT_cupti_zeroed, 1);
	if (incomplete || (zero && nr % zero == 0)) {
		w.begin_ns = w.end_ns = 0;
	} else {
		w.begin_ns = client_time(base, w.begin_ns);
		w.end_ns = client_time(base, w.end_ns);
	}
	switch (w.kind) {
	case FAKE_WORK_KERNEL:
		return put_kernel(to, &w);
	case FAKE_WORK_COPY:
		return put_copy(to, &w);
	case FAKE_WORK_CALL:
		return put_call(to, &w);
	case FAKE_WORK_EXTERNAL:
		return put_external(to, &w);
	default:
		return put_fill(to, &w);
	}
}

/* Queues. */

static struct queue *queue_of(uint32_t stream)
{
	struct queue *q = queues;
	while (q && q->stream != stream)
		q = q->next;
	if (q)
		return q;
	q = calloc(1, sizeof(*q));
	q->stream = stream;
	q->next = queues;
	queues = q;
	return q;
}

/* Under buffer_lock. */
static bool buffer_ready(void)
{
	size_t max_records = 0;
	if (!spare && request)
		request(&spare, &spare_bytes, &max_records);
	return spare && spare_bytes >= sizeof(CUpti_ActivityKernel10);
}

/* A launch has happened: called on the application's thread. */
static void ran(const struct fake_work *w)
{
	const uint64_t drop = knob("FAKE_CUPTI_DROP");
	static _Atomic uint64_t seen;
	if (!is_wanted(w) || owner != getpid())
		return;
	const bool unlucky = drop && (atomic_fetch_add(&seen, 1) + 1) % drop == 0;
	pthread_mutex_lock(&buffer_lock);
	const bool has_room = !unlucky && buffer_ready();
	nr_dropped += !has_room;
	pthread_mutex_unlock(&buffer_lock);
	if (!has_room) {
		count(FAKE_STAT_cupti_dropped, 1);
		return;
	}
	pthread_mutex_lock(&queue_lock);
	struct queue *q = queue_of(w->stream_id);
	if (q->nr == q->capacity) {
		q->capacity = q->capacity ? 2 * q->capacity : 1024;
		q->work = realloc(q->work, q->capacity * sizeof(*q->work));
	}
	q->work[q->nr++] = *w;
	pthread_mutex_unlock(&queue_lock);
}

enum delivery {
	DELIVER_FULL,  /* only if it fills the buffer */
	DELIVER_READY, /* what is finished; the last one of a stream may stay behind */
	DELIVER_ALL,   /* everything, finished or not */
};

static size_t queue_ready(const struct queue *q, enum delivery how, uint64_t now)
{
	size_t n = 0;
	if (how == DELIVER_ALL)
		return q->nr;
	while (n < q->nr && q->work[n].end_ns <= now)
		n++;
	return n && n == q->nr ? n - 1 : n;
}

/* Takes up to `max` pieces of work off the queues. */
static size_t collect(struct fake_work *to, size_t max, enum delivery how, uint64_t now)
{
	size_t nr = 0;
	pthread_mutex_lock(&queue_lock);
	if (how == DELIVER_FULL) {
		size_t ready = 0;
		for (struct queue *q = queues; q; q = q->next)
			ready += queue_ready(q, how, now);
		if (ready < max)
			max = 0;
	}
	for (struct queue *q = queues; q && nr < max; q = q->next) {
		size_t n = queue_ready(q, how, now);
		n = n < max - nr ? n : max - nr;
		if (!n)
			continue;
		memcpy(to + nr, q->work, n * sizeof(*to));
		memmove(q->work, q->work + n, (q->nr - n) * sizeof(*to));
		q->nr -= n;
		nr += n;
	}
	pthread_mutex_unlock(&queue_lock);
	return nr;
}

/* Fills one buffer and hands it over.  false: that was all. */
static bool deliver_one(enum delivery how)
{
	pthread_mutex_lock(&buffer_lock);
	uint8_t *buffer = buffer_ready() ? spare : NULL;
	const size_t bytes = spare_bytes;
	if (buffer)
		spare = NULL;
	pthread_mutex_unlock(&buffer_lock);
	if (!buffer)
		return false;
	const size_t max = bytes / sizeof(CUpti_ActivityKernel10);
	const struct timebase base = timebase_now();
	struct fake_work *work = malloc(max * sizeof(*work));
	const size_t nr = collect(work, max, how, base.monotonic);
	size_t used = 0;
	for (size_t i = 0; i < nr; i++)
		used += put_record(buffer + used, work[i], &base);
	free(work);
	if (nr) {
		complete(NULL, 0, buffer, bytes, used);
		return nr == max;
	}
	pthread_mutex_lock(&buffer_lock);
	const bool keep = !spare;
	if (keep) {
		spare = buffer;
		spare_bytes = bytes;
	}
	pthread_mutex_unlock(&buffer_lock);
	if (!keep)
		complete(NULL, 0, buffer, bytes, 0);
	return false;
}

static void deliver(enum delivery how)
{
	if (!request || !complete)
		return;
	pthread_mutex_lock(&delivery_lock);
	while (deliver_one(how))
		;
	pthread_mutex_unlock(&delivery_lock);
}

static void *worker(void *unused)
{
	for (;;) {
		const uint32_t ms = period_ms ? period_ms : 20;
		usleep(ms * 1000);
		deliver(DELIVER_FULL);
	}
	return unused;
}

static void worker_start(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	pthread_mutex_lock(&lock);
	if (!has_worker && pthread_create(&thread, NULL, worker, NULL) == 0)
		has_worker = true;
	pthread_mutex_unlock(&lock);
}

/* Callbacks. */

static void call_back(CUpti_CallbackDomain domain, uint32_t cbid, const void *data)
{
	struct CUpti_Subscriber_st *s = atomic_load(&subscriber);
	if (s && cbid < NR_CBIDS && !domain_is_dead[domain] && callback_is_on[domain][cbid])
		s->callback(s->data, domain, cbid, data);
}

static void call_site(struct fake_call *call, CUpti_ApiCallbackSite site)
{
	const CUpti_CallbackData data = {
		.callbackSite = site,
		.functionName = call->name,
		.functionReturnValue = site == CUPTI_API_EXIT ? &call->result : NULL,
		.symbolName = call->symbol,
		.context = call->context,
		.contextUid = call->context_uid,
		.correlationData = &call->observer_data,
		.correlationId = call->correlation,
	};
	call_back(CUPTI_CB_DOMAIN_DRIVER_API, call->cbid, &data);
}

static __thread uint64_t external[8]; /* pushed by this thread */
static __thread uint32_t nr_external;
static __thread uint64_t entered_ns;

static void enter(struct fake_call *call)
{
	call->correlation = atomic_fetch_add(&correlations, 1) + 1;
	entered_ns = clock_ns(CLOCK_MONOTONIC);
	call_site(call, CUPTI_API_ENTER);
}

/* The record of a call comes behind the external number that it was made under. */
static void write_call(const struct fake_call *call)
{
	const struct fake_work w = { .kind = FAKE_WORK_CALL,
				     .bytes = call->cbid,
				     .correlation = call->correlation,
				     .begin_ns = entered_ns,
				     .end_ns = clock_ns(CLOCK_MONOTONIC) };
	struct fake_work e = w;
	if (!is_wanted(&w))
		return;
	e.kind = FAKE_WORK_EXTERNAL;
	e.bytes = nr_external ? external[(nr_external - 1) % 8] : 0;
	if (nr_external)
		ran(&e);
	ran(&w);
}

static void leave(struct fake_call *call)
{
	/* The observer came while this call was under way: it has no beginning, so no end. */
	if (call->correlation) {
		call_site(call, CUPTI_API_EXIT);
		write_call(call);
	}
}

static void resource(const struct fake_event *e)
{
	CUpti_GraphData graph = {
		.graph = e->graph,
		.originalGraph = e->original_graph,
		.node = e->node,
		.originalNode = e->original_node,
		.nodeType = e->node_type,
		.graphExec = e->exec,
	};
	CUpti_ModuleResourceData module = { .moduleId = e->module_id };
	CUpti_ResourceData data = { .context = e->context, .resourceHandle.stream = e->stream };
	if (e->module_id)
		data.resourceDescriptor = &module;
	else if (e->graph || e->exec)
		data.resourceDescriptor = &graph;
	call_back(CUPTI_CB_DOMAIN_RESOURCE, e->cbid, &data);
}

static const struct fake_observer observer = {
	.enter = enter, .leave = leave, .resource = resource, .ran = ran
};

static void attach(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (owner || !driver)
		return;
	bool (*observe)(const struct fake_observer *) =
		(bool (*)(const struct fake_observer *))dlsym(driver, "fake_cuda_observe");
	driver_count = (void (*)(enum fake_stat, uint64_t))dlsym(driver, "fake_cuda_count");
	owner = getpid();
	is_served = observe && observe(&observer);
}

/* The interface. */

API cuptiGetVersion(uint32_t *ret_version)
{
	*ret_version = version();
	return CUPTI_SUCCESS;
}

API cuptiGetResultString(CUptiResult result, const char **text)
{
	switch (result) {
	case CUPTI_SUCCESS:
		*text = "CUPTI_SUCCESS";
		break;
	case CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED:
		*text = "CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED";
		break;
	case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
		*text = "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES";
		break;
	default:
		*text = "CUPTI_ERROR_UNKNOWN";
	}
	return CUPTI_SUCCESS;
}

API cuptiGetErrorMessage(CUptiResult result, const char **text)
{
	return cuptiGetResultString(result, text);
}

static CUptiResult subscribe(CUpti_SubscriberHandle *handle, CUpti_CallbackFunc callback,
			     void *data, CUpti_SubscriberParams *params)
{
	const bool refused = knob("FAKE_CUPTI_REFUSE") != 0;
	note_use();
	if (!handle || !callback)
		return CUPTI_ERROR_INVALID_PARAMETER;
	attach();
	if (refused || atomic_load(&subscriber) || !is_served) {
		if (params && params->oldSubscriberName)
			strncpy(params->oldSubscriberName, refused ? "another profiler" : only.name,
				params->oldSubscriberSize);
		return CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
	}
	only = (struct CUpti_Subscriber_st){ .callback = callback, .data = data };
	strcpy(only.name, "CUPTI for ");
	strncat(only.name, params && params->subscriberName ? params->subscriberName : "somebody",
		CUPTI_SUBSCRIBER_NAME_MAX_LEN);
	atomic_store(&subscriber, &only);
	*handle = &only;
	count(FAKE_STAT_cupti_subscribed, 1);
	return CUPTI_SUCCESS;
}

API cuptiSubscribe(CUpti_SubscriberHandle *handle, CUpti_CallbackFunc callback, void *data)
{
	return subscribe(handle, callback, data, NULL);
}

API cuptiSubscribe_v2(CUpti_SubscriberHandle *handle, CUpti_CallbackFunc callback, void *data,
		      CUpti_SubscriberParams *params)
{
	if (params && params->structSize != CUpti_SubscriberParams_STRUCT_SIZE)
		return CUPTI_ERROR_INVALID_PARAMETER;
	return subscribe(handle, callback, data, params);
}

static CUptiResult subscriber_check(CUpti_SubscriberHandle handle)
{
	note_use();
	return handle && handle == atomic_load(&subscriber) ? CUPTI_SUCCESS
							    : CUPTI_ERROR_INVALID_PARAMETER;
}

API cuptiUnsubscribe(CUpti_SubscriberHandle handle)
{
	const CUptiResult r = subscriber_check(handle);
	if (r == CUPTI_SUCCESS) {
		atomic_store(&subscriber, NULL);
		for (size_t d = 0; d < CUPTI_CB_DOMAIN_SIZE; d++) {
			for (size_t c = 0; c < NR_CBIDS; c++)
				callback_is_on[d][c] = 0;
		}
	}
	return r;
}

API cuptiEnableCallback(uint32_t enable, CUpti_SubscriberHandle handle, CUpti_CallbackDomain domain,
			CUpti_CallbackId cbid)
{
	const CUptiResult r = subscriber_check(handle);
	if (domain <= CUPTI_CB_DOMAIN_INVALID || domain >= CUPTI_CB_DOMAIN_SIZE || cbid >= NR_CBIDS)
		return CUPTI_ERROR_INVALID_PARAMETER;
	if (r != CUPTI_SUCCESS)
		return r;
	/* Seen of 13.0: number 0 does nothing, but switching it off ends the whole domain. */
	domain_is_dead[domain] |= !cbid && callback_is_on[domain][0] && !enable;
	callback_is_on[domain][cbid] = enable != 0;
	return r;
}

API cuptiEnableDomain(uint32_t enable, CUpti_SubscriberHandle handle, CUpti_CallbackDomain domain)
{
	CUptiResult r = subscriber_check(handle);
	for (CUpti_CallbackId c = 1; c < NR_CBIDS && r == CUPTI_SUCCESS; c++)
		r = cuptiEnableCallback(enable, handle, domain, c);
	return r;
}

API cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc ask,
				   CUpti_BuffersCallbackCompleteFunc done)
{
	note_use();
	if (!ask || !done)
		return CUPTI_ERROR_INVALID_PARAMETER;
	attach();
	request = ask;
	complete = done;
	worker_start();
	return CUPTI_SUCCESS;
}

API cuptiActivityRegisterTimestampCallback(CUpti_TimestampCallbackFunc clock)
{
	note_use();
	for (size_t k = 0; k < CUPTI_ACTIVITY_KIND_COUNT; k++) {
		if (kind_is_on[k])
			return CUPTI_ERROR_INVALID_OPERATION; /* too late */
	}
	client_clock = clock;
	first_look = timebase_now();
	return CUPTI_SUCCESS;
}

API cuptiActivityEnable(CUpti_ActivityKind kind)
{
	note_use();
	if (knob("FAKE_CUPTI_REFUSE"))
		return CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
	if (kind <= CUPTI_ACTIVITY_KIND_INVALID || kind >= CUPTI_ACTIVITY_KIND_COUNT)
		return CUPTI_ERROR_INVALID_KIND;
	attach();
	if (!first_look.monotonic)
		first_look = timebase_now();
	kind_is_on[kind] = 1;
	return CUPTI_SUCCESS;
}

API cuptiActivityDisable(CUpti_ActivityKind kind)
{
	note_use();
	kind_is_on[kind] = 0;
	return CUPTI_SUCCESS;
}

API cuptiActivityFlushAll(uint32_t flag)
{
	note_use();
	if (!request)
		return CUPTI_ERROR_INVALID_OPERATION;
	deliver(flag & CUPTI_ACTIVITY_FLAG_FLUSH_FORCED ? DELIVER_ALL : DELIVER_READY);
	return CUPTI_SUCCESS;
}

API cuptiActivityFlushPeriod(uint32_t ms)
{
	note_use();
	period_ms = ms;
	return CUPTI_SUCCESS;
}

API cuptiActivityGetNextRecord(uint8_t *buffer, size_t valid_bytes, CUpti_Activity **record)
{
	size_t at = 0;
	if (!buffer || !record)
		return CUPTI_ERROR_INVALID_PARAMETER;
	if (*record) {
		at = (size_t)((uint8_t *)*record - buffer);
		at += record_bytes((*record)->kind);
	}
	if (at >= valid_bytes)
		return CUPTI_ERROR_MAX_LIMIT_REACHED;
	*record = (CUpti_Activity *)(void *)(buffer + at);
	return record_bytes((*record)->kind) ? CUPTI_SUCCESS : CUPTI_ERROR_INVALID_KIND;
}

/* Waits for the lock under which buffers are asked for: a client that holds its own hangs. */
API cuptiActivityGetNumDroppedRecords(CUcontext context, uint32_t stream, size_t *dropped)
{
	note_use();
	pthread_mutex_lock(&buffer_lock);
	*dropped = nr_dropped;
	nr_dropped = 0;
	pthread_mutex_unlock(&buffer_lock);
	return CUPTI_SUCCESS;
}

API cuptiActivitySetAttribute(CUpti_ActivityAttribute attribute, size_t *size, void *value)
{
	note_use();
	return size && value ? CUPTI_SUCCESS : CUPTI_ERROR_INVALID_PARAMETER;
}

API cuptiActivityGetAttribute(CUpti_ActivityAttribute attribute, size_t *size, void *value)
{
	if (!size || !value)
		return CUPTI_ERROR_INVALID_PARAMETER;
	memset(value, 0, *size);
	return CUPTI_SUCCESS;
}

API cuptiGetTimestamp(uint64_t *timestamp)
{
	*timestamp = timebase_now().client;
	return CUPTI_SUCCESS;
}

API cuptiGetContextId(CUcontext context, uint32_t *id)
{
	if (!context || context->magic != FAKE_CONTEXT)
		return CUPTI_ERROR_INVALID_CONTEXT;
	*id = context->uid;
	return CUPTI_SUCCESS;
}

API cuptiGetDeviceId(CUcontext context, uint32_t *id)
{
	if (!context || context->magic != FAKE_CONTEXT)
		return CUPTI_ERROR_INVALID_CONTEXT;
	*id = (uint32_t)context->device;
	return CUPTI_SUCCESS;
}

API cuptiGetStreamIdEx(CUcontext context, CUstream stream, uint8_t per_thread, uint32_t *id)
{
	if (!stream && context)
		stream = context->legacy;
	if (!stream || stream->magic != FAKE_STREAM)
		return CUPTI_ERROR_INVALID_STREAM;
	*id = stream->id;
	return CUPTI_SUCCESS;
}

API cuptiGetStreamId(CUcontext context, CUstream stream, uint32_t *id)
{
	return cuptiGetStreamIdEx(context, stream, 0, id);
}

API cuptiGetGraphNodeId(CUgraphNode node, uint64_t *id)
{
	if (!node || node->magic != FAKE_NODE)
		return CUPTI_ERROR_INVALID_PARAMETER;
	*id = node->id;
	return CUPTI_SUCCESS;
}

API cuptiGetGraphId(CUgraph graph, uint32_t *id)
{
	if (!graph || graph->magic != FAKE_GRAPH)
		return CUPTI_ERROR_INVALID_PARAMETER;
	*id = graph->id;
	return CUPTI_SUCCESS;
}

API cuptiGetGraphExecId(CUgraphExec exec, uint32_t *id)
{
	if (!exec || exec->magic != FAKE_EXEC)
		return CUPTI_ERROR_INVALID_PARAMETER;
	*id = exec->id;
	return CUPTI_SUCCESS;
}

static CUpti_ActivityThreadIdType thread_id_type = CUPTI_ACTIVITY_THREAD_ID_TYPE_DEFAULT;

API cuptiSetThreadIdType(CUpti_ActivityThreadIdType type)
{
	thread_id_type = type;
	return CUPTI_SUCCESS;
}

API cuptiGetThreadIdType(CUpti_ActivityThreadIdType *type)
{
	*type = thread_id_type;
	return CUPTI_SUCCESS;
}

API cuptiActivityEnableLatencyTimestamps(uint8_t enable)
{
	return CUPTI_SUCCESS;
}

API cuptiEnableAllDomains(uint32_t enable, CUpti_SubscriberHandle handle)
{
	CUptiResult r = subscriber_check(handle);
	for (int d = CUPTI_CB_DOMAIN_INVALID + 1; d < CUPTI_CB_DOMAIN_SIZE && !r; d++)
		r = cuptiEnableDomain(enable, handle, (CUpti_CallbackDomain)d);
	return r;
}

API cuptiGetCallbackState(uint32_t *enable, CUpti_SubscriberHandle handle,
			  CUpti_CallbackDomain domain, CUpti_CallbackId cbid)
{
	const CUptiResult r = subscriber_check(handle);
	if (domain <= CUPTI_CB_DOMAIN_INVALID || domain >= CUPTI_CB_DOMAIN_SIZE || cbid >= NR_CBIDS)
		return CUPTI_ERROR_INVALID_PARAMETER;
	if (r == CUPTI_SUCCESS)
		*enable = callback_is_on[domain][cbid];
	return r;
}

API cuptiActivityEnableContext(CUcontext context, CUpti_ActivityKind kind)
{
	return cuptiActivityEnable(kind);
}

API cuptiActivityDisableContext(CUcontext context, CUpti_ActivityKind kind)
{
	return cuptiActivityDisable(kind);
}

API cuptiActivityEnableAndDump(CUpti_ActivityKind kind)
{
	return cuptiActivityEnable(kind);
}

API cuptiActivityPushExternalCorrelationId(CUpti_ExternalCorrelationKind kind, uint64_t id)
{
	external[nr_external++ % 8] = id;
	return CUPTI_SUCCESS;
}

API cuptiActivityPopExternalCorrelationId(CUpti_ExternalCorrelationKind kind, uint64_t *id)
{
	if (!nr_external)
		return CUPTI_ERROR_QUEUE_EMPTY;
	nr_external--;
	if (id)
		*id = external[nr_external % 8];
	return CUPTI_SUCCESS;
}

/* Not safe outside the exit of a call: a tracer that calls it is wrong. */
API cuptiFinalize(void)
{
	count(FAKE_STAT_cupti_finalized, 1);
	atomic_store(&subscriber, NULL);
	memset((void *)callback_is_on, 0, sizeof(callback_is_on));
	memset((void *)domain_is_dead, 0, sizeof(domain_is_dead));
	memset((void *)kind_is_on, 0, sizeof(kind_is_on));
	pthread_mutex_lock(&delivery_lock);
	request = NULL;
	complete = NULL;
	client_clock = NULL;
	first_look = (struct timebase){ 0 };
	spare = NULL;
	pthread_mutex_unlock(&delivery_lock);
	return CUPTI_SUCCESS;
}
