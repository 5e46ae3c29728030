/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way.h - the ways in which programs reach the CUDA driver, and what the test programs share.
 *
 * driver_open(way):
 *   dlsym, dlvsym   dlopen, then by name
 *   getproc         dlopen, cuGetProcAddress_v2 by dlsym, the rest through it: like cudart
 *   getproc_v1      the same by the older cuGetProcAddress
 *   default         dlopen(RTLD_GLOBAL), then dlsym(RTLD_DEFAULT)
 *   linked          the program was linked with -lcuda
 *   next            dlsym(RTLD_NEXT), asked by a third library that comes before libcuda
 * "+ptsz" behind it takes the twins for the per-thread default stream where there are any.
 */
#ifndef TTITRACE_WAY_H
#define TTITRACE_WAY_H

#include <cuda.h>
#include <cudaProfiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Programs still make the launches that the header calls old. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct driver {
#define FUNCTION(name) __typeof__(&(name)) name;
#include "tests/programs/way/way.def"
#undef FUNCTION
};

extern struct driver cu;

/* Fills `cu`, and ends the program with a word if a function is missing. */
void driver_open(const char *way);

/* cuInit, device 0's primary context made current. */
CUcontext driver_start(void);

CUfunction kernel_named(CUmodule module, const char *name);

/* One launch of `f(void *, int)` with the grid given. */
CUresult launch(CUfunction f, unsigned int x, unsigned int y, unsigned int z, CUstream stream);

/* Parameters (8 and 4 bytes) of the kernels that the programs make. */
#define PARAMETERS " 8 4\n"

#define CHECK(call)                                                                       \
	do {                                                                              \
		const CUresult check_r = (call);                                          \
		if (check_r != CUDA_SUCCESS) {                                            \
			fprintf(stderr, "%s:%d: %s gave %d\n", __FILE__, __LINE__, #call, \
				(int)check_r);                                            \
			exit(3);                                                          \
		}                                                                         \
	} while (0)

#endif
