/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvtx_abi.h - what NVTX 3 and an injected library agree on, as far as it is used here.  Fixed for
 * good: any copy of NVTX meets any tool (nvToolsExt.h, nvtxTypes.h of CUDA's headers).
 */
#ifndef PRELOAD_NVTX_ABI_H
#define PRELOAD_NVTX_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum { NVTX_TABLE_CALLBACKS = 1 };
enum nvtx_message { NVTX_MESSAGE_ASCII = 1, NVTX_MESSAGE_UNICODE = 2, NVTX_MESSAGE_REGISTERED = 3 };

/* nvtxEventAttributes_t */
struct nvtx_event {
	uint16_t version, size;
	uint32_t category;
	int32_t color_type;
	uint32_t color;
	int32_t payload_type, reserved;
	uint64_t payload;
	int32_t message_type; /* enum nvtx_message */
	union {
		const char *ascii;
		const wchar_t *unicode;
		const void *registered; /* what our RegisterString gave */
	} message;
};
_Static_assert(sizeof(struct nvtx_event) == 48, "as in nvToolsExt.h");

typedef void (*nvtx_function)(void);

/* NvtxExportTableCallbacks.  A module's table: pointers to where its function pointers stand. */
struct nvtx_callbacks {
	size_t size;
	int (*module_table)(uint32_t module, nvtx_function ***ret_table, unsigned int *ret_size);
};

typedef const void *(*nvtx_export_table)(uint32_t table);

#endif
