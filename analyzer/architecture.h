/* SPDX-License-Identifier: Apache-2.0 */
/*
 * architecture.h - the description of a model as JSON, and its forward pass layer by layer.
 * ttitrace-model(1) documents the JSON.
 */
#ifndef ANALYZER_ARCHITECTURE_H
#define ANALYZER_ARCHITECTURE_H

#include <jansson.h>

#include "cost.h"
#include "diag.h"
#include "expression.h"
#include "operators.h"

enum layer_kind {
#define LAYER(kind, operator_) LAYER_##kind,
#include "layers.def"
#undef LAYER
	NR_LAYER_KINDS
};

const char *layer_kind_name(enum layer_kind kind);
enum operator layer_operator(enum layer_kind kind);

/* One layer of one part, as it runs once. */
struct layer {
	enum layer_kind kind;
	const char *part; /* name of the part; lives as long as the architecture */
	const char *name; /* given in the description, or that of the kind */
	const char *path; /* the blocks around it, "down[1]/resnet/"; as long as the visit */
	size_t part_index;
	uint64_t pass;  /* which time the part runs, from 0 on */
	double count;   /* how many times this very layer runs; passes that are alike are one */
	double weights; /* numbers, the same in each pass; 0 where they are another part's */
	double output;  /* elements it leaves behind */
	double input;   /* elements it reads, without weights */
	double held;    /* elements that are kept for later while it runs */
	double cache;   /* elements it adds to what is kept from pass to pass */
	enum type type;
	struct cost cost;
	struct attention attention; /* LAYER_attention */
	enum role role;
};

/* Non-zero ends the walk and is its answer. */
typedef int (*layer_visit)(void *data, const struct layer *layer, struct diag *diag);

struct architecture;

/* A preset's name, or the path of a file.  0, -ENOENT, -EINVAL, -ENOMEM; diag has why. */
int architecture_load(const char *name, struct architecture **ret, struct diag *diag);
void architecture_free(struct architecture *a); /* accepts NULL */

/* "steps=20", before a walk; a parameter of the description.  0 or -EINVAL. */
int architecture_set(struct architecture *a, const char *assignment, struct diag *diag);

const char *architecture_name(const struct architecture *a);
const char *architecture_note(const struct architecture *a); /* "": there is none */
size_t architecture_nr_parts(const struct architecture *a);
const char *architecture_part(const struct architecture *a, size_t index);
/* The name that this part's phases have in a trace. */
const char *architecture_phase(const struct architecture *a, size_t index);
/* NULL: behind the last; *ret is NAN of a list. */
const char *architecture_parameter_at(const struct architecture *a, size_t index, double *ret);
/* Whether it follows from others: neither given nor a number of the description. */
bool architecture_is_derived(const struct architecture *a, const char *name);

/*
 * Parameters from what is known of a run, by the description's "found"; those that were set stay.
 * `known` answers -ENOENT to what the run does not say.  0, -EINVAL, -ENOMEM.
 */
int architecture_find(struct architecture *a, expression_lookup known, void *scope,
		      struct diag *diag);

/* The description as it is; the caller's. */
json_t *architecture_json(const struct architecture *a);

/* Every layer in the order of the forward pass.  Bounded whatever the description says. */
int architecture_walk(struct architecture *a, layer_visit visit, void *data, struct diag *diag);

#endif
