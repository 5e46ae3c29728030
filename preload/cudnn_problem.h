/* SPDX-License-Identifier: Apache-2.0 */
/* cudnn_problem.h - what a graph of cuDNN operations computes.  Runs in: the application's thread.
 */
#ifndef PRELOAD_CUDNN_PROBLEM_H
#define PRELOAD_CUDNN_PROBLEM_H

#include <stdint.h>

#include "descriptor.h"

/*
 * INTERN_CALL: a convolution and what is fused behind it; attention, as one operation or as two
 * products that follow each other; one matrix product; else the list of operations.
 */
uint32_t problem_id(uint32_t api, const struct descriptor *const *operations, uint32_t n);

/* The same problem where its shapes are not those of the graph: all that is left is its kind. */
uint32_t problem_without_shapes_id(uint32_t api, uint32_t call);

#endif
