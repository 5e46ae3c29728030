/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_library.h - which libcupti.  A process must not hold two. */
#ifndef PRELOAD_CUPTI_LIBRARY_H
#define PRELOAD_CUPTI_LIBRARY_H

#include <stddef.h>

/*
 * The one the process has loaded; else the one TTITRACE_CUPTI names; else one that ships beside
 * the process's CUDA runtime or libraries; else that of CUDA_HOME; else what the loader finds.
 * The major version is that of the application's CUDA.  Returns a dlopen handle and the path, or
 * NULL.
 */
void *cupti_library_open(char *ret_path, size_t path_bytes);

#endif
