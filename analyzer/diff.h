/* SPDX-License-Identifier: Apache-2.0 */
/* diff.h - two runs side by side: what changed, by how much, and whether that is noise. */
#ifndef ANALYZER_DIFF_H
#define ANALYZER_DIFF_H

#include <jansson.h>

#include "comparison.h"
#include "terminal.h"

/* How long the phases of a group took by the clock, and how long the GPU worked; medians. */
struct diff_wall {
	double span_ns, busy_ns;
	bool is_known; /* the GPU did something in each of them, and there is one */
};

struct diff_phase {
	const struct comparison_group *group;
	struct diff_wall walls[2];
};

/* The tables that are always made. */
enum diff_table { DIFF_operators, DIFF_kinds, DIFF_attention, DIFF_kernels, NR_DIFF_TABLES };

struct diff {
	const struct analysis *sides[2];
	bool as_is, is_cut; /* by --focus or --phase */
	struct comparison tables[NR_DIFF_TABLES];
	struct diff_phase *phases;
	size_t nr_phases;
	struct tally_cut by;
	bool has_by;
	struct comparison by_table; /* if has_by */
	struct run_coverage coverage[2];
	struct run_gpu gpu[2];
	/* Of all of the GPU's time: attention's share in A, its gain; NAN where there is none. */
	double attention_share, attention_gain, attention_expected, gain;
};

/* Both analyses are loaded.  0 or -ENOMEM. */
int diff_make(struct diff *d, struct diag *diag);
void diff_clear(struct diff *d);

/* NULL: the run has no such operator on any side. */
const struct comparison_row *diff_operator(const struct diff *d, enum operator op);

/* What speaks against the comparison, one line each; NULL behind the last. */
enum { DIFF_WARNINGS_MAX = 12, DIFF_WARNING_SIZE = 256 };
struct diff_warnings {
	char lines[DIFF_WARNINGS_MAX][DIFF_WARNING_SIZE];
	size_t nr;
};
void diff_warn(const struct diff *d, struct diff_warnings *ret);

/* What a row of a table is called; kernels by their readable name. */
const char *diff_label(const struct comparison_row *row, bool is_kernel);

/* The name users give to a cut with --by. */
const char *diff_by_name(const struct tally_cut *by);

struct diff_view {
	size_t top, depth; /* depth 0: all of it */
	bool full_names;
};

void diff_text(const struct diff *d, const struct diff_view *view, const struct terminal *t,
	       FILE *out);
json_t *diff_json(const struct diff *d);
void diff_csv(const struct diff *d, FILE *out);

#endif
