/* SPDX-License-Identifier: Apache-2.0 */
/* hook_cuda.h - the rows of hook_cuda.def by number. */
#ifndef PRELOAD_HOOK_CUDA_H
#define PRELOAD_HOOK_CUDA_H

#include <stdint.h>

const char *hook_cuda_symbol(uint32_t id);

#endif
