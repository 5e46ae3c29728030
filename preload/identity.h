/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h - handles of the driver to ids of the trace.
 *
 * A handle may come back as something else after its object has gone, so an id is good for one
 * generation: the hooks on unload and destroy end it before the real call.
 */
#ifndef PRELOAD_IDENTITY_H
#define PRELOAD_IDENTITY_H

#include <cuda.h>
#include <stddef.h>
#include <stdint.h>

#include "intern.h"

/* Contents of the intern tables; intern() compares them bytewise, so there is no padding. */
#define KERNEL_PARAMETERS_MAX 1024u

struct kernel_content {
	uint32_t name; /* INTERN_STRING */
	uint32_t registers, static_shared_bytes, local_bytes, const_bytes;
	uint32_t max_threads, binary_version, ptx_version;
	uint32_t nr_parameters;
	struct {
		uint32_t offset, size;
	} parameters[KERNEL_PARAMETERS_MAX]; /* the first nr_parameters are stored */
};

/* What repeats from call to call. */
struct template_content {
	uint64_t stream; /* the handle */
	uint64_t bytes;
	uint32_t op;                          /* tti_op */
	uint32_t api;                         /* row of hook_cuda.def */
	uint32_t kernel, context, graph_exec; /* ids */
	uint32_t flags;                       /* tti_template_flag */
	uint32_t grid[3], block[3], cluster[3];
	uint32_t shared_bytes;
	uint32_t call, stack, path; /* ids; 0: none */
	uint32_t zero;
};
_Static_assert(sizeof(struct template_content) == 96, "no padding");

struct context_content {
	uint64_t handle;
	uint32_t device;
	uint32_t cupti;
	uint64_t generation;
};

struct graph_exec_content {
	uint64_t handle;
	uint64_t generation;
	uint64_t cupti; /* CUPTI's id; 0: not known */
};

struct device_template_content {
	uint64_t bytes;
	uint32_t activity; /* tti_activity */
	uint32_t name;     /* INTERN_STRING */
	uint32_t device, context, stream, graph;
	uint32_t grid[3], block[3];
	uint32_t static_shared_bytes, dynamic_shared_bytes, registers, local_bytes;
	uint32_t copy_kind, source_memory, target_memory, zero;
};
_Static_assert(sizeof(struct device_template_content) == 88, "no padding");

/*
 * 0: the tables are full.  A kernel's comes with a flag, so that a launch need not look for it.
 */
#define KERNEL_WANTS_PARAMETERS (1u << 31)
uint32_t kernel_id(CUfunction f);
uint32_t context_id(void);
uint32_t graph_exec_id(CUgraphExec exec);
uint32_t string_id(const char *text);

/* Hooks: handles of this sort may be reused from now on. */
void kernels_forget(void);
void graphs_forget(void);
void contexts_forget(void);

#endif
