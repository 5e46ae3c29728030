/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_floor.c - the least that a tool with CUPTI does, for bench.py to compare with: records of
 * every kernel, copy and fill are asked for and thrown away, and each launch is called back for
 * its correlation id.  No hooks, no file, no thread.  Loaded by CUDA_INJECTION64_PATH.
 */
#include <cuda.h>
#include <cupti.h>
#include <stdint.h>
#include <stdlib.h>

enum { BUFFER_BYTES = 1 << 20 };

static __thread volatile uint32_t correlation;

int InitializeInjection(void);

static void CUPTIAPI on_call(void *unused, CUpti_CallbackDomain domain, CUpti_CallbackId id,
			     const void *data)
{
	const CUpti_CallbackData *call = data;

	(void)unused;
	(void)domain;
	(void)id;
	if (call->callbackSite == CUPTI_API_ENTER)
		correlation = call->correlationId;
}

static void CUPTIAPI on_request(uint8_t **buffer, size_t *size, size_t *max_records)
{
	*buffer = aligned_alloc(64, BUFFER_BYTES);
	*size = *buffer ? BUFFER_BYTES : 0;
	*max_records = 0;
}

static void CUPTIAPI on_complete(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size,
				 size_t valid)
{
	(void)context;
	(void)stream;
	(void)size;
	(void)valid;
	free(buffer);
}

int InitializeInjection(void)
{
	static const CUpti_CallbackId launches[] = {
		CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,
		CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
		CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,
		CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
		CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,
		CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz,
	};
	CUpti_SubscriberHandle subscriber;

	if (cuptiSubscribe(&subscriber, on_call, NULL) != CUPTI_SUCCESS)
		return 0;
	for (size_t i = 0; i < sizeof(launches) / sizeof(launches[0]); i++)
		cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API, launches[i]);
	cuptiActivityRegisterCallbacks(on_request, on_complete);
	cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
	cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMCPY);
	cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMSET);
	return 1;
}
