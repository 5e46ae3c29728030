/* SPDX-License-Identifier: Apache-2.0 */
/* Several clients of one CUPTI, which here is a few functions that keep book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "preload/cupti_api.h"
#include "preload/cupti_share.h"
#include "preload/cupti_time.h"
#include "preload/driver.h"

enum { ALICE = 1, BOB };

static CUpti_CallbackFunc real_callback;
static CUpti_BuffersCallbackRequestFunc real_request;
static CUpti_BuffersCallbackCompleteFunc real_complete;
static _Atomic int kind_is_on[64], event_is_on[16][2048], subscribers;

static CUptiResult subscribe(CUpti_SubscriberHandle *handle, CUpti_CallbackFunc callback,
			     void *data)
{
	(void)data;
	if (subscribers)
		return CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
	subscribers = 1;
	real_callback = callback;
	*handle = (CUpti_SubscriberHandle)(void *)&subscribers;
	return CUPTI_SUCCESS;
}

static CUptiResult unsubscribe(CUpti_SubscriberHandle handle)
{
	(void)handle;
	subscribers = 0;
	return CUPTI_SUCCESS;
}

static CUptiResult enable_callback(uint32_t enable, CUpti_SubscriberHandle handle,
				   CUpti_CallbackDomain domain, CUpti_CallbackId event)
{
	(void)handle;
	event_is_on[domain][event] = (int)enable;
	return CUPTI_SUCCESS;
}

static CUptiResult enable_domain(uint32_t enable, CUpti_SubscriberHandle handle,
				 CUpti_CallbackDomain domain)
{
	(void)handle;
	for (int i = 1; i < 2048; i++)
		event_is_on[domain][i] = (int)enable;
	return CUPTI_SUCCESS;
}

static CUptiResult register_buffers(CUpti_BuffersCallbackRequestFunc request,
				    CUpti_BuffersCallbackCompleteFunc complete)
{
	real_request = request;
	real_complete = complete;
	return CUPTI_SUCCESS;
}

static CUptiResult enable_kind(CUpti_ActivityKind kind)
{
	kind_is_on[kind]++;
	return CUPTI_SUCCESS;
}

static CUptiResult disable_kind(CUpti_ActivityKind kind)
{
	kind_is_on[kind]--;
	return CUPTI_SUCCESS;
}

static CUptiResult flush_all(uint32_t flag)
{
	(void)flag;
	return CUPTI_SUCCESS;
}

/* All records here are of one kind. */
static CUptiResult next_record(uint8_t *buffer, size_t valid, CUpti_Activity **record)
{
	uint8_t *next = *record ? (uint8_t *)*record + sizeof(CUpti_ActivityAPI) : buffer;

	if (next >= buffer + valid)
		return CUPTI_ERROR_MAX_LIMIT_REACHED;
	*record = (CUpti_Activity *)(void *)next;
	return CUPTI_SUCCESS;
}

static CUptiResult dropped(CUcontext context, uint32_t stream, size_t *ret)
{
	(void)context, (void)stream;
	*ret = 0;
	return CUPTI_SUCCESS;
}

static CUptiResult version(uint32_t *ret)
{
	*ret = 130001;
	return CUPTI_SUCCESS;
}

static int set_up(void **state)
{
	(void)state;
	cupti = (struct cupti_api){ .cuptiSubscribe = subscribe,
				    .cuptiUnsubscribe = unsubscribe,
				    .cuptiEnableCallback = enable_callback,
				    .cuptiEnableDomain = enable_domain,
				    .cuptiActivityRegisterCallbacks = register_buffers,
				    .cuptiActivityEnable = enable_kind,
				    .cuptiActivityDisable = disable_kind,
				    .cuptiActivityFlushAll = flush_all,
				    .cuptiActivityGetNextRecord = next_record,
				    .cuptiActivityGetNumDroppedRecords = dropped,
				    .cuptiGetVersion = version };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	share_finalize(ALICE);
	share_finalize(BOB);
	return 0;
}

static _Atomic uint32_t nr_called[3];

static void called(void *who, CUpti_CallbackDomain domain, CUpti_CallbackId event, const void *data)
{
	(void)domain, (void)event, (void)data;
	nr_called[(uintptr_t)who]++;
}

static CUpti_SubscriberHandle subscribed(uint32_t client)
{
	CUpti_SubscriberHandle handle = NULL;

	assert_int_equal(share_subscribe(client, &handle, called, (void *)(uintptr_t)client, NULL),
			 CUPTI_SUCCESS);
	nr_called[client] = 0;
	return handle;
}

static void each_gets_the_events_it_asked_for(void **state)
{
	const CUpti_CallbackDomain d = CUPTI_CB_DOMAIN_RUNTIME_API;
	CUpti_SubscriberHandle a = subscribed(ALICE), b = subscribed(BOB);
	const CUpti_CallbackData data = { .callbackSite = CUPTI_API_ENTER };

	(void)state;
	assert_int_equal(share_enable_callback(ALICE, 1, a, d, 5), CUPTI_SUCCESS);
	assert_int_equal(share_enable_domain(BOB, 1, b, d), CUPTI_SUCCESS);
	real_callback(NULL, d, 5, &data);
	real_callback(NULL, d, 6, &data);
	assert_int_equal(nr_called[ALICE], 1);
	assert_int_equal(nr_called[BOB], 2);
	assert_int_equal(share_enable_domain(BOB, 0, b, d), CUPTI_SUCCESS);
	assert_int_equal(event_is_on[d][5], 1);
	assert_int_equal(event_is_on[d][6], 0);
	assert_int_equal(share_unsubscribe(ALICE, a), CUPTI_SUCCESS);
	assert_int_equal(event_is_on[d][5], 0);
	assert_int_equal(subscribers, 1);
	assert_int_equal(share_unsubscribe(BOB, b), CUPTI_SUCCESS);
	assert_int_equal(subscribers, 0);
}

static void a_second_subscriber_of_one_copy_is_refused(void **state)
{
	CUpti_SubscriberHandle handle = subscribed(ALICE);

	(void)state;
	assert_int_equal(share_subscribe(ALICE, &handle, called, NULL, NULL),
			 CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED);
	assert_int_equal(share_unsubscribe(BOB, handle), CUPTI_ERROR_INVALID_PARAMETER);
}

/* What CUPTI 13.0 makes of it: see cupti_share.c. */
static void event_number_0_never_reaches_cupti(void **state)
{
	const CUpti_CallbackDomain d = CUPTI_CB_DOMAIN_DRIVER_API;
	CUpti_SubscriberHandle handle = subscribed(ALICE);

	(void)state;
	event_is_on[d][0] = 7;
	assert_int_equal(share_enable_callback(ALICE, 1, handle, d, 0), CUPTI_SUCCESS);
	assert_int_equal(share_enable_callback(ALICE, 0, handle, d, 0), CUPTI_SUCCESS);
	assert_int_equal(share_enable_domain(ALICE, 1, handle, d), CUPTI_SUCCESS);
	assert_int_equal(share_enable_domain(ALICE, 0, handle, d), CUPTI_SUCCESS);
	assert_int_equal(event_is_on[d][0], 7);
}

static void a_kind_is_on_while_anybody_wants_it(void **state)
{
	const CUpti_ActivityKind kind = CUPTI_ACTIVITY_KIND_OVERHEAD;

	(void)state;
	share_enable(ALICE, kind);
	share_enable(BOB, kind);
	assert_int_equal(kind_is_on[kind], 1);
	share_disable(ALICE, kind);
	assert_int_equal(kind_is_on[kind], 1);
	share_finalize(BOB);
	assert_int_equal(kind_is_on[kind], 0);
}

static CUresult driver_version(int *ret)
{
	*ret = 13000;
	return CUDA_SUCCESS;
}

/* While a window is closed, our own kinds are off. */
static void our_own_pause_leaves_a_client_its_kinds(void **state)
{
	const CUpti_ActivityKind ours = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;

	(void)state;
	driver.cuDriverGetVersion = driver_version;
	subscribed(SHARE_SELF);
	share_enable(SHARE_SELF, ours);
	share_enable(ALICE, CUPTI_ACTIVITY_KIND_KERNEL);
	share_disable(SHARE_SELF, ours);
	assert_int_equal(kind_is_on[ours], 1);
	share_disable(ALICE, CUPTI_ACTIVITY_KIND_KERNEL);
	assert_int_equal(kind_is_on[ours], 0);
	/* And what it asks for meanwhile stands in nobody's way. */
	share_enable(ALICE, CUPTI_ACTIVITY_KIND_KERNEL);
	share_enable(SHARE_SELF, ours);
	assert_int_equal(kind_is_on[CUPTI_ACTIVITY_KIND_KERNEL], 0);
	assert_int_equal(kind_is_on[ours], 1);
	share_disable(ALICE, CUPTI_ACTIVITY_KIND_KERNEL);
	assert_int_equal(kind_is_on[ours], 1);
	share_finalize(SHARE_SELF);
	assert_int_equal(kind_is_on[ours], 0);
}

/* Records: what a client gets, in buffers of two records. */

enum { PER_BUFFER = 2 };
static _Atomic uint32_t nr_got[3], nr_buffers[3];
static _Atomic uint64_t last_begin[3];

static void get(uint32_t client, uint8_t *buffer, size_t valid)
{
	CUpti_Activity *record = NULL;

	while (next_record(buffer, valid, &record) == CUPTI_SUCCESS) {
		nr_got[client]++;
		last_begin[client] = ((CUpti_ActivityAPI *)(void *)record)->start;
	}
	nr_buffers[client]++;
	free(buffer);
}

static void requested(uint8_t **buffer, size_t *size, size_t *max)
{
	*size = PER_BUFFER * sizeof(CUpti_ActivityAPI);
	*buffer = malloc(*size);
	*max = 0;
}

static void alice_completed(CUcontext c, uint32_t s, uint8_t *buffer, size_t size, size_t valid)
{
	(void)c, (void)s, (void)size;
	get(ALICE, buffer, valid);
}

static void bob_completed(CUcontext c, uint32_t s, uint8_t *buffer, size_t size, size_t valid)
{
	(void)c, (void)s, (void)size;
	get(BOB, buffer, valid);
}

static uint64_t twice(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 2 * ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

static void cupti_delivers(uint32_t nr, uint64_t begin)
{
	uint8_t *buffer = NULL;
	size_t size = 0, max = 0;

	real_request(&buffer, &size, &max);
	if (!buffer)
		return;
	for (uint32_t i = 0; i < nr; i++)
		((CUpti_ActivityAPI *)(void *)buffer)[i] = (CUpti_ActivityAPI){
			.kind = CUPTI_ACTIVITY_KIND_RUNTIME, .start = begin, .end = begin + 10
		};
	real_complete(NULL, 0, buffer, size, nr * sizeof(CUpti_ActivityAPI));
}

static void clients_start(void)
{
	assert_int_equal(share_register_buffers(ALICE, requested, alice_completed), CUPTI_SUCCESS);
	assert_int_equal(share_register_buffers(BOB, requested, bob_completed), CUPTI_SUCCESS);
	for (int i = 0; i < 3; i++)
		nr_got[i] = nr_buffers[i] = 0;
}

static void records_go_to_those_who_want_them_by_their_clock(void **state)
{
	const uint64_t begin = twice() / 2;

	(void)state;
	clients_start();
	share_register_clock(BOB, twice);
	share_enable(BOB, CUPTI_ACTIVITY_KIND_RUNTIME);
	cupti_delivers(5, begin);
	assert_int_equal(nr_got[BOB], 4);
	share_disable(BOB, CUPTI_ACTIVITY_KIND_RUNTIME);
	share_flush(BOB, CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
	assert_int_equal(nr_got[BOB], 5);
	assert_int_equal(nr_got[ALICE], 0);
	assert_true(last_begin[BOB] > 2 * begin - 100000 && last_begin[BOB] < 2 * begin + 100000);
	cupti_delivers(5, begin);
	share_flush(BOB, 0);
	assert_int_equal(nr_got[BOB], 5);
}

static void *deliver_many(void *unused)
{
	for (int i = 0; i < 300; i++)
		cupti_delivers(7, twice() / 2);
	return unused;
}

static void *profile_often(void *client)
{
	const uint32_t c = (uint32_t)(uintptr_t)client;

	for (int i = 0; i < 100; i++) {
		size_t n;

		share_enable(c, CUPTI_ACTIVITY_KIND_RUNTIME);
		share_flush(c, 0);
		share_dropped(c, &n);
		share_disable(c, CUPTI_ACTIVITY_KIND_RUNTIME);
		share_flush(c, CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
	}
	return NULL;
}

static void everybody_at_once_is_no_race(void **state)
{
	pthread_t threads[4];

	(void)state;
	clients_start();
	pthread_create(&threads[0], NULL, deliver_many, NULL);
	pthread_create(&threads[1], NULL, deliver_many, NULL);
	pthread_create(&threads[2], NULL, profile_often, (void *)(uintptr_t)ALICE);
	pthread_create(&threads[3], NULL, profile_often, (void *)(uintptr_t)BOB);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(kind_is_on[CUPTI_ACTIVITY_KIND_RUNTIME], 0);
}

static void times_lie_on_the_line_between_two_readings(void **state)
{
	struct time_track t = { .nr_readings = 3,
				.readings = { { 100, 1000 }, { 200, 1200 }, { 300, 1500 } } };

	(void)state;
	assert_int_equal(time_convert(&t, 150), 1100);
	assert_int_equal(time_convert(&t, 250), 1350);
	assert_int_equal(time_convert(&t, 90), 980);
	assert_int_equal(time_convert(&t, 310), 1530);
	assert_int_equal(time_convert(&t, 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_gets_the_events_it_asked_for),
		TEST(a_second_subscriber_of_one_copy_is_refused),
		TEST(event_number_0_never_reaches_cupti),
		TEST(a_kind_is_on_while_anybody_wants_it),
		TEST(our_own_pause_leaves_a_client_its_kinds),
		TEST(records_go_to_those_who_want_them_by_their_clock),
		TEST(everybody_at_once_is_no_race),
		TEST(times_lie_on_the_line_between_two_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
