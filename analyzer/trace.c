/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "trace_parts.h"

bool templates_have_one_geometry(const struct host_template *host,
				 const struct device_template *device)
{
	const struct tti_template *h = &host->definition;
	const struct tti_device_template *d = &device->definition;

	return h->grid_x == d->grid_x && h->grid_y == d->grid_y && h->grid_z == d->grid_z &&
	       h->block_x == d->block_x && h->block_y == d->block_y && h->block_z == d->block_z &&
	       h->shared_bytes == d->dynamic_shared_bytes;
}

bool templates_have_one_name(const struct host_template *h, const struct device_template *d)
{
	return !h->kernel || !d->kernel || h->kernel == d->kernel;
}

struct trace_device *trace_find_device(struct trace *t, uint64_t ordinal)
{
	struct trace_device *d;

	for (size_t i = 0; i < t->nr_devices; i++)
		if (t->devices[i].ordinal == ordinal)
			return &t->devices[i];
	/* No machine has so many: a damaged template. */
	if (t->nr_devices == TRACE_DEVICES_MAX)
		return &t->devices[TRACE_DEVICES_MAX - 1];
	d = &t->devices[t->nr_devices];
	*d = (struct trace_device){ .ordinal = ordinal, .busy = busy_new() };
	if (!d->busy)
		return NULL;
	t->nr_devices++;
	return d;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nr_devices; i++)
		free(t->devices[i].busy);
	model_clear(&t->model);
	pairs_clear(&t->pairs);
	phase_tracker_free(t->phases);
	free(t->timeline.moments);
	free(t->path);
	free(t);
}

bool trace_has_device_rows(const struct trace *t)
{
	return t->counted[TTI_COUNTER_KERNEL_RECORDS] || t->counted[TTI_COUNTER_COPY_RECORDS] ||
	       t->graph_records;
}

bool trace_counter_differs(const struct trace *t, enum tti_counter counter)
{
	return counter_name(counter) && !counter_is_loss(counter) &&
	       t->model.has_counter[counter] && t->model.counters[counter] != t->counted[counter];
}

static bool has_losses(const struct trace *t)
{
	for (int i = 0; i < TTI_COUNTER_LIMIT; i++)
		if (counter_is_loss_of_rows(i) && t->model.counters[i])
			return true;
	return false;
}

bool trace_is_untimed(const struct trace *t)
{
	const char *timing = model_info(&t->model, "option.timing");

	/* The recorder writes the number of the choice, people who write traces by hand its word.
	 */
	return timing && (!strcmp(timing, "none") || !strcmp(timing, "1")) &&
	       !trace_has_device_rows(t);
}

/* Without device timing there is nothing to be joined. */
static bool is_joined(const struct trace *t)
{
	const struct correlation *c = &t->correlation;

	if (trace_is_untimed(t))
		return true;
	return !c->launches_without_record && !c->graphs_without_record &&
	       !c->kernels_without_launch && !c->nodes_without_launch && !t->mismatched;
}

bool trace_is_complete(const struct trace *t)
{
	for (int i = 0; i < TTI_COUNTER_LIMIT; i++)
		if (trace_counter_differs(t, i))
			return false;
	return t->model.has_finish && !damage_is_any(&t->damage) && !has_losses(t) &&
	       is_joined(t) && !t->model.problems[PROBLEM_bad_record] &&
	       !t->model.problems[PROBLEM_frame_remainder] &&
	       !t->model.problems[PROBLEM_too_many_rows] &&
	       !t->model.problems[PROBLEM_undefined_template] &&
	       !t->model.problems[PROBLEM_undefined_device_template];
}
