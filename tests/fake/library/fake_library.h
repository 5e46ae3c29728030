/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_library.h - what the stand-ins for cuBLAS, cuBLASLt and cuDNN share.
 *
 * Their entry points come from the rows of the hook tables.  They do what the real ones were seen
 * to do where a tracer could go wrong: each brings a cudart of its own that finds the driver by
 * dlopen, one call launches several kernels, one library calls another, descriptors are reused.
 */
#ifndef TTITRACE_FAKE_LIBRARY_H
#define TTITRACE_FAKE_LIBRARY_H

#include <cuda.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_EXPORT __attribute__((visibility("default")))

/* Launches a kernel of that name; the grid is a mark by which a test can tell whose it is. */
bool library_launch(const char *kernel, uint64_t x, uint64_t y, CUstream stream);

/* The same as a node of a graph. */
bool library_add_node(const char *kernel, uint64_t x, uint64_t y, CUgraph graph);

#endif
