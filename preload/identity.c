/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c - Runs in: the application's thread, after the real call.  Known handles cost one
 * probe; a new one asks the driver, which may take its own locks.
 */
#include "identity.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "cupti.h"
#include "driver.h"
#include "parameters.h"
#include "thread.h"

#define MAP_SLOTS  65536u
#define MAP_PROBES 16u

/* handle -> generation and id, lock-free; a slot keeps its handle for good. */
struct handle_map {
	_Atomic uint32_t generation;
	struct {
		_Atomic uint64_t handle;
		_Atomic uint64_t value; /* generation in the upper half, id in the lower */
	} slots[MAP_SLOTS];
};

static struct handle_map kernels, graphs;
static _Atomic uint32_t context_generation;

uint32_t string_id(const char *text)
{
	return intern(INTERN_STRING, text, strlen(text));
}

/* The value's place for a handle, or NULL: no room; then the driver is asked each time. */
static _Atomic uint64_t *map_place(struct handle_map *m, uint64_t handle)
{
	const uint64_t hash = (handle >> 4) * 0x9e3779b97f4a7c15u >> 40;

	for (uint32_t i = 0; i < MAP_PROBES; i++) {
		_Atomic uint64_t *slot = &m->slots[(hash + i) % MAP_SLOTS].handle;
		uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed);

		if (!seen && atomic_compare_exchange_strong(slot, &seen, handle))
			seen = handle;
		if (seen == handle)
			return &m->slots[(hash + i) % MAP_SLOTS].value;
	}
	return NULL;
}

static void map_forget(struct handle_map *m)
{
	atomic_fetch_add_explicit(&m->generation, 1, memory_order_relaxed);
}

/* Looks `handle` up; asks `define` when this generation does not know it. */
static inline uint32_t map_id(struct handle_map *m, void *handle,
			      uint32_t (*define)(void *handle, uint32_t generation))
{
	const uint32_t generation = atomic_load_explicit(&m->generation, memory_order_relaxed);
	_Atomic uint64_t *place = map_place(m, (uint64_t)(uintptr_t)handle);
	uint64_t value = place ? atomic_load_explicit(place, memory_order_acquire) : 0;
	int saved;

	if (likely((uint32_t)value && value >> 32 == generation))
		return (uint32_t)value;
	saved = errno;
	tls.is_ours++;
	value = define(handle, generation);
	tls.is_ours--;
	errno = saved;
	if (place && value)
		atomic_store_explicit(place, (uint64_t)generation << 32 | value,
				      memory_order_release);
	return (uint32_t)value;
}

static uint32_t attribute(CUfunction f, CUfunction_attribute a)
{
	int value = 0;

	return driver.cuFuncGetAttribute(&value, a, f) == CUDA_SUCCESS && value > 0
		       ? (uint32_t)value
		       : 0;
}

/* PyTorch and cuDNN pass a CUkernel as CUfunction: then only cuKernel* calls answer. */
static void read_parameters(CUfunction f, struct kernel_content *k)
{
	size_t offset = 0, size = 0;

	for (uint32_t i = 0; i < KERNEL_PARAMETERS_MAX; i++) {
		if (driver.cuFuncGetParamInfo(f, i, &offset, &size) != CUDA_SUCCESS &&
		    driver.cuKernelGetParamInfo((CUkernel)f, i, &offset, &size) != CUDA_SUCCESS)
			break;
		k->parameters[i].offset = (uint32_t)offset;
		k->parameters[i].size = (uint32_t)size;
		k->nr_parameters = i + 1;
	}
}

static uint32_t define_kernel(void *handle, uint32_t generation)
{
	CUfunction f = handle;
	struct kernel_content k;
	const char *name = NULL;
	uint32_t id;

	(void)generation;
	memset(&k, 0, offsetof(struct kernel_content, parameters));
	read_parameters(f, &k);
	if (driver.cuFuncGetName(&name, f) != CUDA_SUCCESS &&
	    driver.cuKernelGetName(&name, handle) == CUDA_SUCCESS)
		driver.cuKernelGetFunction(&f, handle);
	if (name)
		k.name = string_id(name);
	k.registers = attribute(f, CU_FUNC_ATTRIBUTE_NUM_REGS);
	k.static_shared_bytes = attribute(f, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
	k.local_bytes = attribute(f, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
	k.const_bytes = attribute(f, CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES);
	k.max_threads = attribute(f, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
	k.binary_version = attribute(f, CU_FUNC_ATTRIBUTE_BINARY_VERSION);
	k.ptx_version = attribute(f, CU_FUNC_ATTRIBUTE_PTX_VERSION);
	id = intern(INTERN_KERNEL, &k,
		    offsetof(struct kernel_content, parameters) +
			    k.nr_parameters * sizeof(k.parameters[0]));
	return id && parameters_are_wanted(name) ? id | KERNEL_WANTS_PARAMETERS : id;
}

uint32_t kernel_id(CUfunction f)
{
	return map_id(&kernels, f, define_kernel);
}

static uint32_t define_graph_exec(void *handle, uint32_t generation)
{
	struct graph_exec_content g = { .handle = (uint64_t)(uintptr_t)handle,
					.generation = generation,
					.cupti = cupti_graph_exec_id(handle) };

	return intern(INTERN_GRAPH_EXEC, &g, sizeof(g));
}

uint32_t graph_exec_id(CUgraphExec exec)
{
	return map_id(&graphs, exec, define_graph_exec);
}

static uint32_t define_context(CUcontext handle, uint32_t generation)
{
	struct context_content c = { .handle = (uint64_t)(uintptr_t)handle,
				     .generation = generation };
	CUdevice device = 0;

	driver.cuCtxGetDevice(&device);
	c.device = (uint32_t)device;
	c.cupti = cupti_context_id(handle);
	return intern(INTERN_CONTEXT, &c, sizeof(c));
}

/* CUPTI's callback has told the context of this call; without it the driver is asked. */
uint32_t context_id(void)
{
	const uint32_t generation = atomic_load_explicit(&context_generation, memory_order_relaxed);
	void *handle = tls.context;
	int saved;

	if (!handle && driver.cuCtxGetCurrent((CUcontext *)&handle) != CUDA_SUCCESS)
		return 0;
	if (likely(handle == tls.last_context && generation == tls.last_context_generation))
		return tls.last_context_id;
	saved = errno;
	tls.is_ours++;
	tls.last_context_id = define_context(handle, generation);
	tls.is_ours--;
	errno = saved;
	tls.last_context = handle;
	tls.last_context_generation = generation;
	return tls.last_context_id;
}

void kernels_forget(void)
{
	map_forget(&kernels);
}

void graphs_forget(void)
{
	map_forget(&graphs);
}

void contexts_forget(void)
{
	atomic_fetch_add_explicit(&context_generation, 1, memory_order_relaxed);
	kernels_forget();
	graphs_forget();
}
