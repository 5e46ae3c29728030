/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <sched.h>

#include "capture.h"
#include "driver.h"
#include "identity.h"
#include "life.h"
#include "origin.h"
#include "parameters.h"
#include "span.h"
#include "window.h"

/* Long enough for the writer to come by twice. */
#define PATIENCE_NS 500000000u

_Atomic bool recording;

uint64_t record_begin_first(void)
{
	if (tls.is_ours || !life_begin())
		return 0;
	/*
	 * The writer may have given up: life goes on, recording does not.  A window may be closed:
	 * captures into graphs are recorded all the same.
	 */
	if (atomic_load(&recording) || (!window_is_open() && capture_is_open()))
		return record_begin_now();
	tls.correlation = TLS_PASSED;
	return 0;
}

void record_expect(const struct thread *t)
{
	const uint32_t guess = t->successors[t->last_template % THREAD_SUCCESSORS];

	intern_expect(INTERN_TEMPLATE, guess);
	ring_expect(&t->ring);
	origin_expect(t);
}

/* The row's place in this thread's ring, or NULL: counted as a drop. */
static struct row *row_reserve(struct thread *t)
{
	struct row *row = ring_reserve(&t->ring);

	if (unlikely(!row))
		counter_add(&t->counters, TTI_COUNTER_RING_FULL, 1);
	return row;
}

/*
 * Generators repeat themselves: what followed this template the last time is the first guess,
 * and comparing costs a third of hashing.
 */
static uint32_t template_id(struct thread *t, const struct template_content *content)
{
	uint32_t *guess = &t->successors[t->last_template % THREAD_SUCCESSORS];

	if (unlikely(!*guess || !intern_is(INTERN_TEMPLATE, *guess, content, sizeof(*content))))
		*guess = intern(INTERN_TEMPLATE, content, sizeof(*content));
	t->last_template = *guess;
	return *guess;
}

static void row_put(struct thread *t, uint64_t begin, uint64_t end, CUresult rc,
		    const struct template_content *content, uint32_t parameters)
{
	const uint32_t template = template_id(t, content);
	struct row *row = row_reserve(t);

	if (unlikely(!template))
		counter_add(&t->counters, TTI_COUNTER_NO_TEMPLATE, 1);
	if (unlikely(!row))
		return;
	*row = (struct row){
		.begin = begin,
		.duration = end - begin < ROW_DURATION_MAX ? end - begin : ROW_DURATION_MAX,
		.result = (uint64_t)rc,
		.template = template,
		.correlation = tls.correlation,
		.node = tls.node,
		.parameters = parameters,
	};
	ring_commit(&t->ring);
}

static enum tti_counter counter_of(CUresult rc, const struct template_content *c)
{
	if (unlikely(rc != CUDA_SUCCESS) && c->op != TTI_OP_SYNC)
		return c->op == TTI_OP_COPY || c->op == TTI_OP_FILL ? TTI_COUNTER_FAILED_COPIES
								    : TTI_COUNTER_FAILED;
	switch (c->op) {
	case TTI_OP_LAUNCH:
		return c->flags & TTI_TEMPLATE_CAPTURED ? TTI_COUNTER_CAPTURED
							: TTI_COUNTER_LAUNCHES;
	case TTI_OP_NODE:
		return TTI_COUNTER_CAPTURED;
	case TTI_OP_GRAPH_LAUNCH:
		return TTI_COUNTER_GRAPH_LAUNCHES;
	case TTI_OP_SYNC:
		return TTI_COUNTER_SYNCS;
	default:
		return c->flags & TTI_TEMPLATE_CAPTURED ? TTI_COUNTER_CAPTURED_COPIES
							: TTI_COUNTER_COPIES;
	}
}

/* CUPTI has told of the node that the call made; without it the driver is asked. */
static bool is_captured(const struct template_content *c)
{
	if (c->op == TTI_OP_SYNC || c->op == TTI_OP_NODE)
		return false;
	return tls.node || (capture_is_open() && capture_holds((CUstream)(uintptr_t)c->stream));
}

static void record_until(uint64_t begin, uint64_t end, CUresult rc, struct template_content *c,
			 uint32_t parameters)
{
	struct thread *t = thread_self();

	if (unlikely(!t))
		return;
	c->context = context_id();
	/* It lies in a frame of ours, below that of the wrapper. */
	c->call = span_call((uintptr_t)c);
	if (unlikely(is_captured(c)))
		c->flags |= TTI_TEMPLATE_CAPTURED;
	if (unlikely(atomic_load_explicit(&window_is_limited, memory_order_relaxed)) &&
	    !window_admits(c))
		return;
	origin_add(t, c);
	counter_add(&t->counters, counter_of(rc, c), 1);
	row_put(t, begin, end, rc, c, parameters);
}

/* The end is read first: what follows is our time, not the call's. */
static void record(uint64_t begin, CUresult rc, struct template_content *c)
{
	record_until(begin, clock_ticks(), rc, c, 0);
}

static void attributes_add(struct template_content *c, const CUlaunchConfig *config)
{
	for (unsigned int i = 0; i < config->numAttrs; i++) {
		const CUlaunchAttribute *a = &config->attrs[i];

		if (a->id == CU_LAUNCH_ATTRIBUTE_COOPERATIVE && a->value.cooperative)
			c->flags |= TTI_TEMPLATE_COOPERATIVE;
		if (a->id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) {
			c->cluster[0] = a->value.clusterDim.x;
			c->cluster[1] = a->value.clusterDim.y;
			c->cluster[2] = a->value.clusterDim.z;
		}
	}
}

static void record_kernel(uint64_t begin, uint32_t id, CUresult rc, enum tti_op op,
			  const struct launch *l)
{
	const uint64_t end = clock_ticks();
	const uint32_t kernel = kernel_id(l->function);
	uint32_t parameters = 0;
	struct template_content c = {
		.op = op,
		.api = id,
		.kernel = kernel & ~KERNEL_WANTS_PARAMETERS,
		.grid = { l->grid[0], l->grid[1], l->grid[2] },
		.block = { l->block[0], l->block[1], l->block[2] },
		.shared_bytes = l->shared_bytes,
		.stream = (uint64_t)(uintptr_t)l->stream,
		.flags = l->flags,
	};

	if (unlikely(l->config && l->config->numAttrs))
		attributes_add(&c, l->config);
	/* Of a refused launch nobody knows whether they are there at all. */
	if (unlikely(kernel & KERNEL_WANTS_PARAMETERS) && rc == CUDA_SUCCESS)
		parameters = parameters_id(c.kernel, l->params, l->extra);
	record_until(begin, end, rc, &c, parameters);
}

void record_launch(uint64_t begin, uint32_t id, CUresult rc, const struct launch *l)
{
	record_kernel(begin, id, rc, TTI_OP_LAUNCH, l);
}

void record_launch_list(uint64_t begin, uint32_t id, CUresult rc, const CUDA_LAUNCH_PARAMS *list,
			unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		record_launch(begin, id, rc,
			      &(const struct launch){
				      .function = list[i].function,
				      .stream = list[i].hStream,
				      .shared_bytes = list[i].sharedMemBytes,
				      .flags = TTI_TEMPLATE_COOPERATIVE,
				      .params = list[i].kernelParams,
				      .grid = { list[i].gridDimX, list[i].gridDimY,
						list[i].gridDimZ },
				      .block = { list[i].blockDimX, list[i].blockDimY,
						 list[i].blockDimZ },
			      });
}

void record_node(uint64_t begin, uint32_t id, CUresult rc, const struct launch *l)
{
	record_kernel(begin, id, rc, TTI_OP_NODE, l);
}

void record_node_params(uint64_t begin, uint32_t id, CUresult rc, const CUgraphNodeParams *p)
{
	const CUDA_KERNEL_NODE_PARAMS_v3 *k = &p->kernel;

	if (p->type != CU_GRAPH_NODE_TYPE_KERNEL)
		return;
	record_node(begin, id, rc,
		    &(const struct launch){
			    .function = k->func ? k->func : (CUfunction)k->kern,
			    .shared_bytes = k->sharedMemBytes,
			    .params = k->kernelParams,
			    .extra = k->extra,
			    .grid = { k->gridDimX, k->gridDimY, k->gridDimZ },
			    .block = { k->blockDimX, k->blockDimY, k->blockDimZ },
		    });
}

void record_graph_launch(uint64_t begin, uint32_t id, CUresult rc, CUgraphExec exec, CUstream s)
{
	struct template_content c = {
		.op = TTI_OP_GRAPH_LAUNCH,
		.api = id,
		.graph_exec = graph_exec_id(exec),
		.stream = (uint64_t)(uintptr_t)s,
	};

	record(begin, rc, &c);
}

void record_transfer(uint64_t begin, uint32_t id, CUresult rc, enum tti_op op, uint64_t bytes,
		     CUstream s)
{
	struct template_content c = {
		.op = op,
		.api = id,
		.bytes = bytes,
		.stream = (uint64_t)(uintptr_t)s,
	};

	record(begin, rc, &c);
}

void record_sync(uint64_t begin, uint32_t id, CUresult rc, CUstream s)
{
	struct template_content c = {
		.op = TTI_OP_SYNC,
		.api = id,
		.stream = (uint64_t)(uintptr_t)s,
	};

	record(begin, rc, &c);
}

/* Off the launch path: waits for room in the ring. */
static void put_patiently(const struct row *content)
{
	struct thread *t = thread_self();
	const uint64_t give_up = clock_read_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
	struct row *row;

	if (!t)
		return;
	while (!(row = ring_reserve(&t->ring)) && clock_read_ns(CLOCK_MONOTONIC) < give_up)
		sched_yield();
	if (row) {
		*row = *content;
		ring_commit(&t->ring);
	} else {
		counter_add(&t->counters, TTI_COUNTER_RING_FULL, 1);
	}
}

/* A graph of many nodes fills the ring in one call; instantiating is no launch, so it may wait. */
void record_graph_node(uint64_t node, uint64_t origin, uint32_t graph, uint32_t type)
{
	put_patiently(&(const struct row){ .template = ROW_GRAPH_NODE,
					   .begin = node,
					   .node = origin,
					   .correlation = graph,
					   .duration = type });
}

void record_said(const struct said *said)
{
	struct thread *t = thread_self();
	struct row *row = t ? row_reserve(t) : NULL;

	if (!row)
		return;
	*row = (struct row){
		.template = ROW_MARK,
		.begin = clock_ticks(),
		.node = said->text,
		.correlation = said->kind,
		.parameters = said->domain,
		.duration = said->range,
	};
	ring_commit(&t->ring);
}

void record_mark(const char *text)
{
	if (!tls.is_ours && life_expect_marks())
		put_patiently(&(const struct row){
			.template = ROW_MARK, .begin = clock_ticks(), .node = string_id(text) });
}
