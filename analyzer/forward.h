/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.h - the work and the memory of an architecture, added up over its forward passes.
 *
 * FLOPs and bytes are those of cost.h, as a trace's are.  Times are the roofline's: layer by layer
 * the longer of computing at the peak and moving the fewest bytes.
 */
#ifndef ANALYZER_FORWARD_H
#define ANALYZER_FORWARD_H

#include "architecture.h"
#include "peaks.h"

struct forward_sum {
	double calls, flops, bytes;
	double seconds; /* at best; 0: the peaks are not known */
	double seconds_flops, seconds_bytes;
};

/* The matrices of scores, as attention that writes them out has them; bytes. */
struct similarity {
	double pass_head; /* of one pass, one head of one image or text each */
	double pass;      /* of one pass, all heads */
	double largest;   /* of one attention */
	double all;       /* of all passes */
	uint64_t last_pass;
};

struct forward_part {
	const char *name, *phase; /* the architecture's */
	enum type type;
	double times;
	struct forward_sum sums[NR_OPERATORS], all;
	double weights, weight_bytes; /* numbers; bytes */
	double activation_bytes; /* at most at once: what a layer reads, writes and what is held */
	double cache_bytes;      /* kept at the end of all passes */
	struct similarity similarity; /* of passes that differ the last */
};

/* Attentions of one part and shape; of growing keys all together. */
struct forward_level {
	size_t part;
	enum role role;
	struct attention attention; /* the first */
	uint64_t s_k_last;
	struct forward_sum sum;
	double bytes_fused, bytes_baseline;
	double similarity; /* bytes, of the last one */
};

/* One layer of the first pass of its part. */
struct forward_layer {
	size_t part;
	char *path;
	enum layer_kind kind;
	struct attention attention; /* LAYER_attention */
	struct forward_sum sum;     /* of one run of it */
	double weights;
	enum type type;
};

struct forward_length {
	uint64_t s_q, s_k;
	uint32_t part;
};

struct forward {
	struct forward_part *parts;
	size_t nr_parts;
	struct forward_sum sums[NR_OPERATORS], all;
	double weights, weight_bytes, cache_bytes, activation_bytes;
	struct similarity similarity;
	struct forward_level *levels;
	size_t nr_levels, size_levels;
	struct forward_layer *layers; /* if wanted */
	size_t nr_layers, size_layers;
	/* Attentions in order, of a part whose passes are alike one pass; if wanted. */
	struct forward_length *lengths;
	size_t nr_lengths, size_lengths;
};

struct forward_setup {
	const struct peaks *peaks; /* NULL: no times */
	bool is_baseline;          /* attention writes its scores out */
	bool wants_layers, wants_lengths;
	const char *part; /* only parts with this in their name; NULL: all */
};

/* 0, or what architecture_walk() answers; -ENOMEM. */
int forward_make(struct forward *f, struct architecture *a, const struct forward_setup *setup,
		 struct diag *diag);
void forward_clear(struct forward *f);

/* FLOPs by bytes moved, and by the bytes of the weights; 0: nothing of the kind. */
double forward_traffic_intensity(const struct forward_sum *sum);
double forward_capacity_intensity(const struct forward *f);

/* What must be in memory at once: weights, activations, caches; with attention written out. */
double forward_memory(const struct forward *f, bool is_baseline);

#endif
