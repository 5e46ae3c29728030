/* SPDX-License-Identifier: Apache-2.0 */
/* fake_graph.c - the stand-in driver's graphs: nodes by hand or by capture, clones that run. */
#include "tests/fake/fake_driver.h"

#include <string.h>

CUgraph graph_new(void)
{
	CUgraph g = object_new(FAKE_GRAPH, sizeof(*g));
	g->id = next_id();
	observer_tell(&(struct fake_event){ .cbid = 9, .graph = g });
	return g;
}

static CUgraphNode node_append(CUgraph g, CUgraphNodeType type, const struct fake_work *work)
{
	CUgraphNode node = object_new(FAKE_NODE, sizeof(*node));
	node->graph = g;
	node->type = type;
	node->work = *work;
	driver_lock();
	node->id = (uint64_t)g->id << 32 | ++g->nr_nodes;
	if (g->last)
		g->last->next = node;
	else
		g->first = node;
	g->last = node;
	driver_unlock();
	return node;
}

CUresult graph_add(CUgraph g, CUgraphNodeType type, const struct fake_work *work,
		   CUgraphNode *ret_node)
{
	if (!object_is(g, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	CUgraphNode node = node_append(g, type, work);
	observer_tell(
		&(struct fake_event){ .cbid = 13, .graph = g, .node = node, .node_type = type });
	*ret_node = node;
	return CUDA_SUCCESS;
}

void graph_drop(CUgraph g)
{
	observer_tell(&(struct fake_event){ .cbid = 10, .graph = g });
	for (CUgraphNode node = g->first, next; node; node = next) {
		next = node->next;
		observer_tell(&(struct fake_event){
			.cbid = 14, .graph = g, .node = node, .node_type = node->type });
		object_free(FAKE_NODE, node);
	}
	object_free(FAKE_GRAPH, g);
}

static CUgraph graph_clone(CUgraph original, CUgraphExec exec)
{
	CUgraph g = object_new(FAKE_GRAPH, sizeof(*g));
	g->id = exec ? exec->id : next_id();
	observer_tell(&(struct fake_event){
		.cbid = 11, .graph = g, .original_graph = original, .exec = exec });
	for (CUgraphNode from = original->first; from; from = from->next) {
		CUgraphNode node = node_append(g, from->type, &from->work);
		node->origin_id = from->id;
		observer_tell(&(struct fake_event){ .cbid = 20,
						    .graph = g,
						    .original_graph = original,
						    .node = node,
						    .original_node = from,
						    .node_type = node->type,
						    .exec = exec });
	}
	return g;
}

ENTRY(cuGraphCreate, (CUgraph * ret_graph, unsigned int flags))
{
	if (flags)
		return CUDA_ERROR_INVALID_VALUE;
	*ret_graph = graph_new();
	return driver_ready();
}

ENTRY(cuGraphDestroy, (CUgraph g))
{
	if (!object_is(g, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	graph_drop(g);
	return CUDA_SUCCESS;
}

ENTRY(cuGraphClone, (CUgraph * ret_graph, CUgraph original))
{
	if (!object_is(original, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_graph = graph_clone(original, NULL);
	return CUDA_SUCCESS;
}

ENTRY(cuGraphGetNodes, (CUgraph g, CUgraphNode *nodes, size_t *n))
{
	size_t i = 0;
	if (!object_is(g, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	for (CUgraphNode node = g->first; node; node = node->next, i++) {
		if (nodes && i < *n)
			nodes[i] = node;
	}
	*n = i;
	return CUDA_SUCCESS;
}

ENTRY(cuGraphAddEmptyNode,
      (CUgraphNode * ret_node, CUgraph g, const CUgraphNode *deps, size_t nr_deps))
{
	const struct fake_work work = { .kind = FAKE_WORK_EMPTY };
	(void)deps, (void)nr_deps;
	return graph_add(g, CU_GRAPH_NODE_TYPE_EMPTY, &work, ret_node);
}

static CUresult kernel_node(CUgraphNode *ret_node, CUgraph g, void *function,
			    const struct fake_work *shape, void **params, void **extra)
{
	const struct fake_function *f = function_of(function);
	if (!f)
		return CUDA_ERROR_INVALID_HANDLE;
	if (f->nr_params && !params && !extra)
		return CUDA_ERROR_INVALID_VALUE;
	struct fake_work work = *shape;
	work.kind = FAKE_WORK_KERNEL;
	work.name = f->symbol;
	work.registers = f->registers;
	work.static_shared_bytes = f->static_shared_bytes;
	const CUresult r = graph_add(g, CU_GRAPH_NODE_TYPE_KERNEL, &work, ret_node);
	if (r == CUDA_SUCCESS)
		stat_add(FAKE_STAT_nodes_added, 1);
	return r;
}

#define SHAPE_OF(p)                                                          \
	{                                                                    \
		.grid = { (p)->gridDimX, (p)->gridDimY, (p)->gridDimZ },     \
		.block = { (p)->blockDimX, (p)->blockDimY, (p)->blockDimZ }, \
		.shared_bytes = (p)->sharedMemBytes                          \
	}

CUresult do_cuGraphAddKernelNode(CUgraphNode *ret_node, CUgraph g, const CUgraphNode *deps,
				 size_t n, const CUDA_KERNEL_NODE_PARAMS_v1 *p)
{
	const struct fake_work shape = SHAPE_OF(p);
	(void)deps, (void)n;
	return kernel_node(ret_node, g, p->func, &shape, p->kernelParams, p->extra);
}

CUresult do_cuGraphAddKernelNode_v2(CUgraphNode *ret_node, CUgraph g, const CUgraphNode *deps,
				    size_t n, const CUDA_KERNEL_NODE_PARAMS *p)
{
	const struct fake_work shape = SHAPE_OF(p);
	(void)deps, (void)n;
	return kernel_node(ret_node, g, p->func ? (void *)p->func : (void *)p->kern, &shape,
			   p->kernelParams, p->extra);
}

CUresult do_cuGraphAddNode(CUgraphNode *ret_node, CUgraph g, const CUgraphNode *deps, size_t n,
			   CUgraphNodeParams *p)
{
	const struct fake_work empty = { .kind = FAKE_WORK_EMPTY };
	if (p->type != CU_GRAPH_NODE_TYPE_KERNEL)
		return graph_add(g, p->type, &empty, ret_node);
	const struct fake_work shape = SHAPE_OF(&p->kernel);
	(void)deps, (void)n;
	return kernel_node(ret_node, g,
			   p->kernel.func ? (void *)p->kernel.func : (void *)p->kernel.kern, &shape,
			   p->kernel.kernelParams, p->kernel.extra);
}

CUresult do_cuGraphAddNode_v2(CUgraphNode *ret_node, CUgraph g, const CUgraphNode *deps,
			      const CUgraphEdgeData *edges, size_t n, CUgraphNodeParams *p)
{
	(void)edges;
	return do_cuGraphAddNode(ret_node, g, deps, n, p);
}

/* Instantiation, by every name it had. */

static CUresult instantiate(CUgraphExec *ret_exec, CUgraph g)
{
	if (!object_is(g, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	const CUresult r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	CUgraphExec e = object_new(FAKE_EXEC, sizeof(*e));
	e->id = next_id();
	observer_tell(&(struct fake_event){ .cbid = 17, .graph = g, .exec = e });
	e->clone = graph_clone(g, e);
	observer_tell(&(struct fake_event){ .cbid = 18, .graph = g, .exec = e });
	*ret_exec = e;
	return CUDA_SUCCESS;
}

ENTRY(cuGraphInstantiate,
      (CUgraphExec * ret_exec, CUgraph g, CUgraphNode *error, char *log, size_t log_bytes))
{
	(void)error, (void)log, (void)log_bytes;
	return instantiate(ret_exec, g);
}

ENTRY(cuGraphInstantiate_v2,
      (CUgraphExec * ret_exec, CUgraph g, CUgraphNode *error, char *log, size_t log_bytes))
{
	(void)error, (void)log, (void)log_bytes;
	return instantiate(ret_exec, g);
}

ENTRY(cuGraphInstantiateWithFlags, (CUgraphExec * ret_exec, CUgraph g, unsigned long long flags))
{
	(void)flags;
	return instantiate(ret_exec, g);
}

ENTRY(cuGraphInstantiateWithParams,
      (CUgraphExec * ret_exec, CUgraph g, CUDA_GRAPH_INSTANTIATE_PARAMS *params))
{
	params->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
	return instantiate(ret_exec, g);
}

CUresult do_cuGraphExecDestroy(CUgraphExec e)
{
	if (!object_is(e, FAKE_EXEC))
		return CUDA_ERROR_INVALID_HANDLE;
	observer_tell(&(struct fake_event){ .cbid = 19, .exec = e, .graph = e->clone });
	for (CUgraphNode node = e->clone->first, next; node; node = next) {
		next = node->next;
		object_free(FAKE_NODE, node);
	}
	object_free(FAKE_GRAPH, e->clone);
	object_free(FAKE_EXEC, e);
	return CUDA_SUCCESS;
}

/* The nodes keep their identity and take the new graph's work. */
static CUresult exec_update(CUgraphExec e, CUgraph g)
{
	if (!object_is(e, FAKE_EXEC) || !object_is(g, FAKE_GRAPH))
		return CUDA_ERROR_INVALID_HANDLE;
	if (e->clone->nr_nodes != g->nr_nodes)
		return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
	CUgraphNode to = e->clone->first;
	for (CUgraphNode from = g->first; from; from = from->next, to = to->next)
		to->work = from->work;
	return CUDA_SUCCESS;
}

ENTRY(cuGraphExecUpdate,
      (CUgraphExec e, CUgraph g, CUgraphNode *error, CUgraphExecUpdateResult *result))
{
	const CUresult r = exec_update(e, g);
	*error = NULL;
	*result = r ? CU_GRAPH_EXEC_UPDATE_ERROR : CU_GRAPH_EXEC_UPDATE_SUCCESS;
	return r;
}

ENTRY(cuGraphExecUpdate_v2, (CUgraphExec e, CUgraph g, CUgraphExecUpdateResultInfo *info))
{
	const CUresult r = exec_update(e, g);
	memset(info, 0, sizeof(*info));
	info->result = r ? CU_GRAPH_EXEC_UPDATE_ERROR : CU_GRAPH_EXEC_UPDATE_SUCCESS;
	return r;
}

ENTRY(cuGraphUpload, (CUgraphExec e, CUstream s))
{
	(void)s;
	return object_is(e, FAKE_EXEC) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult do_cuGraphLaunch(CUgraphExec e, CUstream handle)
{
	CUstream s = NULL;
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS)
		r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS && !object_is(e, FAKE_EXEC))
		r = CUDA_ERROR_INVALID_HANDLE;
	if (r != CUDA_SUCCESS) {
		stat_add(FAKE_STAT_refused, 1);
		return r;
	}
	stat_add(FAKE_STAT_graph_launches, 1);
	for (CUgraphNode node = e->clone->first; node && r == CUDA_SUCCESS; node = node->next) {
		struct fake_work work = node->work;
		work.graph_id = e->id;
		work.node_id = node->id;
		if (work.kind == FAKE_WORK_KERNEL)
			stat_add(FAKE_STAT_node_runs, 1);
		r = stream_run(s, &work);
	}
	return r;
}
