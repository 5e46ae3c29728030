/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - what we know about each live cuDNN backend descriptor, by its handle.
 *
 * No lock and no malloc: a fixed number of entries from memory that costs only what is touched.
 * cuDNN itself wants a descriptor not to be used by one thread while another one makes or destroys
 * it, so an entry needs no protection of its own; the table does, and has it.
 *
 * Runs in: the application's threads.
 */
#ifndef PRELOAD_DESCRIPTOR_H
#define PRELOAD_DESCRIPTOR_H

#include <stdatomic.h>
#include <stdint.h>

#include "call.h"

struct tensor {
	uint32_t type; /* cudnnDataType_t */
	uint32_t is_virtual, is_by_value, is_ragged;
	struct call_list dims, strides;
};

/* Where an operation has a tensor. */
enum tensor_role {
	ROLE_X, /* input; A, Q.  A tensor descriptor has itself here */
	ROLE_W, /* filter; B, K */
	ROLE_Y, /* output; C, O */
	ROLE_V,
	NR_TENSOR_ROLES
};

/* One for all sorts of descriptors; each uses the fields that it has. */
struct descriptor {
	uint32_t type;          /* cudnnBackendDescriptorType_t */
	uint32_t call;          /* graph and what is made from it: its problem, INTERN_CALL */
	uint32_t mode;          /* cudnnPointwiseMode_t, cudnnReduceTensorOp_t, ... */
	uint32_t compute;       /* cudnnDataType_t */
	uint32_t has_lengths;   /* sequence lengths come from the device */
	uint32_t is_overridden; /* a variant pack that brings other shapes than the plan's */
	struct call_list pads, post_pads, strides, dilations;
	struct tensor tensors[NR_TENSOR_ROLES];
};

#define DESCRIPTORS_MAX 65535u

/* A zeroed entry for `handle`, in place of one it had; NULL: no room, counted. */
struct descriptor *descriptor_add(const void *handle);

/* NULL: not known. */
struct descriptor *descriptor_find(const void *handle);

/* Its entry goes to the next that comes. */
void descriptor_remove(const void *handle);

#endif
