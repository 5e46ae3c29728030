/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h - driver.def as function pointers, and what they tell about the machine. */
#ifndef PRELOAD_DRIVER_H
#define PRELOAD_DRIVER_H

#include <cuda.h>
#include <stdbool.h>
#include <stdint.h>

#include "ttitrace/record.h"

struct driver {
#define DRIVER(symbol, params) CUresult(*symbol) params;
#include "driver.def"
#undef DRIVER
};

/* Never NULL inside: what the driver lacks answers CUDA_ERROR_NOT_FOUND. */
extern struct driver driver;

/* Fills `driver` from the loaded libcuda. */
void driver_bind(void);

struct device_text {
	char name[128];
	char uuid[16];
};

/* Describes one device; its strings are in *text.  False: there is no such device. */
bool driver_describe(int ordinal, struct tti_device *ret_device, struct device_text *text);

#endif
