/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nothing.c - stands in for all of preload/ behind the hooks, to make libttitrace-nop.so: what it
 * costs to stand in front of the driver and do nothing.
 */
#include <stdbool.h>

#include "../capture.h"
#include "../identity.h"
#include "../intern.h"
#include "../launch.h"
#include "../life.h"
#include "../window.h"

_Atomic bool recording;
__thread struct tls tls;
_Atomic bool clock_counter_is_steady;

void record_expect(const struct thread *t)
{
	(void)t;
}

uint64_t record_begin_first(void)
{
	return 0;
}

uint32_t intern(enum intern_kind kind, const void *content, size_t size)
{
	(void)kind, (void)content, (void)size;
	return 0;
}

/* Attribute and descriptor types are plain numbers here: the headers of cuDNN may be missing. */
void backend_created(int rc, uint32_t type, void *const *d);
void backend_destroyed(void *d);
void backend_set(int rc, uint32_t api, void *d, uint32_t attribute, uint32_t type, int64_t count,
		 const void *elements);
void backend_got(int rc, void *d, uint32_t type, int64_t requested, const int64_t *count,
		 const void *elements);
uint32_t backend_plan_id(uint32_t api, void *plan, void *variant_pack);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
void backend_created(int rc, uint32_t type, void *const *d)
{
}

void backend_destroyed(void *d)
{
}

void backend_set(int rc, uint32_t api, void *d, uint32_t attribute, uint32_t type, int64_t count,
		 const void *elements)
{
}

void backend_got(int rc, void *d, uint32_t type, int64_t requested, const int64_t *count,
		 const void *elements)
{
}

uint32_t backend_plan_id(uint32_t api, void *plan, void *variant_pack)
{
	return 0;
}
#pragma GCC diagnostic pop

void record_mark(const char *text)
{
	(void)text;
}

void window_open(enum window_key key)
{
	(void)key;
}

void window_close(enum window_key key)
{
	(void)key;
}

void capture_began(CUresult rc)
{
	(void)rc;
}

void capture_ended(CUresult rc)
{
	(void)rc;
}

void driver_ready(CUresult rc)
{
	(void)rc;
}

void context_ends(void)
{
}

void kernels_forget(void)
{
}

void graphs_forget(void)
{
}

/* Never reached: record_begin() says that nothing is to be recorded. */
#define NEVER(name, ...)                                                 \
	void name(uint64_t begin, uint32_t id, CUresult rc, __VA_ARGS__) \
	{                                                                \
		(void)begin, (void)id, (void)rc;                         \
		__builtin_unreachable();                                 \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
NEVER(record_launch, const struct launch *l)
NEVER(record_launch_list, const CUDA_LAUNCH_PARAMS *list, unsigned int n)
NEVER(record_node, const struct launch *l)
NEVER(record_node_params, const CUgraphNodeParams *p)
NEVER(record_graph_launch, CUgraphExec exec, CUstream s)
NEVER(record_transfer, enum tti_op op, uint64_t bytes, CUstream s)
NEVER(record_sync, CUstream s)
