/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - the work of a run, added up by operator, kind, kernel and other axes.
 *
 * Times are of the device; of a run without device rows (TTITRACE_TIMING=none), of the host in the
 * launching calls.
 */
#ifndef ANALYZER_PROFILE_H
#define ANALYZER_PROFILE_H

#include "run.h"
#include "works.h"

enum axis {
#define AXIS(name, what) AXIS_##name,
#include "axes.def"
#undef AXIS
	NR_AXES
};

const char *axis_name(enum axis axis);
const char *axis_what(enum axis axis);
enum axis axis_by_name(const char *name); /* NR_AXES: there is none */

struct profile_row {
	const struct name *key;
	const struct work *work; /* of the kernel axis and of kinds */
	uint64_t time_ns, launches, min_ns, max_ns;
};

struct profile_table {
	struct profile_row *rows; /* most time first */
	size_t nr, size;
	struct id_map ids; /* by key, while it is made */
};

struct profile {
	bool is_host_time;
	uint64_t time_ns, launches;
	uint64_t unknown_ns; /* of kernels that no rule knows */
	struct profile_table axes[NR_AXES];
	struct works *works;
};

/* 0 or -ENOMEM */
int profile_make(struct profile *p, const struct run *run, const struct classifier *classifier,
		 struct diag *diag);
void profile_clear(struct profile *p);

double profile_share(const struct profile *p, const struct profile_row *row); /* 0 to 1 */

#endif
