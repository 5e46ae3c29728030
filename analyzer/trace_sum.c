/* SPDX-License-Identifier: Apache-2.0 */
/* From sums by template to sums of the trace, when all rows are in. */
#include <errno.h>
#include <stdlib.h>

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

/* The sums of nodes go to the launches that put them into their graphs. */
int trace_settle_node(const struct graph_node *node, void *trace)
{
	struct trace *t = trace;
	const struct model *m = &t->model;
	const struct device_template *d = &m->device_templates.rows[node->device_template];
	const uint32_t creator = node->nr_rows ? model_node_creator(m, node) : 0;
	const struct host_template *h = &m->templates.rows[t->pairs.sites[creator].template];

	if (!node->nr_rows)
		return 0;
	if (creator &&
	    pairs_add(&t->pairs, creator, node->device_template, model_node_segment(m, node),
		      node->nr_rows, node->time_ns, node->min_ns, node->max_ns) < 0)
		return -ENOMEM;
	if (d->definition.activity != TTI_ACTIVITY_KERNEL)
		return 0;
	if (!creator)
		t->nodes_without_creator += node->nr_rows;
	else if (!templates_have_one_geometry(h, d) || !templates_have_one_name(h, d))
		t->nodes_mismatched += node->nr_rows;
	return 0;
}

static int sum_nodes(struct trace *t)
{
	int r = 0;

	for (size_t i = 1; i < t->model.nodes.nr && r == 0; i++)
		r = trace_settle_node(&t->model.nodes.rows[i], t);
	return r;
}

static void sum_sites(struct trace *t)
{
	for (size_t i = 1; i < t->pairs.nr_sites; i++) {
		const struct site *site = &t->pairs.sites[i];
		struct host_template *h = &t->model.templates.rows[site->template];

		h->count += site->count;
		h->host_ns += site->host_ns;
	}
}

/* What no launch is known for is still the device's time. */
static int sum_unpaired(struct trace *t)
{
	struct pairs *p = &t->pairs;
	const size_t nr = t->model.device_templates.nr;
	struct remainder {
		uint64_t count, time_ns;
	} *paired = calloc(nr, sizeof(*paired));
	int r = 0;

	if (!paired)
		return -ENOMEM;
	for (size_t i = 1; i < p->nr_pairs; i++) {
		paired[p->pairs[i].device_template].count += p->pairs[i].count;
		paired[p->pairs[i].device_template].time_ns += p->pairs[i].time_ns;
	}
	for (size_t i = 1; i < nr && r == 0; i++) {
		const struct device_template *d = &t->model.device_templates.rows[i];

		if (d->count > paired[i].count)
			r = pairs_add(p, 0, (uint32_t)i, 0, d->count - paired[i].count,
				      d->time_ns - paired[i].time_ns, d->min_ns, d->max_ns);
	}
	free(paired);
	return r;
}

/* A join to another geometry is wrong; to another name, CUPTI's name is stale. */
static void check_pairs(struct trace *t)
{
	const struct model *m = &t->model;

	for (size_t i = 1; i < t->pairs.nr_pairs; i++) {
		const struct pair *pair = &t->pairs.pairs[i];
		const uint32_t host = t->pairs.sites[pair->site].template;
		const struct host_template *h = &m->templates.rows[host];
		const struct device_template *d = &m->device_templates.rows[pair->device_template];

		if (!host || h->definition.op != TTI_OP_LAUNCH ||
		    h->definition.flags & TTI_TEMPLATE_CAPTURED)
			continue;
		if (templates_have_one_geometry(h, d)) {
			t->renamed += templates_have_one_name(h, d) ? 0 : pair->count;
			continue;
		}
		t->mismatched += pair->count;
		if (t->nr_mismatches < TRACE_MISMATCHES_MAX)
			t->mismatches[t->nr_mismatches++] =
				(struct mismatch){ host, pair->device_template };
	}
}

int trace_sum(struct trace *t)
{
	sum_sites(t);
	check_pairs(t);
	sum_host(t);
	sum_device(t);
	if (sum_nodes(t) < 0 || sum_unpaired(t) < 0)
		return -ENOMEM;
	return 0;
}
