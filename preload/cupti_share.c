/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_share.c - see there for where it runs. */
#include "cupti_share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "activity_buffer.h"
#include "clock.h"
#include "counter.h"
#include "cupti.h"
#include "cupti_api.h"
#include "cupti_client.h"
#include "driver.h"
#include "library.h"
#include "options.h"
#include "sys.h"
#include "thread.h"
#include "writer.h"

/* The writer looks every 10 ms, if it is not woken. */
#define PREPARE_NS 20000000u

#define DOMAINS    16u
#define EVENTS     2048u /* of a domain; the longest has some 800 */
#define WORDS      (EVENTS / 64u)

/*
 * Number 0 is no event.  Proton gives it all the same, and once CUPTI (13.0) is told to switch it
 * off, there are no callbacks of that domain any more, whatever is enabled: it is kept from CUPTI.
 */
#define EVENT_NONE 0u

/* Who wants what called back. */
struct listener {
	_Atomic(CUpti_CallbackFunc) callback; /* NULL: no subscriber */
	void *userdata;
	_Atomic uint64_t events[DOMAINS][WORDS];
};

static struct listener listeners[SHARE_CLIENTS];
/* Our own has no buffers; it has kinds. */
static struct cupti_client clients[SHARE_CLIENTS] = { [0 ... SHARE_CLIENTS - 1] =
							      CUPTI_CLIENT_INIT };

/*
 * Serialises what changes who wants what, and the real calls that follow from it.  Never taken in
 * a callback of CUPTI's, but for a client that calls from its own.
 */
static pthread_mutex_t control = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static CUpti_SubscriberHandle subscriber; /* the real one; NULL: none */
static bool has_buffers;                  /* our buffer callbacks are registered */
static bool has_clock;                    /* and our clock: CUPTI before 11.6 takes none */
static _Atomic uint32_t nr_others;        /* subscribers but us: then callbacks are passed on */
static _Atomic bool was_shared;
static _Atomic bool has_ended;

/* This thread is making a call to learn its number: nobody else's business. */
THREAD_LOCAL bool is_asking;

/* Requests for client_prepare(), and up to which one they are met. */
static _Atomic uint32_t buffers_wanted, buffers_prepared;

/* Flushes take turns: who has flushed has got what another one was handing over. */
static pthread_mutex_t flushing = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* Answers of share_takes(), by copy. */
enum { UNKNOWN, SERVED, ALONE };
static _Atomic uint32_t copies[SHARE_COPIES];

static void control_begin(void)
{
	sys_lock(&control);
	tls.is_ours++; /* CUPTI may reach the driver: no reason for us to start inside of it */
}

static CUptiResult control_end(CUptiResult rc)
{
	tls.is_ours--;
	pthread_mutex_unlock(&control);
	return rc;
}

static bool is_newer(uint32_t copy)
{
	CUptiResult (*version_of)(uint32_t *) =
		(CUptiResult(*)(uint32_t *))library_symbol(&family_cupti, copy, "cuptiGetVersion");
	uint32_t theirs = 0, ours = 0;

	cupti.cuptiGetVersion(&ours);
	return version_of && version_of(&theirs) == CUPTI_SUCCESS && theirs > ours;
}

/*
 * A copy older than the one in use can be served by it: records have only grown at their ends.  A
 * newer one cannot, its client would read behind them.
 */
static uint32_t look_at(uint32_t copy)
{
	const char *path, *why;
	const bool is_bound = cupti_bind(&path, &why);

	return is_bound && (copy == 0 || !is_newer(copy)) ? SERVED : ALONE;
}

/*
 * CUDA does not survive fork, and nor does our recording.  A parent that had not come that far
 * leaves everything to the child as it is, but for locks that other threads of its held.
 */
static void in_forked_child(void)
{
	static const pthread_mutex_t free_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	if (atomic_load(&listeners[SHARE_SELF].callback))
		share_end();
	control = flushing = free_lock;
	for (uint32_t i = 0; i < SHARE_CLIENTS; i++)
		clients[i].lock = free_lock;
}

bool share_takes(uint32_t copy)
{
	static bool watches_forks;
	uint32_t state;

	if (copy >= SHARE_COPIES || options.timing != TIMING_CUPTI || atomic_load(&has_ended))
		return false;
	state = atomic_load(&copies[copy]);
	if (unlikely(state == UNKNOWN)) {
		control_begin();
		if (!watches_forks)
			pthread_atfork(NULL, NULL, in_forked_child);
		watches_forks = true;
		state = look_at(copy);
		atomic_store(&copies[copy], state);
		control_end(CUPTI_SUCCESS);
	}
	return state == SERVED;
}

void share_end(void)
{
	atomic_store(&has_ended, true);
}

bool share_is_shared(void)
{
	return atomic_load_explicit(&was_shared, memory_order_relaxed);
}

/* Callbacks. */

static _Atomic uint64_t *event_word(uint32_t client, CUpti_CallbackDomain domain,
				    CUpti_CallbackId event)
{
	return &listeners[client].events[(uint32_t)domain % DOMAINS][event % EVENTS / 64];
}

static bool wants_event(uint32_t client, CUpti_CallbackDomain domain, CUpti_CallbackId event)
{
	return atomic_load_explicit(event_word(client, domain, event), memory_order_relaxed) >>
		       (event % 64) &
	       1;
}

static void want_event(uint32_t client, CUpti_CallbackDomain domain, CUpti_CallbackId event,
		       bool is_wanted)
{
	const uint64_t bit = UINT64_C(1) << (event % 64);

	if (is_wanted)
		atomic_fetch_or(event_word(client, domain, event), bit);
	else
		atomic_fetch_and(event_word(client, domain, event), ~bit);
}

static bool is_event_wanted(CUpti_CallbackDomain domain, CUpti_CallbackId event)
{
	for (uint32_t i = 0; i < SHARE_CLIENTS; i++)
		if (wants_event(i, domain, event))
			return true;
	return false;
}

static bool is_event(CUpti_CallbackDomain domain, CUpti_CallbackId event)
{
	return (uint32_t)domain < DOMAINS && event < EVENTS;
}

/* A client's callback may call the driver itself: what we know of the call under way is kept. */
static void pass_on(CUpti_CallbackDomain domain, CUpti_CallbackId event, const void *data)
{
	if (wants_event(SHARE_SELF, domain, event))
		cupti_called(domain, event, data);
	for (uint32_t i = 1; i < SHARE_CLIENTS && !is_asking; i++) {
		const CUpti_CallbackFunc callback = atomic_load(&listeners[i].callback);
		const struct tls saved = tls;

		if (!callback || !wants_event(i, domain, event))
			continue;
		callback(listeners[i].userdata, domain, event, data);
		tls.correlation = saved.correlation;
		tls.context = saved.context;
		tls.symbol = saved.symbol;
		tls.node = saved.node;
	}
}

/* On the launch path, unless somebody else listens too: one load more. */
static void CUPTIAPI on_call(void *unused, CUpti_CallbackDomain domain, CUpti_CallbackId event,
			     const void *data)
{
	(void)unused;
	if (likely(!atomic_load_explicit(&nr_others, memory_order_relaxed)))
		cupti_called(domain, event, data);
	else
		pass_on(domain, event, data);
}

static CUptiResult subscribe_real(CUpti_SubscriberParams *params)
{
	if (params && cupti.cuptiSubscribe_v2)
		return cupti.cuptiSubscribe_v2(&subscriber, on_call, NULL, params);
	return cupti.cuptiSubscribe(&subscriber, on_call, NULL);
}

CUptiResult share_subscribe(uint32_t client, CUpti_SubscriberHandle *ret_handle,
			    CUpti_CallbackFunc callback, void *userdata,
			    CUpti_SubscriberParams *params)
{
	struct listener *l = &listeners[client];
	CUptiResult rc = CUPTI_SUCCESS;

	if (!ret_handle || !callback)
		return CUPTI_ERROR_INVALID_PARAMETER;
	control_begin();
	/* The real one knows best what to answer a second subscriber. */
	if (!subscriber || atomic_load(&l->callback))
		rc = subscribe_real(params);
	if (rc == CUPTI_SUCCESS) {
		l->userdata = userdata;
		atomic_store(&l->callback, callback);
		if (client != SHARE_SELF) {
			atomic_store(&was_shared, true);
			atomic_fetch_add(&nr_others, 1);
		}
		/* The real handle: whatever else takes one is called with it directly. */
		*ret_handle = subscriber;
	}
	return control_end(rc);
}

static bool is_subscribed(uint32_t client, CUpti_SubscriberHandle handle)
{
	return handle && handle == subscriber && atomic_load(&listeners[client].callback);
}

static CUptiResult set_event(uint32_t client, bool enable, CUpti_CallbackDomain domain,
			     CUpti_CallbackId event)
{
	const bool is_real = event != EVENT_NONE;
	CUptiResult rc = CUPTI_SUCCESS;

	if (enable && is_real && !is_event_wanted(domain, event))
		rc = cupti.cuptiEnableCallback(1, subscriber, domain, event);
	if (rc == CUPTI_SUCCESS)
		want_event(client, domain, event, enable);
	if (!enable && is_real && !is_event_wanted(domain, event))
		rc = cupti.cuptiEnableCallback(0, subscriber, domain, event);
	return rc;
}

/*
 * Off one by one: switching the domain off, and on again what others want, would lose calls in
 * between.  Numbers that are no event are refused, which tells us nothing.
 */
static CUptiResult set_domain(uint32_t client, bool enable, CUpti_CallbackDomain domain)
{
	const CUptiResult rc =
		enable ? cupti.cuptiEnableDomain(1, subscriber, domain) : CUPTI_SUCCESS;

	for (CUpti_CallbackId event = 1; event < EVENTS && rc == CUPTI_SUCCESS; event++) {
		if (wants_event(client, domain, event) == enable)
			continue;
		want_event(client, domain, event, enable);
		if (!is_event_wanted(domain, event))
			cupti.cuptiEnableCallback(0, subscriber, domain, event);
	}
	return rc;
}

CUptiResult share_enable_callback(uint32_t client, uint32_t enable, CUpti_SubscriberHandle handle,
				  CUpti_CallbackDomain domain, CUpti_CallbackId event)
{
	CUptiResult rc = CUPTI_ERROR_INVALID_PARAMETER;

	control_begin();
	if (is_subscribed(client, handle) && is_event(domain, event))
		rc = set_event(client, enable != 0, domain, event);
	return control_end(rc);
}

CUptiResult share_enable_domain(uint32_t client, uint32_t enable, CUpti_SubscriberHandle handle,
				CUpti_CallbackDomain domain)
{
	CUptiResult rc = CUPTI_ERROR_INVALID_PARAMETER;

	control_begin();
	if (is_subscribed(client, handle) && is_event(domain, 0))
		rc = set_domain(client, enable != 0, domain);
	return control_end(rc);
}

CUptiResult share_enable_all_domains(uint32_t client, uint32_t enable,
				     CUpti_SubscriberHandle handle)
{
	CUptiResult rc = CUPTI_ERROR_INVALID_PARAMETER;

	control_begin();
	if (is_subscribed(client, handle)) {
		/* Not every number is a domain. */
		for (uint32_t d = CUPTI_CB_DOMAIN_INVALID + 1; d < CUPTI_CB_DOMAIN_SIZE; d++)
			set_domain(client, enable != 0, (CUpti_CallbackDomain)d);
		rc = CUPTI_SUCCESS;
	}
	return control_end(rc);
}

CUptiResult share_callback_state(uint32_t client, uint32_t *ret_enabled,
				 CUpti_SubscriberHandle handle, CUpti_CallbackDomain domain,
				 CUpti_CallbackId event)
{
	CUptiResult rc = CUPTI_ERROR_INVALID_PARAMETER;

	control_begin();
	if (is_subscribed(client, handle) && is_event(domain, event) && cupti.cuptiGetCallbackState)
		rc = cupti.cuptiGetCallbackState(ret_enabled, handle, domain, event);
	if (rc == CUPTI_SUCCESS)
		*ret_enabled = wants_event(client, domain, event);
	return control_end(rc);
}

static void forget_listener(uint32_t client)
{
	for (uint32_t d = CUPTI_CB_DOMAIN_INVALID + 1; d < DOMAINS; d++)
		set_domain(client, false, (CUpti_CallbackDomain)d);
	atomic_store(&listeners[client].callback, NULL);
	if (client != SHARE_SELF)
		atomic_fetch_sub(&nr_others, 1);
}

CUptiResult share_unsubscribe(uint32_t client, CUpti_SubscriberHandle handle)
{
	CUptiResult rc = CUPTI_ERROR_INVALID_PARAMETER;

	control_begin();
	if (is_subscribed(client, handle)) {
		rc = CUPTI_SUCCESS;
		forget_listener(client);
		if (!atomic_load(&nr_others) && !atomic_load(&listeners[SHARE_SELF].callback)) {
			rc = cupti.cuptiUnsubscribe(subscriber);
			subscriber = NULL;
		}
	}
	return control_end(rc);
}

/* Records. */

/* CUPTI converts GPU clocks to this one; CLOCK_REALTIME, its default, can step. */
static uint64_t CUPTIAPI read_clock(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

static void CUPTIAPI on_request(uint8_t **buffer, size_t *size, size_t *max_records)
{
	share_prepare();
	*buffer = activity_buffer_request(size);
	*max_records = 0;
}

void share_prepare(void)
{
	const uint32_t wanted = atomic_load(&buffers_wanted);

	if (likely(wanted == atomic_load(&buffers_prepared)))
		return;
	for (uint32_t i = 1; i < SHARE_CLIENTS; i++)
		client_prepare(&clients[i]);
	atomic_store(&buffers_prepared, wanted);
	sys_wake(&buffers_prepared);
}

/*
 * A client has enabled a kind and has no buffer.  It may hold a lock that its callback takes too,
 * since CUPTI would not call it here and now: so another thread does, and is not waited for long.
 */
static CUptiResult prepare(uint32_t client, CUptiResult rc)
{
	const uint64_t give_up = clock_read_ns(CLOCK_MONOTONIC) + PREPARE_NS;
	uint32_t wanted;

	if (rc != CUPTI_SUCCESS || !client_lacks_buffer(&clients[client]))
		return rc;
	wanted = atomic_fetch_add(&buffers_wanted, 1) + 1;
	while (writer_wake() && clock_read_ns(CLOCK_MONOTONIC) < give_up) {
		const uint32_t prepared = atomic_load(&buffers_prepared);

		if ((int32_t)(prepared - wanted) >= 0)
			break;
		sys_wait(&buffers_prepared, prepared, PREPARE_NS);
	}
	return rc;
}

static void collect_dropped(CUcontext context, uint32_t stream)
{
	size_t dropped = 0;

	if (cupti.cuptiActivityGetNumDroppedRecords(context, stream, &dropped) != CUPTI_SUCCESS ||
	    !dropped)
		return;
	counter_add_shared(TTI_COUNTER_CUPTI_DROPPED, dropped);
	for (uint32_t i = 1; i < SHARE_CLIENTS; i++)
		if (atomic_load(&clients[i].due))
			atomic_fetch_add(&clients[i].dropped, dropped);
}

static void CUPTIAPI on_complete(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size,
				 size_t valid)
{
	(void)size;
	collect_dropped(context, stream);
	for (uint32_t i = 1; i < SHARE_CLIENTS; i++)
		client_deliver(&clients[i], buffer, valid);
	if (cupti_wants_records())
		activity_buffer_complete(buffer, valid);
	else if (buffer)
		activity_buffer_release(buffer);
}

/* 13.0 calls itself 130001; before, versions counted from 1, and which one is 12.9 is not sure. */
#define VERSION_THAT_TAKES_NO 130000u

/* The clock first: records of a kind that is on already would keep the one before. */
static void set_clock(void)
{
	if (!has_clock && cupti.cuptiActivityRegisterTimestampCallback)
		has_clock =
			cupti.cuptiActivityRegisterTimestampCallback(read_clock) == CUPTI_SUCCESS;
}

static CUptiResult set_buffers(void)
{
	uint32_t version = 0;
	CUptiResult rc;

	if (has_buffers)
		return CUPTI_SUCCESS;
	cupti.cuptiGetVersion(&version);
	activity_buffer_allow_refusal(version >= VERSION_THAT_TAKES_NO);
	rc = cupti.cuptiActivityRegisterCallbacks(on_request, on_complete);
	has_buffers = rc == CUPTI_SUCCESS;
	return rc;
}

CUptiResult share_register_buffers(uint32_t client, CUpti_BuffersCallbackRequestFunc request,
				   CUpti_BuffersCallbackCompleteFunc complete)
{
	CUptiResult rc;

	if (client != SHARE_SELF && (!request || !complete))
		return CUPTI_ERROR_INVALID_PARAMETER;
	control_begin();
	set_clock();
	rc = set_buffers();
	control_end(rc);
	if (rc == CUPTI_SUCCESS && client != SHARE_SELF) {
		atomic_store(&was_shared, true);
		client_register(&clients[client], request, complete);
	}
	return rc;
}

CUptiResult share_register_clock(uint32_t client, CUpti_TimestampCallbackFunc clock)
{
	if (!clock)
		return CUPTI_ERROR_INVALID_PARAMETER;
	control_begin();
	set_clock();
	control_end(CUPTI_SUCCESS);
	client_set_clock(&clients[client], clock);
	return CUPTI_SUCCESS;
}

CUptiResult share_timestamp(uint32_t client, uint64_t *ret_timestamp)
{
	if (!ret_timestamp)
		return CUPTI_ERROR_INVALID_PARAMETER;
	*ret_timestamp = time_now(&clients[client].time);
	return CUPTI_SUCCESS;
}

static bool has_kind(uint32_t client, CUpti_ActivityKind kind)
{
	return (uint32_t)kind < CLIENT_KINDS &&
	       atomic_load(&clients[client].kinds) & UINT64_C(1) << kind;
}

static bool is_kind_wanted(CUpti_ActivityKind kind)
{
	for (uint32_t i = 0; i < SHARE_CLIENTS; i++)
		if (has_kind(i, kind))
			return true;
	return false;
}

/*
 * The number of the last call: that of one which we make ourselves, the least there is.  0: not
 * known.
 */
static uint32_t last_correlation(uint32_t client, CUpti_ActivityKind kind)
{
	const CUpti_CallbackId event = CUPTI_DRIVER_TRACE_CBID_cuDriverGetVersion;
	const uint32_t saved = tls.correlation;
	uint32_t correlation;
	int version;

	if (client == SHARE_SELF || !client_needs_call(kind) ||
	    !atomic_load(&listeners[SHARE_SELF].callback))
		return 0;
	set_event(SHARE_SELF, true, CUPTI_CB_DOMAIN_DRIVER_API, event);
	is_asking = true;
	tls.correlation = 0;
	driver.cuDriverGetVersion(&version);
	correlation = tls.correlation;
	is_asking = false;
	tls.correlation = saved;
	set_event(SHARE_SELF, false, CUPTI_CB_DOMAIN_DRIVER_API, event);
	client_ignore_call(correlation);
	return correlation;
}

/*
 * Kernels one after the other would be slow for all, and the records are the same: who wants that
 * while we are there gets them as they run, also if our own are switched off for a while.
 */
static CUpti_ActivityKind kind_for(uint32_t client, CUpti_ActivityKind kind)
{
	return kind == CUPTI_ACTIVITY_KIND_KERNEL && atomic_load(&listeners[SHARE_SELF].callback) &&
			       !has_kind(client, kind)
		       ? CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL
		       : kind;
}

CUptiResult share_enable(uint32_t client, CUpti_ActivityKind kind)
{
	CUptiResult rc = CUPTI_SUCCESS;

	control_begin();
	set_clock();
	kind = kind_for(client, kind);
	if (!is_kind_wanted(kind))
		rc = cupti.cuptiActivityEnable(kind);
	if (rc == CUPTI_SUCCESS)
		client_enable(&clients[client], kind, last_correlation(client, kind));
	return prepare(client, control_end(rc));
}

CUptiResult share_disable(uint32_t client, CUpti_ActivityKind kind)
{
	CUptiResult rc = CUPTI_SUCCESS;

	control_begin();
	kind = kind_for(client, kind);
	client_disable(&clients[client], kind, last_correlation(client, kind));
	if (!is_kind_wanted(kind))
		rc = cupti.cuptiActivityDisable(kind);
	return control_end(rc);
}

/* Who has a kind for all contexts has it for each. */
CUptiResult share_enable_context(uint32_t client, CUcontext context, CUpti_ActivityKind kind)
{
	CUptiResult rc = CUPTI_SUCCESS;

	if (!cupti.cuptiActivityEnableContext)
		return CUPTI_ERROR_NOT_SUPPORTED;
	control_begin();
	set_clock();
	kind = kind_for(client, kind);
	if (!is_kind_wanted(kind))
		rc = cupti.cuptiActivityEnableContext(context, kind);
	if (rc == CUPTI_SUCCESS)
		client_enable(&clients[client], kind, last_correlation(client, kind));
	return prepare(client, control_end(rc));
}

CUptiResult share_disable_context(uint32_t client, CUcontext context, CUpti_ActivityKind kind)
{
	CUptiResult rc = CUPTI_SUCCESS;

	if (!cupti.cuptiActivityDisableContext)
		return CUPTI_ERROR_NOT_SUPPORTED;
	control_begin();
	kind = kind_for(client, kind);
	client_disable(&clients[client], kind, last_correlation(client, kind));
	if (!is_kind_wanted(kind))
		rc = cupti.cuptiActivityDisableContext(context, kind);
	return control_end(rc);
}

CUptiResult share_enable_and_dump(uint32_t client, CUpti_ActivityKind kind)
{
	CUptiResult rc;

	if (!cupti.cuptiActivityEnableAndDump)
		return CUPTI_ERROR_NOT_SUPPORTED;
	if (kind_for(client, kind) != kind)
		return share_enable(client, kind);
	control_begin();
	set_clock();
	/* What there is is written at once, so the client must be there before. */
	client_enable(&clients[client], kind, last_correlation(client, kind));
	rc = cupti.cuptiActivityEnableAndDump(kind);
	if (rc != CUPTI_SUCCESS)
		client_disable(&clients[client], kind, 0);
	return prepare(client, control_end(rc));
}

/* Calls chosen one by one: they make records of the kind, which is not enabled as such. */
static CUptiResult enable_api(uint32_t client, CUpti_ActivityKind kind, CUpti_CallbackId event,
			      uint8_t enable,
			      CUptiResult (*function)(CUpti_CallbackId event, uint8_t enable))
{
	if (!function)
		return CUPTI_ERROR_NOT_SUPPORTED;
	if (enable)
		client_expect(&clients[client], kind);
	return function(event, enable);
}

CUptiResult share_enable_driver_api(uint32_t client, CUpti_CallbackId event, uint8_t enable)
{
	return enable_api(client, CUPTI_ACTIVITY_KIND_DRIVER, event, enable,
			  cupti.cuptiActivityEnableDriverApi);
}

CUptiResult share_enable_runtime_api(uint32_t client, CUpti_CallbackId event, uint8_t enable)
{
	return enable_api(client, CUPTI_ACTIVITY_KIND_RUNTIME, event, enable,
			  cupti.cuptiActivityEnableRuntimeApi);
}

CUptiResult share_flush(uint32_t client, uint32_t flag)
{
	CUptiResult rc;

	if (client != SHARE_SELF && !atomic_load(&clients[client].complete))
		return CUPTI_ERROR_INVALID_OPERATION;
	sys_lock(&flushing);
	rc = cupti.cuptiActivityFlushAll(flag);
	pthread_mutex_unlock(&flushing);
	if (rc == CUPTI_SUCCESS)
		client_flush(&clients[client], flag & CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
	return rc;
}

CUptiResult share_dropped(uint32_t client, size_t *ret_dropped)
{
	if (!ret_dropped)
		return CUPTI_ERROR_INVALID_PARAMETER;
	collect_dropped(NULL, 0);
	*ret_dropped = atomic_exchange(&clients[client].dropped, 0);
	return CUPTI_SUCCESS;
}

/* A client that promises buffers full of zeros does not speak for ours. */
CUptiResult share_set_attribute(CUpti_ActivityAttribute attribute, size_t *size, void *value)
{
	if (!size || !value)
		return CUPTI_ERROR_INVALID_PARAMETER;
	if (attribute == CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER)
		return CUPTI_SUCCESS;
	return cupti.cuptiActivitySetAttribute
		       ? cupti.cuptiActivitySetAttribute(attribute, size, value)
		       : CUPTI_ERROR_NOT_SUPPORTED;
}

static bool is_client_there(uint32_t client)
{
	return atomic_load(&listeners[client].callback) || atomic_load(&clients[client].kinds);
}

/* CUPTI is gone for the one who said so, and for all when nobody else is left. */
CUptiResult share_finalize(uint32_t client)
{
	bool is_any = false;
	CUptiResult rc = CUPTI_SUCCESS;

	control_begin();
	for (uint32_t kind = 0; kind < CLIENT_KINDS; kind++)
		if (atomic_load(&clients[client].kinds) & UINT64_C(1) << kind)
			share_disable(client, (CUpti_ActivityKind)kind);
	if (atomic_load(&listeners[client].callback))
		share_unsubscribe(client, subscriber);
	for (uint32_t i = 0; i < SHARE_CLIENTS; i++)
		is_any |= is_client_there(i);
	if (!is_any && cupti.cuptiFinalize) {
		rc = cupti.cuptiFinalize();
		subscriber = NULL;
		has_buffers = has_clock = false;
	}
	control_end(rc);
	client_forget(&clients[client]);
	return rc;
}
