/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profiled.c - a program with a profiler of its own: STYLE [TIMES [THREADS [WAY]]].
 *
 * STYLE, as far as what it does to CUPTI is concerned, one of
 *   kineto   its own clock; kinds on, kinds off, flush
 *   proton   a subscriber to launches, and to number 0, which is none; flush, kinds off,
 *            unsubscribe, finalize
 *   jax      a subscriber to all of the driver, CUPTI's clock; off again, finalize
 *   early    kineto, from before cuInit
 *   unstopped  kineto that is never stopped
 *   atexit   kineto that is stopped by a handler of atexit
 *   refuses  kineto that has no memory for every second buffer
 *   tiny     kineto whose buffers hold three records
 *   backlog  kineto that starts and stops while the device is busy
 *   forks    kineto, with a child that uses none of it while it is on
 *   child    kineto in a child; its parent has only asked CUPTI for the time
 *   pair     proton in one libcupti while kineto runs in another
 *   threads  kineto that starts and stops while other threads launch
 * WAY: linked, or the path of a libcupti that is opened and asked by dlsym; for `pair` two paths
 * with a comma between.
 *
 * Prints for each profile what it has got: the output is the same with and without a tracer.
 */
#include "tests/programs/way/way.h"

#include <cupti.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAUNCHES 200u
#define COPIES   5u
#define BUFFER   (64u << 10)
#define SLACK    3000000u /* of times, in ticks: wrong ones are further off */

#define FUNCTIONS(F)                              \
	F(cuptiSubscribe)                         \
	F(cuptiUnsubscribe)                       \
	F(cuptiEnableCallback)                    \
	F(cuptiEnableDomain)                      \
	F(cuptiActivityRegisterCallbacks)         \
	F(cuptiActivityRegisterTimestampCallback) \
	F(cuptiActivityEnable)                    \
	F(cuptiActivityDisable)                   \
	F(cuptiActivityFlushAll)                  \
	F(cuptiActivityGetNextRecord)             \
	F(cuptiActivityGetNumDroppedRecords)      \
	F(cuptiActivityPushExternalCorrelationId) \
	F(cuptiActivityPopExternalCorrelationId)  \
	F(cuptiGetTimestamp)                      \
	F(cuptiFinalize)

struct functions {
#define F(name) __typeof__(&(name)) name;
	FUNCTIONS(F)
#undef F
};

/* Where there is no libcupti to be linked with. */
#define F(name) extern __typeof__(name) name __attribute__((weak));
FUNCTIONS(F)
#undef F

/* What one profiler has got. */
struct profile {
	struct functions cupti;
	_Atomic uint32_t kernels, copies, fills, calls, externals, enters, exits, wrong_times,
		grids;
	_Atomic uint32_t asked;
	uint64_t begin, end; /* by its clock */
	CUpti_SubscriberHandle subscriber;
};

static struct profile first, second;
static CUfunction kernel;
static CUdeviceptr memory;
static size_t buffer_bytes = BUFFER;
static bool refuses;

#define CUPTI(p, call)                                                             \
	do {                                                                       \
		const CUptiResult cupti_r = (p)->cupti.call;                       \
		if (cupti_r != CUPTI_SUCCESS)                                      \
			printf("%d: %s gave %d\n", __LINE__, #call, (int)cupti_r); \
	} while (0)

static void bind(struct profile *p, const char *way, size_t size)
{
	char path[4096];
	void *library;
	if (!strcmp(way, "linked")) {
#define F(name) p->cupti.name = name;
		FUNCTIONS(F)
#undef F
		return;
	}
	snprintf(path, sizeof(path), "%.*s", (int)size, way);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(4);
	}
#define F(name) p->cupti.name = (__typeof__(&(name)))dlsym(library, #name);
	FUNCTIONS(F)
#undef F
}

/* A clock that is nobody else's: three ticks a nanosecond. */
static uint64_t CUPTIAPI my_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 3 * ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec) + 1000000000000000u;
}

static void check_times(struct profile *p, uint64_t begin, uint64_t end)
{
	if (begin + SLACK < p->begin || end < begin || (p->end && end > p->end + SLACK))
		p->wrong_times++;
}

static void look_at(struct profile *p, const CUpti_Activity *record)
{
	const CUpti_ActivityKernel8 *k = (const void *)record;
	const CUpti_ActivityMemcpy5 *m = (const void *)record;
	const CUpti_ActivityMemset4 *f = (const void *)record;
	const CUpti_ActivityAPI *a = (const void *)record;
	switch (record->kind) {
	case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
		p->kernels++;
		p->grids += (uint32_t)k->gridX;
		check_times(p, k->start, k->end);
		break;
	case CUPTI_ACTIVITY_KIND_MEMCPY:
		p->copies++;
		check_times(p, m->start, m->end);
		break;
	case CUPTI_ACTIVITY_KIND_MEMSET:
		p->fills++;
		check_times(p, f->start, f->end);
		break;
	case CUPTI_ACTIVITY_KIND_DRIVER:
		p->calls += a->cbid == CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel;
		check_times(p, a->start, a->end);
		break;
	case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
		p->externals++;
		break;
	default:
		printf("a record of kind %d\n", (int)record->kind);
	}
}

static void requested(struct profile *p, uint8_t **buffer, size_t *size, size_t *max)
{
	const bool is_refused = refuses && p->asked++ % 2;
	*buffer = is_refused ? NULL : aligned_alloc(8, buffer_bytes);
	*size = is_refused ? 0 : buffer_bytes;
	*max = buffer_bytes == BUFFER ? 0 : 3;
}

static void completed(struct profile *p, uint8_t *buffer, size_t valid)
{
	CUpti_Activity *record = NULL;
	while (buffer &&
	       p->cupti.cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS)
		look_at(p, record);
	free(buffer);
}

static void CUPTIAPI first_requested(uint8_t **buffer, size_t *size, size_t *max)
{
	requested(&first, buffer, size, max);
}

static void CUPTIAPI first_completed(CUcontext c, uint32_t s, uint8_t *b, size_t size, size_t valid)
{
	(void)c, (void)s, (void)size;
	completed(&first, b, valid);
}

static void CUPTIAPI second_requested(uint8_t **buffer, size_t *size, size_t *max)
{
	requested(&second, buffer, size, max);
}

static void CUPTIAPI second_completed(CUcontext c, uint32_t s, uint8_t *b, size_t size,
				      size_t valid)
{
	(void)c, (void)s, (void)size;
	completed(&second, b, valid);
}

static void CUPTIAPI called(void *data, CUpti_CallbackDomain domain, CUpti_CallbackId id,
			    const void *info)
{
	const CUpti_CallbackData *call = info;
	struct profile *p = data;
	if (domain != CUPTI_CB_DOMAIN_DRIVER_API || id != CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel)
		return;
	if (call->callbackSite == CUPTI_API_ENTER)
		p->enters++;
	else
		p->exits++;
}

/* The work: so many kernels, copies and fills. */
static void work(unsigned int n)
{
	char host[64] = { 0 };
	for (unsigned int i = 1; i <= n; i++)
		CHECK(launch(kernel, i, 1, 1, NULL));
	for (unsigned int i = 0; i < COPIES && n; i++) {
		CHECK(cu.cuMemcpyHtoDAsync_v2(memory, host, sizeof(host), NULL));
		CHECK(cu.cuMemsetD8Async(memory, 0, sizeof(host), NULL));
	}
}

static void start_driver(void)
{
	CUmodule module = NULL;
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "profiled" PARAMETERS));
	kernel = kernel_named(module, "profiled");
	CHECK(cu.cuMemAlloc_v2(&memory, 4096));
}

static void say(const char *what, struct profile *p)
{
	size_t dropped = 0;
	CUPTI(p, cuptiActivityGetNumDroppedRecords(NULL, 0, &dropped));
	printf("%s: kernels %u grids %u copies %u fills %u calls %u externals %u enters %u exits "
	       "%u "
	       "wrong times %u dropped %zu\n",
	       what, p->kernels, p->grids, p->copies, p->fills, p->calls, p->externals, p->enters,
	       p->exits, p->wrong_times, dropped);
	fflush(stdout);
	p->kernels = p->grids = p->copies = p->fills = p->calls = p->externals = 0;
	p->enters = p->exits = p->wrong_times = 0;
	p->begin = p->end = 0;
}

static const CUpti_ActivityKind kinds[] = { CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET,
					    CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
					    CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
					    CUPTI_ACTIVITY_KIND_DRIVER };

static void kineto_start(struct profile *p)
{
	p->begin = my_clock();
	if (p == &first)
		CUPTI(p, cuptiActivityRegisterCallbacks(first_requested, first_completed));
	else
		CUPTI(p, cuptiActivityRegisterCallbacks(second_requested, second_completed));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		CUPTI(p, cuptiActivityEnable(kinds[i]));
	CUPTI(p,
	      cuptiActivityPushExternalCorrelationId(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, 7));
}

static void kineto_off(struct profile *p)
{
	uint64_t id;
	CUPTI(p,
	      cuptiActivityPopExternalCorrelationId(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &id));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		CUPTI(p, cuptiActivityDisable(kinds[i]));
}

static void kineto_stop(struct profile *p, const char *what)
{
	kineto_off(p);
	p->end = my_clock();
	CUPTI(p, cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
	say(what, p);
}

static void kineto(struct profile *p)
{
	kineto_start(p);
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	kineto_stop(p, "kineto");
}

static void backlog(struct profile *p)
{
	work(LAUNCHES);
	kineto_start(p);
	work(LAUNCHES / 2);
	kineto_off(p);
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	CUPTI(p, cuptiActivityFlushAll(0));
	CUPTI(p, cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
	say("backlog", p);
}

static void proton_start(struct profile *p)
{
	CUPTI(p, cuptiGetTimestamp(&p->begin));
	CUPTI(p, cuptiSubscribe(&p->subscriber, called, p));
	if (p == &first)
		CUPTI(p, cuptiActivityRegisterCallbacks(first_requested, first_completed));
	else
		CUPTI(p, cuptiActivityRegisterCallbacks(second_requested, second_completed));
	CUPTI(p, cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
	CUPTI(p, cuptiEnableCallback(1, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API,
				     CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel));
	CUPTI(p, cuptiEnableCallback(1, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API, 0));
}

static void proton_stop(struct profile *p)
{
	CUPTI(p, cuptiGetTimestamp(&p->end));
	CUPTI(p, cuptiActivityFlushAll(0));
	CUPTI(p, cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
	CUPTI(p, cuptiActivityDisable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
	CUPTI(p, cuptiEnableCallback(0, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API,
				     CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel));
	CUPTI(p, cuptiEnableCallback(0, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API, 0));
	CUPTI(p, cuptiUnsubscribe(p->subscriber));
	say("proton", p);
	CUPTI(p, cuptiFinalize());
}

static void proton(struct profile *p)
{
	proton_start(p);
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	proton_stop(p);
}

static void jax(struct profile *p)
{
	CUPTI(p, cuptiGetTimestamp(&p->begin));
	CUPTI(p, cuptiSubscribe(&p->subscriber, called, p));
	CUPTI(p, cuptiEnableDomain(1, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API));
	CUPTI(p, cuptiActivityRegisterCallbacks(first_requested, first_completed));
	CUPTI(p, cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
	CUPTI(p, cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMCPY));
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	CUPTI(p, cuptiGetTimestamp(&p->end));
	CUPTI(p, cuptiEnableDomain(0, p->subscriber, CUPTI_CB_DOMAIN_DRIVER_API));
	CUPTI(p, cuptiUnsubscribe(p->subscriber));
	CUPTI(p, cuptiActivityDisable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
	CUPTI(p, cuptiActivityDisable(CUPTI_ACTIVITY_KIND_MEMCPY));
	CUPTI(p, cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
	say("jax", p);
	CUPTI(p, cuptiFinalize());
}

static void forks(struct profile *p)
{
	pid_t child;
	kineto_start(p);
	work(LAUNCHES);
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	CHECK(cu.cuCtxSynchronize());
	kineto_stop(p, "forks");
}

static void pair(void)
{
	kineto_start(&first);
	proton_start(&second);
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	proton_stop(&second);
	work(LAUNCHES);
	CHECK(cu.cuCtxSynchronize());
	kineto_stop(&first, "kineto");
}

static void at_exit(void)
{
	kineto_stop(&first, "atexit");
}

static _Atomic bool has_stopped;

static void *launch_on(void *unused)
{
	CHECK(cu.cuCtxSetCurrent(unused));
	while (!has_stopped) {
		work(LAUNCHES / 4);
		usleep(1000);
	}
	return NULL;
}

/* How much of it a profile has depends on chance; that it comes to an end does not. */
static void threads(struct profile *p, unsigned int times, unsigned int n)
{
	CUcontext context = NULL;
	pthread_t others[16];
	CHECK(cu.cuDevicePrimaryCtxRetain(&context, 0));
	for (unsigned int i = 0; i < n && i < 16; i++)
		pthread_create(&others[i], NULL, launch_on, context);
	for (unsigned int i = 0; i < times; i++) {
		kineto_start(p);
		usleep(2000);
		kineto_off(p);
		CUPTI(p, cuptiActivityFlushAll(0));
		usleep(1000);
	}
	has_stopped = true;
	for (unsigned int i = 0; i < n && i < 16; i++)
		pthread_join(others[i], NULL);
	CHECK(cu.cuCtxSynchronize());
	CUPTI(p, cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
	printf("%s\n", p->kernels ? "some kernels" : "no kernels");
}

static void run(const char *style, unsigned int times, unsigned int nr_threads)
{
	const bool is_pair = !strcmp(style, "pair");
	if (!strcmp(style, "threads")) {
		threads(&first, times, nr_threads);
		return;
	}
	for (unsigned int i = 0; i < times; i++) {
		if (is_pair)
			pair();
		else if (!strcmp(style, "proton"))
			proton(&first);
		else if (!strcmp(style, "jax"))
			jax(&first);
		else if (!strcmp(style, "backlog"))
			backlog(&first);
		else if (!strcmp(style, "forks"))
			forks(&first);
		else
			kineto(&first);
		work(10);
		CHECK(cu.cuCtxSynchronize());
	}
}

/* The child goes on, the parent waits for it. */
static void become_child(void)
{
	uint64_t now;
	pid_t child;
	int status = 0;
	CUPTI(&first, cuptiGetTimestamp(&now));
	fflush(stdout);
	child = fork();
	if (!child)
		return;
	waitpid(child, &status, 0);
	exit(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	const char *style = argc > 1 ? argv[1] : "kineto";
	const unsigned int times = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	const unsigned int nr_threads = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
	const char *way = argc > 4 ? argv[4] : getenv("TTITRACE_CUPTI");
	const bool is_early = !strcmp(style, "early");
	const bool has_own_clock = strcmp(style, "proton") != 0 && strcmp(style, "jax") != 0;
	bind(&first, way, strcspn(way, ","));
	if (!strcmp(style, "pair"))
		bind(&second, strchr(way, ',') + 1, 4095);
	refuses = !strcmp(style, "refuses");
	buffer_bytes = refuses || !strcmp(style, "tiny") ? 1024 : BUFFER;
	if (!strcmp(style, "child"))
		become_child();
	driver_open("getproc");
	if (!is_early)
		start_driver();
	if (!is_early)
		work(10);
	if (has_own_clock)
		CUPTI(&first, cuptiActivityRegisterTimestampCallback(my_clock));
	if (is_early)
		kineto_start(&first);
	if (is_early)
		start_driver();
	if (!strcmp(style, "atexit"))
		atexit(at_exit);
	if (!strcmp(style, "atexit") || !strcmp(style, "unstopped"))
		kineto_start(&first);
	if (is_early || !strcmp(style, "atexit") || !strcmp(style, "unstopped"))
		work(LAUNCHES);
	else
		run(style, times, nr_threads);
	CHECK(cu.cuCtxSynchronize());
	if (is_early)
		kineto_stop(&first, "early");
	return 0;
}
