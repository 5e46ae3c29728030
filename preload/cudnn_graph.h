/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cudnn_graph.h - from cuDNN's backend descriptors to the problem that a plan solves.
 *
 * A chain of descriptors leads from tensors to a plan, and programs destroy all but the plan once
 * it is made.  So nothing is looked up later: facts are copied when a descriptor is given to
 * another, the problem is interned when a graph gets its operations, and what is made from the
 * graph carries the problem's id.
 *
 * Runs in: the application's threads, after (destroyed: before) the real call.  No malloc, no lock.
 */
#ifndef PRELOAD_CUDNN_GRAPH_H
#define PRELOAD_CUDNN_GRAPH_H

#include <cudnn.h>
#include <stdint.h>

void backend_created(cudnnStatus_t rc, uint32_t type, const cudnnBackendDescriptor_t *d);
void backend_destroyed(cudnnBackendDescriptor_t d);

/* `api`: the entry point that the problem of a graph is recorded under. */
void backend_set(cudnnStatus_t rc, uint32_t api, cudnnBackendDescriptor_t d, uint32_t attribute,
		 uint32_t type, int64_t count, const void *elements);
void backend_got(cudnnStatus_t rc, cudnnBackendDescriptor_t d, uint32_t type, int64_t requested,
		 const int64_t *count, const void *elements);

/* The problem of a plan, 0: not known. */
uint32_t backend_plan_id(uint32_t api, cudnnBackendDescriptor_t plan,
			 cudnnBackendDescriptor_t variant_pack);

#endif
