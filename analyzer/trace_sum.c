/* SPDX-License-Identifier: Apache-2.0 */
/* From sums by template to sums of the trace, when all rows are in. */
#include "trace.h"
#include "trace_parts.h"

static void sum_host(struct trace *t)
{
	uint64_t *counted = t->counted;

	for (size_t i = 1; i < t->model.templates.nr; i++) {
		const struct host_template *h = &t->model.templates.rows[i];
		const bool captured = h->definition.flags & TTI_TEMPLATE_CAPTURED;

		t->host_ns += h->host_ns;
		if (h->definition.flags & TTI_TEMPLATE_PATH_INHERITED)
			counted[TTI_COUNTER_PATHS_INHERITED] += h->count + h->failed;
		switch (h->definition.op) {
		case TTI_OP_LAUNCH:
			counted[captured ? TTI_COUNTER_CAPTURED : TTI_COUNTER_LAUNCHES] += h->count;
			counted[TTI_COUNTER_FAILED] += h->failed;
			break;
		case TTI_OP_NODE:
			counted[TTI_COUNTER_CAPTURED] += h->count;
			break;
		case TTI_OP_GRAPH_LAUNCH:
			counted[TTI_COUNTER_GRAPH_LAUNCHES] += h->count;
			counted[TTI_COUNTER_FAILED] += h->failed;
			break;
		case TTI_OP_COPY:
		case TTI_OP_FILL:
			counted[captured ? TTI_COUNTER_CAPTURED_COPIES : TTI_COUNTER_COPIES] +=
				h->count;
			counted[TTI_COUNTER_FAILED_COPIES] += h->failed;
			break;
		case TTI_OP_SYNC:
			counted[TTI_COUNTER_SYNCS] += h->count + h->failed;
			break;
		default:
			break;
		}
	}
	t->model.problems[PROBLEM_undefined_template] =
		t->model.templates.rows[0].count + t->model.templates.rows[0].failed;
}

static void sum_device(struct trace *t)
{
	for (size_t i = 1; i < t->model.device_templates.nr; i++) {
		const struct device_template *d = &t->model.device_templates.rows[i];
		struct trace_device *device =
			d->count ? trace_find_device(t, d->definition.device) : NULL;

		if (!device)
			continue;
		switch (d->definition.activity) {
		case TTI_ACTIVITY_KERNEL:
			t->counted[TTI_COUNTER_KERNEL_RECORDS] += d->count;
			t->counted[TTI_COUNTER_NODE_RECORDS] += d->node_count;
			device->kernel_ns += d->time_ns;
			break;
		case TTI_ACTIVITY_GRAPH:
			t->graph_records += d->count;
			device->kernel_ns += d->time_ns;
			break;
		default:
			t->counted[TTI_COUNTER_COPY_RECORDS] += d->count;
			device->copy_ns += d->time_ns;
			break;
		}
	}
	t->model.problems[PROBLEM_undefined_device_template] =
		t->model.device_templates.rows[0].count;
	for (size_t i = 0; i < t->nr_devices; i++) {
		struct busy *b = t->devices[i].busy;

		busy_merge(b);
		if (b->last_ns)
			trace_see_time(t, b->first_ns, b->last_ns);
	}
}

static void sum_nodes(struct trace *t)
{
	const struct model *m = &t->model;

	for (size_t i = 1; i < m->nodes.nr; i++) {
		const struct graph_node *node = &m->nodes.rows[i];
		const struct device_template *d = &m->device_templates.rows[node->device_template];
		const uint32_t creator = node->nr_rows ? model_node_creator(m, node) : 0;

		if (!node->nr_rows || d->definition.activity != TTI_ACTIVITY_KERNEL)
			continue;
		if (!creator)
			t->nodes_without_creator += node->nr_rows;
		else if (!templates_agree(&m->templates.rows[creator], d))
			t->nodes_mismatched += node->nr_rows;
	}
}

void trace_sum(struct trace *t)
{
	sum_host(t);
	sum_device(t);
	sum_nodes(t);
}
