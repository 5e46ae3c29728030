/* SPDX-License-Identifier: Apache-2.0 */
/* assign.h - which operator asked for the work of a pair, by the best evidence there is. */
#ifndef ANALYZER_ASSIGN_H
#define ANALYZER_ASSIGN_H

#include "cost.h"
#include "frame_symbols.h"
#include "trace.h"

struct assignment {
	const struct work *work;
	enum operator op;
	enum evidence evidence;
	bool has_conflict;            /* a call, parameters or frame says another operator */
	enum evidence conflicts_with; /* if so, what */
	const struct call *call;      /* NULL: none */
	bool has_attention;
	struct attention attention;
	enum role role; /* by shape, and by module where there is a path */
	enum attention_part part;
	bool is_attention; /* each launch stands for one attention */
	bool has_cost;
	struct cost cost; /* of one launch */
};

/* What the traces had to say, over all of them. */
struct knowledge {
	bool calls, parameters, frames, paths;
	uint64_t nr_frames, nr_frames_named; /* of native stacks */
};

struct assigner; /* for one trace: remembers the verdicts of its stacks */

struct assigner *assigner_new(const struct trace *t,
			      struct frame_symbols *symbols); /* NULL: no memory */
void assigner_free(struct assigner *a);                       /* accepts NULL */

/* The work is that of the launch, where there is one: names of device records may be stale. */
void assign(struct assigner *a, uint32_t site, const struct work *work, struct assignment *ret);

/* When all is assigned: what native stacks had to say. */
void assign_see_frames(struct assigner *a, struct knowledge *k);

/* The operation of PyTorch that a site's stack has, or NULL. */
const char *assign_frame(struct assigner *a, uint32_t site);

#endif
