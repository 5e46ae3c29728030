/* SPDX-License-Identifier: Apache-2.0 */
/* forward_output.h - what `ttitrace model` prints: text, JSON, CSV. */
#ifndef ANALYZER_FORWARD_OUTPUT_H
#define ANALYZER_FORWARD_OUTPUT_H

#include <stdio.h>

#include <jansson.h>

#include "agreement.h"
#include "terminal.h"

enum cut_of_model { CUT_BY_part, CUT_BY_operator, CUT_BY_level, CUT_BY_layer, NR_CUTS_OF_MODEL };

/* What all outputs are of. */
struct forward_view {
	struct architecture *architecture;
	const struct forward *forward;
	const struct peaks *peaks; /* with a GPU's name; NULL: no times */
	enum cut_of_model by;
	bool is_baseline;
};

/* One value of what is varied. */
struct forward_point {
	double x;
	struct forward forward;
};

struct forward_sweep {
	const char *name;
	struct forward_point *points; /* by x */
	size_t nr;
};

/*
 * Where attention's FLOPs become more than convolution's, between two points, by a power law there;
 * NAN: nowhere.
 */
double forward_sweep_crossing(const struct forward_sweep *s);
/* Bytes of attention over all passes. */
double forward_attention_bytes(const struct forward *f, bool is_baseline);

void forward_text(const struct forward_view *v, const struct terminal *t, FILE *out);
void forward_sweep_text(const struct forward_view *v, const struct forward_sweep *s,
			const struct terminal *t, FILE *out);
void agreement_text(const struct agreement *g, const char *trace, const struct terminal *t,
		    FILE *out);

json_t *forward_json(const struct forward_view *v);
json_t *forward_sweep_json(const struct forward_sweep *s);
json_t *agreement_json(const struct forward_view *v, const struct agreement *g, const char *trace);

void forward_csv(const struct forward_view *v, FILE *out);
void forward_sweep_csv(const struct forward_sweep *s, FILE *out);
void agreement_csv(const struct agreement *g, const char *trace, bool has_heading, FILE *out);

#endif
