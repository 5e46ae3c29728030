/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvtx.h - ranges and marks that the program sets with NVTX, as records `mark`.
 *
 * NVTX 3 is a header: each object that uses it carries a copy, and a copy that is used for the
 * first time loads the library which NVTX_INJECTION64_PATH names and hands it a table of function
 * pointers to fill.  So the variable is set at start, unless another tool stands in it.
 */
#ifndef PRELOAD_NVTX_H
#define PRELOAD_NVTX_H

/* At start, before any thread: names this library to NVTX.  Keeps a variable that is set. */
void nvtx_announce(void);

#endif
