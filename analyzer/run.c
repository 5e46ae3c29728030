/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "damage.h"

static int load_one(struct run *run, const char *path, const struct run_setup *run_setup,
		    bool is_only, struct diag *diag)
{
	const struct trace_setup setup = { .names = run->names,
					   .works = run->works,
					   .information = run_setup->information,
					   .with_phases = run_setup->with_phases,
					   .with_phase_sums = run_setup->with_phase_sums,
					   .with_phase_sites = run_setup->with_phase_sites };
	struct trace *t;
	const int r = trace_scan(path, &setup, &t, diag);

	if (r < 0) {
		run->nr_unreadable++;
		run->is_damaged = true;
		if (!is_only)
			fprintf(stderr, "ttitrace: %s\n", diag->message);
		return r;
	}
	damage_tell(path, &t->damage);
	if (t->pairs.slices.nr_left_out || t->pairs.host_slices.nr_left_out)
		fprintf(stderr,
			"ttitrace: %s: too long to keep all by phase: %" PRIu64
			" launches count as of no phase\n",
			path, t->pairs.slices.nr_left_out + t->pairs.host_slices.nr_left_out);
	run->is_damaged |= damage_is_any(&t->damage);
	run->traces[run->nr++] = t;
	return 0;
}

int run_load(const struct inputs *in, const struct run_setup *setup, struct run *ret_run,
	     struct diag *diag)
{
	struct run run = { .names = names_new(), .traces = calloc(in->nr, sizeof(*run.traces)) };
	int r = 0;

	run.works = run.names ? works_new(run.names, setup->classifier) : NULL;
	if (!run.works || !run.traces) {
		run_clear(&run);
		return diag_set(diag, -ENOMEM, "no memory");
	}
	for (size_t i = 0; i < in->nr; i++)
		r = load_one(&run, in->paths[i], setup, in->nr == 1, diag);
	if (!run.nr) {
		run_clear(&run);
		return in->nr == 1
			       ? r
			       : diag_set(diag, r, "none of the %zu traces can be read", in->nr);
	}
	*ret_run = run;
	return 0;
}

void run_clear(struct run *run)
{
	for (size_t i = 0; i < run->nr; i++)
		trace_free(run->traces[i]);
	free(run->traces);
	works_free(run->works);
	names_free(run->names);
	*run = (struct run){ 0 };
}

void run_gpu_add(struct run_gpu *gpu, const struct trace *t, const struct trace_device *device)
{
	struct busy *b = device->busy;
	const uint64_t busy_ns = busy_total_ns(b);
	uint64_t closed_ns, span_ns;

	gpu->kernel_ns += device->kernel_ns;
	gpu->copy_ns += device->copy_ns;
	gpu->late_ns += b->late_ns;
	if (b->first_ns > b->last_ns)
		return;
	if (!gpu->last_ns || b->first_ns < gpu->first_ns)
		gpu->first_ns = b->first_ns;
	if (b->last_ns > gpu->last_ns)
		gpu->last_ns = b->last_ns;
	/* Of what was launched before the window closed some ran after it. */
	closed_ns = windows_closed_ns(&t->model.windows, b->first_ns, b->last_ns);
	span_ns = b->last_ns - b->first_ns;
	if (closed_ns > span_ns - busy_ns)
		closed_ns = span_ns - busy_ns;
	gpu->span_ns += span_ns - closed_ns;
	gpu->closed_ns += closed_ns;
	gpu->busy_ns += busy_ns;
	gpu->idle_ns += span_ns - closed_ns - busy_ns;
}

static void add_trace(struct run_gpu *gpu, const struct trace *t)
{
	gpu->nr_windows += windows_count(&t->model.windows);
	for (size_t i = 0; i < t->nr_devices; i++)
		run_gpu_add(gpu, t, &t->devices[i]);
}

void trace_gpu(const struct trace *t, struct run_gpu *ret)
{
	*ret = (struct run_gpu){ 0 };
	add_trace(ret, t);
}

void run_gpu(const struct run *run, struct run_gpu *ret)
{
	*ret = (struct run_gpu){ 0 };
	for (size_t i = 0; i < run->nr; i++)
		add_trace(ret, run->traces[i]);
}

uint64_t trace_wall_ns(const struct trace *t)
{
	const uint64_t begin = t->model.has_process && t->model.process.begin_ns
				       ? t->model.process.begin_ns
				       : t->first_ns;
	uint64_t end = t->last_ns;

	if (t->model.has_finish && t->model.finish.time_ns > end)
		end = t->model.finish.time_ns;
	return end > begin ? end - begin : 0;
}

uint64_t run_wall_ns(const struct run *run)
{
	uint64_t begin = UINT64_MAX, end = 0;

	if (run->nr == 1)
		return trace_wall_ns(run->traces[0]);
	/* Processes of several hosts share no other clock. */
	for (size_t i = 0; i < run->nr; i++) {
		const struct trace *t = run->traces[i];
		const uint64_t b = t->model.process.begin_realtime_ns;

		begin = b < begin ? b : begin;
		end = b + trace_wall_ns(t) > end ? b + trace_wall_ns(t) : end;
	}
	return end > begin ? end - begin : 0;
}

static void add_correlation(struct correlation *to, const struct correlation *from)
{
	to->matched += from->matched;
	to->launches_without_record += from->launches_without_record;
	to->graphs_without_record += from->graphs_without_record;
	to->copies_without_record += from->copies_without_record;
	to->kernels_without_launch += from->kernels_without_launch;
	to->nodes_without_launch += from->nodes_without_launch;
	to->nodes_of_bodies += from->nodes_of_bodies;
	to->copies_without_call += from->copies_without_call;
	to->gave_up += from->gave_up;
}

void run_coverage(const struct run *run, struct run_coverage *ret)
{
	*ret = (struct run_coverage){ .is_complete = !run->nr_unreadable };
	for (size_t i = 0; i < run->nr; i++) {
		const struct trace *t = run->traces[i];

		for (int k = 0; k < TTI_COUNTER_LIMIT; k++) {
			ret->counted[k] += t->counted[k];
			ret->lost[k] += counter_is_loss(k) ? t->model.counters[k] : 0;
		}
		add_correlation(&ret->correlation, &t->correlation);
		ret->mismatched += t->mismatched;
		ret->renamed += t->renamed;
		ret->nodes_mismatched += t->nodes_mismatched;
		ret->nodes_without_creator += t->nodes_without_creator;
		ret->is_complete &= trace_is_complete(t);
		ret->has_device_rows |= trace_has_device_rows(t);
	}
}
