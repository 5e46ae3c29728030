/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.h - runs of one program at several sizes: how the time of each operator grows with what
 * was varied.
 *
 * Each run is a point of a series.  Where runs differ in their number of steps, and steps are not
 * what is varied, phases count as often as in the first run.
 */
#ifndef ANALYZER_SWEEP_H
#define ANALYZER_SWEEP_H

#include <jansson.h>

#include "fit.h"
#include "quantities.h"
#include "terminal.h"

/* Rows: the run, its operators, then attention by role. */
enum {
	SWEEP_all,
	SWEEP_operators,
	SWEEP_roles = SWEEP_operators + NR_OPERATORS,
	NR_SWEEP_ROWS = SWEEP_roles + NR_ROLES,
};

/* "attention", "  temporal" below it; what JSON and CSV call it: "attention/temporal". */
void sweep_row_name(size_t row, char ret[48]);

struct sweep_point {
	char *path;
	char *series; /* as given or found; NULL: there is but one */
	double x;
	struct quantities quantities;
	enum backend backend; /* of the attention that took most time; unknown: none */
	char gpu[80];
	bool is_complete, is_host_time;
	double time_ns[NR_SWEEP_ROWS], flops[NR_SWEEP_ROWS];
};

struct sweep_series {
	const char *name;                  /* NULL: the only one */
	const struct sweep_point **points; /* by x */
	size_t nr;
	struct fit time[NR_SWEEP_ROWS], flops[NR_SWEEP_ROWS];
	struct prediction last[NR_SWEEP_ROWS]; /* of time */
};

/* What to count how often. */
struct sweep_reference {
	struct {
		char *name;
		uint64_t count;
	} * groups;
	size_t nr;
};

enum sweep_group { GROUP_found, GROUP_backend, GROUP_none };

struct sweep {
	struct sweep_point *points; /* in the order given */
	size_t nr;
	struct sweep_reference reference;
	bool as_is, is_scaled;
	char x_name[64];
	const char *x_what; /* NULL: values were given */
	struct sweep_series *series;
	size_t nr_series;
};

/* Takes a run, loaded with phases, as the next point.  0 or -ENOMEM. */
int sweep_add(struct sweep *s, const struct analysis *a, const char *path, const char *series);

/*
 * After the last point: chooses x, sorts points into series, fits.  `x` is "NAME", "NAME=1,2,4" or
 * NULL.  -EINVAL: what x is cannot be said, and diag has the reason.
 */
int sweep_finish(struct sweep *s, const char *x, enum sweep_group group, struct diag *diag);
void sweep_clear(struct sweep *s);

/* Two rows against each other. */
struct sweep_pair {
	size_t a, b; /* rows */
	bool is_flops;
	const struct fit *fit_a, *fit_b;
	double crossing; /* NAN: none */
	bool is_within;  /* what was measured */
	bool is_told;    /* the exponents' intervals do not overlap */
};

enum { SWEEP_PAIRS_MAX = 4 };

/* Attention and convolution, temporal and spatial attention, by time and by FLOPs; how many. */
size_t sweep_pairs(const struct sweep_series *s, struct sweep_pair ret[SWEEP_PAIRS_MAX]);

/* What a row took or had to do at a point. */
double sweep_value(const struct sweep_point *p, size_t row, bool is_flops);

void sweep_text(const struct sweep *s, const struct terminal *t, FILE *out);
json_t *sweep_json(const struct sweep *s);
void sweep_csv(const struct sweep *s, FILE *out);

#endif
