/* SPDX-License-Identifier: Apache-2.0 */
/* attention.h - what one attention computes, and how sure we are. */
#ifndef ANALYZER_ATTENTION_H
#define ANALYZER_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

enum exactness { EXACTNESS_unknown, EXACTNESS_upper_bound, EXACTNESS_exact };

enum backend {
#define BACKEND(name, what) BACKEND_##name,
#include "backends.def"
#undef BACKEND
	NR_BACKENDS
};

enum role {
#define ROLE(name, what) ROLE_##name,
#include "roles.def"
#undef ROLE
	NR_ROLES
};

struct attention {
	uint64_t b, h, h_kv, s_q, s_k, d, d_v; /* 0: not known */
	bool heads_in_batch;                   /* b is batch times heads, h is 1 */
	bool causal;
	enum type type;
	enum backend backend;
	enum exactness exactness;
};

const char *backend_name(enum backend b);
const char *role_name(enum role r);
const char *role_what(enum role r);
const char *exactness_name(enum exactness e);

/* By documented rules on the shape alone; see roles.def. */
enum role attention_role(const struct attention *a);

/* "2x8x4096x40 k 77": B, H, Sq, D, and Sk, H_kv, D_v where they differ. */
void attention_text(const struct attention *a, char *ret, size_t size);

/* Whether a kernel of attention only adds up or prepares for the one that does the work. */
bool attention_is_helper(const char *name);

/* What a kernel was launched with. */
struct launch_facts {
	const char *name; /* as a programmer writes it: kernel_text.readable */
	uint64_t grid[3], block[3];
	const uint64_t *layout; /* offset and size of each parameter, alternating */
	size_t nr_layout;
	const uint8_t *bytes; /* of the parameters from offset 0 on, as far as they were kept */
	size_t nr_bytes;
};

/*
 * The shape from the parameters of a fused attention kernel.  False: no decoder knows the kernel,
 * or its self-checks failed; *ret is not set then.
 */
bool attention_decode(const struct launch_facts *facts, struct attention *ret);

/* Rows and row length of a softmax kernel; false: not known. */
bool softmax_decode(const struct launch_facts *facts, uint64_t *ret_rows, uint64_t *ret_length);

#endif
