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

/* An end that the driver refuses may still have ended the capture; never below zero. */
void capture_ended(void)
{
	uint32_t open = atomic_load_explicit(&captures_open, memory_order_relaxed);

	while (open && !atomic_compare_exchange_weak(&captures_open, &open, open - 1)) {
	}
}

bool capture_holds(CUstream stream)
{
	CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;

	return driver.cuStreamIsCapturing(stream, &status) == CUDA_SUCCESS &&
	       status != CU_STREAM_CAPTURE_STATUS_NONE;
}
