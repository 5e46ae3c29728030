/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - programs that call cuBLAS, cuBLASLt and cuDNN, however they reached them. */
#ifndef TTITRACE_CALLS_H
#define TTITRACE_CALLS_H

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cudnn.h>
#include <stdbool.h>

#include "tests/programs/way/way.h"

struct libraries {
#define CUBLAS(name)   __typeof__(&(name)) name;
#define CUBLASLT(name) __typeof__(&(name)) name;
#define CUDNN(name)    __typeof__(&(name)) name;
#include "tests/programs/calls/calls.def"
#undef CUBLAS
#undef CUBLASLT
#undef CUDNN
};

/* The entry points as the linker binds them. */
extern const struct libraries calls_linked;

/* In a plug-in that is linked with the libraries. */
bool calls_plugin_run(const char *scenario);

/* Runs a scenario; false: there is none of that name. */
bool calls_run(const struct libraries *libraries, const char *scenario);

#endif
