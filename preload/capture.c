/* SPDX-License-Identifier: Apache-2.0 */
/* capture.c - Runs in: the application's thread. */
#include "capture.h"

#include "driver.h"

_Atomic uint32_t captures_open;

void capture_began(CUresult rc)
{
	if (rc == CUDA_SUCCESS)
		atomic_fetch_add_explicit(&captures_open, 1, memory_order_relaxed);
}

/* These failures end a capture too.  One too many open costs time, one too few costs truth. */
void capture_ended(CUresult rc)
{
	uint32_t open = atomic_load_explicit(&captures_open, memory_order_relaxed);

	if (rc != CUDA_SUCCESS && rc != CUDA_ERROR_STREAM_CAPTURE_INVALIDATED &&
	    rc != CUDA_ERROR_STREAM_CAPTURE_UNJOINED)
		return;

	while (open && !atomic_compare_exchange_weak(&captures_open, &open, open - 1)) {
	}
}

bool capture_holds(CUstream stream)
{
	CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;

	return driver.cuStreamIsCapturing(stream, &status) == CUDA_SUCCESS &&
	       status != CU_STREAM_CAPTURE_STATUS_NONE;
}
