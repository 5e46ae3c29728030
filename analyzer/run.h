/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - several traces as one run, each of one process. */
#ifndef ANALYZER_RUN_H
#define ANALYZER_RUN_H

#include "inputs.h"
#include "trace.h"

struct run {
	struct names *names;
	struct works *works;
	struct trace **traces;
	size_t nr;
	size_t nr_unreadable; /* inputs that gave nothing; each was told on standard error */
	bool is_damaged;      /* or some of a trace could not be read; told as well */
};

struct run_setup {
	const struct classifier *classifier; /* must outlive the run */
	enum information information;
	bool with_phases, with_phase_sums, with_phase_sites; /* see trace_setup */
};

/* -ENOENT ...: not one input can be read; then diag has the reason of the only or last one. */
int run_load(const struct inputs *in, const struct run_setup *setup, struct run *ret_run,
	     struct diag *diag);
void run_clear(struct run *run);

/* GPU time as the sum over processes and their devices. */
struct run_gpu {
	uint64_t first_ns, last_ns; /* by CLOCK_MONOTONIC; 0: nothing ran */
	uint64_t span_ns;           /* recorded, between first and last activity, of all devices */
	uint64_t closed_ns;         /* between them, but not recorded */
	uint64_t nr_windows;        /* 0: everything was recorded */
	uint64_t busy_ns, idle_ns;
	uint64_t late_ns;
	uint64_t kernel_ns, copy_ns;
};

void trace_gpu(const struct trace *t, struct run_gpu *ret);
void run_gpu(const struct run *run, struct run_gpu *ret);
void run_gpu_add(struct run_gpu *gpu, const struct trace *t, const struct trace_device *device);

uint64_t trace_wall_ns(const struct trace *t);
uint64_t run_wall_ns(const struct run *run); /* from the first process's begin to the last end */

/* Coverage summed over the processes. */
struct run_coverage {
	uint64_t counted[TTI_COUNTER_LIMIT];
	uint64_t lost[TTI_COUNTER_LIMIT]; /* by the recorder's counters of losses */
	struct correlation correlation;
	uint64_t mismatched, renamed, nodes_mismatched, nodes_without_creator;
	bool is_complete;
	bool has_device_rows;
};

void run_coverage(const struct run *run, struct run_coverage *ret);

#endif
