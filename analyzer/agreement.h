/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agreement.h - what an architecture says and what a run did, side by side: by phase and operator,
 * by phase and sequence length, and the lengths of all attentions in their order.
 */
#ifndef ANALYZER_AGREEMENT_H
#define ANALYZER_AGREEMENT_H

#include "analysis.h"
#include "forward.h"

enum { AGREEMENT_predicted, AGREEMENT_measured, NR_AGREEMENT_SIDES };

struct agreement_side {
	double calls, flops;
};

struct agreement_row {
	const char *phase; /* as the trace or the architecture calls it; both outlive the row */
	enum operator op;
	uint64_t s_q; /* of levels */
	bool is_self; /* of levels: as many keys as queries */
	struct agreement_side sides[NR_AGREEMENT_SIDES];
	double best_s; /* the roofline's, on the GPU of the run; 0: not known */
	double time_ns;
};

struct agreement_order {
	uint64_t nr[NR_AGREEMENT_SIDES];
	bool is_compared; /* too many, or times were not kept: they were not */
	bool is_equal;
	uint64_t first;                                    /* that differs, from 0 on */
	struct forward_length lengths[NR_AGREEMENT_SIDES]; /* the first ones that differ */
};

struct agreement {
	struct agreement_row *rows, *levels, totals[NR_OPERATORS];
	size_t nr_rows, nr_levels, size_rows, size_levels;
	struct agreement_order order;
	double tolerance;
};

/* Parameters of the architecture from what the run says of itself.  0, -EINVAL, -ENOMEM. */
int agreement_find(struct architecture *a, const struct analysis *run, struct diag *diag);

/* Of a forward pass made with its lengths, and a run loaded with its phases.  0 or -ENOMEM. */
int agreement_make(struct agreement *g, const struct forward *f, const struct analysis *run,
		   double tolerance);
void agreement_clear(struct agreement *g);

/* Of FLOPs, by the measured ones; INFINITY: one side has none. */
double agreement_difference(const struct agreement_row *row);
bool agreement_is_near(const struct agreement *g, const struct agreement_row *row);
/* All rows of convolution, linear and attention are near, and all lengths are equal. */
bool agreement_holds(const struct agreement *g);

#endif
