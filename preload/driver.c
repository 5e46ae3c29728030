/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - Runs in: the thread that first reaches the driver. */

#include "driver.h"

#include <dlfcn.h>
#include <string.h>

#include "resolve.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define DRIVER(symbol, params)                 \
	static CUresult absent_##symbol params \
	{                                      \
		return CUDA_ERROR_NOT_FOUND;   \
	}
#include "driver.def"
#undef DRIVER
#pragma GCC diagnostic pop

struct driver driver = {
#define DRIVER(symbol, params) .symbol = absent_##symbol,
#include "driver.def"
#undef DRIVER
};

void driver_bind(void)
{
	void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
	void *real;

	if (!library)
		return;
#define DRIVER(symbol, params)                 \
	real = resolve_real(library, #symbol); \
	if (real)                              \
		driver.symbol = (CUresult(*) params)real;
#include "driver.def"
#undef DRIVER
}

static uint64_t attribute(CUdevice d, CUdevice_attribute a)
{
	int value = 0;

	return driver.cuDeviceGetAttribute(&value, a, d) == CUDA_SUCCESS && value > 0
		       ? (uint64_t)value
		       : 0;
}

bool driver_describe(int ordinal, struct tti_device *ret_device, struct device_text *text)
{
	CUdevice d;
	size_t bytes = 0;

	memset(text, 0, sizeof(*text));
	if (driver.cuDeviceGet(&d, ordinal) != CUDA_SUCCESS)
		return false;
	driver.cuDeviceGetName(text->name, sizeof(text->name) - 1, d);
	driver.cuDeviceGetUuid((CUuuid *)text->uuid, d);
	driver.cuDeviceTotalMem_v2(&bytes, d);
	*ret_device = (struct tti_device){
		.ordinal = (uint64_t)ordinal,
		.name = { text->name, strlen(text->name) },
		.uuid = { text->uuid, sizeof(text->uuid) },
		.compute_major = attribute(d, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
		.compute_minor = attribute(d, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
		.multiprocessors = attribute(d, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
		.clock_khz = attribute(d, CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
		.memory_clock_khz = attribute(d, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
		.memory_bus_bits = attribute(d, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH),
		.memory_bytes = bytes,
		.l2_bytes = attribute(d, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE),
	};
	return true;
}
