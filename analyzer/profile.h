/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - the work of a run, added up by operator, kind, kernel and other axes.
 *
 * Times are of the device; of a run without device rows (TTITRACE_TIMING=none), of the host in the
 * launching calls.
 */
#ifndef ANALYZER_PROFILE_H
#define ANALYZER_PROFILE_H

#include "assign.h"
#include "peaks.h"
#include "run.h"
#include "works.h"

enum axis {
#define AXIS(name, text, what) AXIS_##name,
#include "axes.def"
#undef AXIS
	NR_AXES
};

const char *axis_name(enum axis axis);
const char *axis_what(enum axis axis);
enum axis axis_by_name(const char *name); /* NR_AXES: there is none */

/* One pair: what cannot be told apart any further. */
struct profile_item {
	struct assignment assignment;
	const struct trace *trace;
	uint32_t site;
	uint32_t of;              /* index of its pair, or in host time its site: what slices say */
	uint32_t device_template; /* 0: of host time */
	uint64_t grid[3], block[3], context, stream, device;
	uint64_t time_ns, launches, min_ns, max_ns;
	const struct name *attention_key; /* its row of the attention axis */
	double seconds_min;               /* of all its launches at best; 0: not known */
	double seconds_flops, seconds_bytes;
};

/* What was to be done, of the launches whose problem is known. */
struct profile_cost {
	double flops, bytes, parameter_bytes;
	double seconds_min;                  /* at the peaks of their devices; 0: not known */
	double seconds_flops, seconds_bytes; /* what computing and memory would take alone */
	uint64_t calls;                      /* launches that it was counted for */
};

struct profile_row {
	const struct name *key;
	const struct work *work;             /* of the kernel axis and of kinds */
	const struct assignment *assignment; /* of the item that took most time */
	uint64_t most_ns;
	uint64_t time_ns, launches, min_ns, max_ns;
	uint64_t attentions;
	struct profile_cost cost;
};

struct profile_table {
	struct profile_row *rows; /* most time first */
	size_t nr, size;
	struct id_map ids; /* by key, while it is made */
};

struct profile_setup {
	struct frame_symbols *symbols; /* NULL: none */
	const struct peaks *peaks;     /* the user's, NULL: none */
	enum axis by; /* summed too, beside operators, kinds, kernels, attention and evidence */
	/* Which sites count; NULL: all. */
	bool (*has_site)(const void *context, const struct trace *t, uint32_t site);
	/* Which segments of phases do; NULL: all. */
	bool (*has_segment)(const void *context, const struct trace *t, uint32_t segment);
	const void *context;
};

struct profile {
	bool is_host_time;
	uint64_t time_ns, launches;
	uint64_t unknown_ns;              /* of kernels that no rule knows */
	uint64_t conflicts, conflicts_ns; /* launches whose evidence contradicts itself */
	struct knowledge knowledge;
	uint64_t attentions[EXACTNESS_exact + 1]; /* by how well their shape is known */
	struct profile_item *items;
	size_t nr_items, size_items;
	struct profile_table axes[NR_AXES];
	const struct run *run;
	struct profile_setup setup;
};

/* What an item did in one segment of phases. */
struct profile_part {
	const struct profile_item *item;
	uint32_t segment; /* 0: of none */
	uint64_t time_ns, launches;
};

/* 0 or -ENOMEM */
int profile_make(struct profile *p, const struct run *run, const struct profile_setup *setup,
		 struct diag *diag);
void profile_clear(struct profile *p);

/*
 * Tells `take` all parts of all items, those of a trace in the order they came to be; of a trace
 * loaded without segments, each item as one part.  Ends with what `take` returns, if negative.
 * -ENOMEM.
 */
int profile_each_part(const struct profile *p,
		      int (*take)(void *context, const struct profile_part *part), void *context);

/* The row of an axis that an item is added to, as text; NULL: no memory. */
const struct name *profile_key(const struct run *run, enum axis axis,
			       const struct profile_item *item);

/* Adds what so many launches of an item had to do, if that is known. */
void profile_cost_add(struct profile_cost *to, const struct profile_item *item, uint64_t launches);
void profile_cost_merge(struct profile_cost *to, const struct profile_cost *from);

/* What a device record of this template did that a launch of this site caused; NULL: no memory. */
const struct work *profile_work(const struct run *run, const struct trace *t, uint32_t site,
				uint32_t device_template);

double profile_share(const struct profile *p, const struct profile_row *row); /* 0 to 1 */

#endif
