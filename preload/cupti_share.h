/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_share.h - CUPTI admits one subscriber and fills one set of buffers; this makes several
 * clients of them: us, and the profilers that the application itself runs.
 *
 * An application's calls of CUPTI come here (hook_cupti.def), from its very first one on.  There
 * is one real subscriber, one pair of buffer callbacks, one clock, and they are ours.  Callbacks
 * and kinds of records are switched on when the first client wants them and off when the last one
 * does not any more.
 *
 * A client is a loaded copy of libcupti: within one the rules of CUPTI hold, one subscriber and
 * the last buffer callbacks.  All copies are served by one of them, the first, because the driver
 * serves only one.
 *
 * Runs in: threads that call CUPTI, and those in which CUPTI calls back.  Not on the launch path,
 * but for what CUPTI's callbacks do there.
 */
#ifndef PRELOAD_CUPTI_SHARE_H
#define PRELOAD_CUPTI_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cupti_newer.h"

/* Ourselves; copy n of libcupti is client n + 1. */
#define SHARE_SELF    0u
#define SHARE_COPIES  4u
#define SHARE_CLIENTS (SHARE_COPIES + 1u)

/* Is this copy's client served here?  If not, its calls go to its own library as they are. */
bool share_takes(uint32_t copy);

/* There are no GPU times to be had: from now on nobody is served. */
void share_end(void);

/* Asks clients for the buffers that they need.  Runs in: the writer, and where CUPTI asks us. */
void share_prepare(void);

/* Is, or was, anybody there but us? */
bool share_is_shared(void);

/* The same as CUPTI's functions, each for one client. */
CUptiResult share_subscribe(uint32_t client, CUpti_SubscriberHandle *ret_handle,
			    CUpti_CallbackFunc callback, void *userdata,
			    CUpti_SubscriberParams *params);
CUptiResult share_unsubscribe(uint32_t client, CUpti_SubscriberHandle handle);
CUptiResult share_enable_callback(uint32_t client, uint32_t enable, CUpti_SubscriberHandle handle,
				  CUpti_CallbackDomain domain, CUpti_CallbackId event);
CUptiResult share_enable_domain(uint32_t client, uint32_t enable, CUpti_SubscriberHandle handle,
				CUpti_CallbackDomain domain);
CUptiResult share_enable_all_domains(uint32_t client, uint32_t enable,
				     CUpti_SubscriberHandle handle);
CUptiResult share_callback_state(uint32_t client, uint32_t *ret_enabled,
				 CUpti_SubscriberHandle handle, CUpti_CallbackDomain domain,
				 CUpti_CallbackId event);
CUptiResult share_register_buffers(uint32_t client, CUpti_BuffersCallbackRequestFunc request,
				   CUpti_BuffersCallbackCompleteFunc complete);
CUptiResult share_register_clock(uint32_t client, CUpti_TimestampCallbackFunc clock);
CUptiResult share_timestamp(uint32_t client, uint64_t *ret_timestamp);
CUptiResult share_enable(uint32_t client, CUpti_ActivityKind kind);
CUptiResult share_disable(uint32_t client, CUpti_ActivityKind kind);
CUptiResult share_enable_context(uint32_t client, CUcontext context, CUpti_ActivityKind kind);
CUptiResult share_disable_context(uint32_t client, CUcontext context, CUpti_ActivityKind kind);
CUptiResult share_enable_and_dump(uint32_t client, CUpti_ActivityKind kind);
CUptiResult share_enable_driver_api(uint32_t client, CUpti_CallbackId event, uint8_t enable);
CUptiResult share_enable_runtime_api(uint32_t client, CUpti_CallbackId event, uint8_t enable);
CUptiResult share_flush(uint32_t client, uint32_t flag);
CUptiResult share_dropped(uint32_t client, size_t *ret_dropped);
CUptiResult share_set_attribute(CUpti_ActivityAttribute attribute, size_t *size, void *value);
CUptiResult share_finalize(uint32_t client);

#endif
