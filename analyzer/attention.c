/* SPDX-License-Identifier: Apache-2.0 */
#include "attention.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	VAE_HEAD_MIN = 256,       /* text and image models stay at 256 and have several heads */
	TEMPORAL_LENGTH_MAX = 64, /* frames, compressed or not */
	TEMPORAL_BATCH_MIN = 64,  /* places of an image, times guidance */
	TEMPORAL_RATIO_MIN = 4,   /* of sequences to their length */
	SPATIO_TEMPORAL_MIN = 16384,
};

/* Lengths that text encoders give to image models. */
static const uint64_t text_lengths[] = { 77, 128, 154, 226, 256, 333, 512 };

static const char *const backends[NR_BACKENDS] = {
#define BACKEND(name, what) #name,
#include "backends.def"
#undef BACKEND
};

static const struct {
	const char *name, *what;
} roles[NR_ROLES] = {
#define ROLE(in_name, in_what) { .name = #in_name, .what = in_what },
#include "roles.def"
#undef ROLE
};

const char *backend_name(enum backend b)
{
	return backends[b];
}

const char *role_name(enum role r)
{
	return roles[r].name;
}

const char *role_what(enum role r)
{
	return roles[r].what;
}

const char *exactness_name(enum exactness e)
{
	static const char *const names[] = { "unknown", "upper bound", "exact" };

	return names[e];
}

static uint64_t root_of(uint64_t n)
{
	uint64_t root = 0;

	while ((root + 1) * (root + 1) <= n && root < 100000)
		root++;
	return root;
}

static bool is_square(uint64_t n)
{
	const uint64_t root = n < 10000000000ull ? root_of(n) : 0;

	return root && root * root == n;
}

static bool is_text_length(uint64_t n)
{
	for (size_t i = 0; i < sizeof(text_lengths) / sizeof(*text_lengths); i++)
		if (text_lengths[i] == n)
			return true;
	return false;
}

/* A latent of an image: both sides even, so that it could come from patches of two. */
static bool is_joint_length(uint64_t n)
{
	if (is_square(n))
		return false;
	for (size_t i = 0; i < sizeof(text_lengths) / sizeof(*text_lengths); i++)
		if (n > 4 * text_lengths[i] && is_square(n - text_lengths[i]) &&
		    root_of(n - text_lengths[i]) % 8 == 0)
			return true;
	return false;
}

static bool is_temporal(const struct attention *a)
{
	return a->s_q > 1 && a->s_q <= TEMPORAL_LENGTH_MAX && a->b * a->h >= TEMPORAL_BATCH_MIN &&
	       (a->heads_in_batch ? a->b / 8 : a->b) >= TEMPORAL_RATIO_MIN * a->s_q;
}

enum role attention_role(const struct attention *a)
{
	if (a->exactness == EXACTNESS_unknown || !a->s_q || !a->s_k)
		return ROLE_unknown;
	if (a->h == 1 && a->d >= VAE_HEAD_MIN && a->s_q == a->s_k)
		return ROLE_vae;
	if (a->s_q == 1)
		return ROLE_decode;
	if (a->causal && a->s_q <= a->s_k)
		return ROLE_prefill;
	if (is_text_length(a->s_k - a->s_q) && is_square(a->s_q))
		return ROLE_joint; /* own keys with those of the text behind them */
	if (a->s_q != a->s_k)
		return ROLE_cross;
	if (is_temporal(a))
		return ROLE_temporal;
	if (is_joint_length(a->s_q))
		return ROLE_joint;
	if (a->s_q >= SPATIO_TEMPORAL_MIN && !is_square(a->s_q))
		return ROLE_spatio_temporal;
	return ROLE_self;
}

void attention_text(const struct attention *a, char *ret, size_t size)
{
	size_t used;

	used = (size_t)snprintf(ret, size,
				"%" PRIu64 "x%" PRIu64 "x%" PRIu64 "x%" PRIu64 " k %" PRIu64, a->b,
				a->h, a->s_q, a->d, a->s_k);
	if (used < size && a->h_kv != a->h)
		used += (size_t)snprintf(ret + used, size - used, " heads_kv %" PRIu64, a->h_kv);
	if (used < size && a->d_v != a->d)
		used += (size_t)snprintf(ret + used, size - used, " d_v %" PRIu64, a->d_v);
	if (used < size && a->causal)
		snprintf(ret + used, size - used, " causal");
}
