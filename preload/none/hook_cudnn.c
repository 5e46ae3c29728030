/* SPDX-License-Identifier: Apache-2.0 */
/* hook_cudnn.c - in place of the real one where there are no headers of cuDNN to build it with. */
#include "../hook.h"

const struct hook_family family_cudnn = { .prefix = "cudnn" };
