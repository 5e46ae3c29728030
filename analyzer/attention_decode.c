/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes from the parameter bytes of fused attention kernels.  Every row of attention_layouts.def
 * is tried with its own checks: a layout of another build gives nonsense that they refuse.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"

enum check { CHECK_flash2, CHECK_efficient, CHECK_cudnn, CHECK_flash3, CHECK_sage };

/* Offsets plus one, so that 0 is "has no such field". */
struct layout {
	const char *id;
	enum backend backend;
	const char *word;
	uint64_t size; /* of parameter 0; 0: any */
	enum check check;
	uint16_t b, h, h_kv, h_v, ratio, s_q, s_k, d, d_v, s_q_rounded, s_k_rounded, d_rounded;
	uint16_t scale, cu_q, cu_k, seqused_k, block_table, causal, swapped, mask;
	uint16_t repeated, packed, d_k, b_k, groups;
};

#define AT(n) ((n) + 1)

static const struct layout layouts[] = {
#define LAYOUT(in_id, in_backend, in_word, in_size, ...) \
	{ .id = #in_id,                                  \
	  .backend = BACKEND_##in_backend,               \
	  .word = in_word,                               \
	  .size = in_size,                               \
	  __VA_ARGS__ },
#include "attention_layouts.def"
#undef LAYOUT
};

/* Beyond any model: what is more is no length. */
enum { LENGTH_MAX = 1 << 26, HEADS_MAX = 1 << 16, HEAD_SIZE_MAX = 4096 };

struct decoder {
	const struct launch_facts *facts;
	const struct layout *layout;
};

/* --- fields ----------------------------------------------------------------------------------- */

static uint64_t number(const struct decoder *d, uint16_t at, size_t bytes)
{
	uint64_t value = 0;

	if (!at || d->facts->nr_bytes < bytes || (size_t)at - 1 > d->facts->nr_bytes - bytes)
		return 0;
	memcpy(&value, d->facts->bytes + at - 1, bytes);
	return value;
}

static uint64_t u32(const struct decoder *d, uint16_t at)
{
	return number(d, at, 4);
}

static double f32(const struct decoder *d, uint16_t at)
{
	const uint32_t bits = (uint32_t)number(d, at, 4);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return (double)value;
}

static bool is_set(const struct decoder *d, uint16_t at, size_t bytes)
{
	return number(d, at, bytes) != 0;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* The number that a word in the name is followed by: "fmha_cutlassF_f16_aligned_64x128_" -> 64. */
static uint64_t number_behind(const char *name, const char *word)
{
	const char *at = strcasestr(name, word);

	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

/* Argument i of the first template argument list, if it is a number. */
static uint64_t template_number(const char *name, int i)
{
	const char *at = strchr(name, '<');

	for (; at && i > 0; i--)
		at = strchr(at + 1, ',');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* --- checks ----------------------------------------------------------------------------------- */

static bool is_plausible(const struct attention *a)
{
	return a->b && a->b < LENGTH_MAX && a->h && a->h < HEADS_MAX && a->h_kv &&
	       a->h % a->h_kv == 0 && a->s_q && a->s_q < LENGTH_MAX && a->s_k &&
	       a->s_k < LENGTH_MAX && a->d && a->d <= HEAD_SIZE_MAX && a->d_v &&
	       a->d_v <= HEAD_SIZE_MAX;
}

/* 1/sqrt(d), or a scale of the user's that is of that order; with softcap it is 1. */
static bool is_scale(double scale, uint64_t d)
{
	return scale > 1e-4 && scale < 32 && fabs(log2(scale * sqrt((double)d))) < 8;
}

static bool flash2_fits(const struct decoder *d, const struct attention *a)
{
	const struct layout *l = d->layout;
	const uint64_t d_rounded = u32(d, l->d_rounded);

	return u32(d, l->ratio) * a->h_kv == a->h &&
	       u32(d, l->s_q_rounded) == round_up(a->s_q, 128) &&
	       u32(d, l->s_k_rounded) == round_up(a->s_k, 128) && a->d <= d_rounded &&
	       d_rounded <= 512 && is_scale(f32(d, l->scale), a->d);
}

/* "..._64x128_rf_sm80": queries and keys of a block. */
static bool efficient_fits(const struct decoder *d, const struct attention *a)
{
	const uint64_t queries = number_behind(d->facts->name, "aligned_");
	const uint64_t *grid = d->facts->grid;

	return queries && grid[0] == (a->s_q + queries - 1) / queries && grid[1] == a->h &&
	       grid[2] == a->b;
}

static bool flash3_fits(const struct decoder *d, const struct attention *a)
{
	const struct layout *l = d->layout;

	if (u32(d, l->d_k) != a->d)
		return false;
	if (l->repeated) /* (s_q, d, h, b) once more */
		return !memcmp(d->facts->bytes + l->repeated - 1, d->facts->bytes + l->s_q - 1, 16);
	return u32(d, l->packed) == a->h / a->h_kv && u32(d, l->packed + 4) == a->s_q;
}

static bool sage_fits(const struct decoder *d, const struct attention *a)
{
	const uint64_t queries = template_number(d->facts->name, 0);

	return queries && d->facts->grid[0] == (a->s_q + queries - 1) / queries;
}

static bool fits(const struct decoder *d, const struct attention *a)
{
	if (!is_plausible(a))
		return false;
	switch (d->layout->check) {
	case CHECK_flash2:
		return flash2_fits(d, a);
	case CHECK_efficient:
		return efficient_fits(d, a);
	case CHECK_cudnn:
		return u32(d, d->layout->h_v) && a->h % u32(d, d->layout->h_v) == 0;
	case CHECK_flash3:
		return flash3_fits(d, a);
	case CHECK_sage:
		return sage_fits(d, a);
	}
	return false;
}

/* --- shapes ----------------------------------------------------------------------------------- */

static void read_shape(const struct decoder *d, struct attention *a)
{
	const struct layout *l = d->layout;
	const uint64_t groups = u32(d, l->groups);

	*a = (struct attention){
		.b = l->b ? u32(d, l->b) : d->facts->grid[2],
		.h = l->h ? u32(d, l->h) : d->facts->grid[1],
		.s_q = u32(d, l->s_q),
		.s_k = u32(d, l->s_k),
		.d = l->d ? u32(d, l->d) : template_number(d->facts->name, 4),
		.causal = is_set(d, l->causal, 1) || is_set(d, l->mask, 1),
		.type = type_in_name(d->facts->name),
		.backend = l->backend,
		.exactness = EXACTNESS_exact,
	};
	a->h_kv = l->h_kv ? u32(d, l->h_kv) : groups ? a->h / groups : a->h;
	a->d_v = l->d_v ? u32(d, l->d_v) : a->d;
}

/* Lengths that differ in a batch, or that only the device knows. */
static bool is_upper_bound(const struct decoder *d, const struct attention *a)
{
	const struct layout *l = d->layout;

	if (l->b_k && u32(d, l->b_k) != a->b)
		return true;
	return is_set(d, l->cu_q, 8) || is_set(d, l->cu_k, 8) || is_set(d, l->seqused_k, 8) ||
	       is_set(d, l->block_table, 8);
}

/* One query of several heads that share keys is launched as several queries of one head. */
static void undo_swap(const struct decoder *d, struct attention *a)
{
	if (!is_set(d, d->layout->swapped, 1) || a->h != a->h_kv)
		return;
	a->h = a->h_kv * a->s_q;
	a->s_q = 1;
}

static bool try_layout(const struct launch_facts *facts, const struct layout *layout,
		       struct attention *ret)
{
	const struct decoder d = { .facts = facts, .layout = layout };
	struct attention a;

	if (!strcasestr(facts->name, layout->word) ||
	    (layout->size && (!facts->nr_layout || facts->layout[1] != layout->size)) ||
	    facts->nr_bytes < (layout->size ? layout->size : 84))
		return false;
	read_shape(&d, &a);
	if (!fits(&d, &a))
		return false;
	if (is_upper_bound(&d, &a))
		a.exactness = EXACTNESS_upper_bound;
	undo_swap(&d, &a);
	*ret = a;
	return true;
}

bool attention_is_helper(const char *name)
{
	static const char *const words[] = { "combine",        "reduc",    "merge_state",
					     "prepare_varlen", "dot_do_o", "convert_d",
					     "transpose",      "metadata" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

bool attention_decode(const struct launch_facts *facts, struct attention *ret)
{
	if (!facts->bytes || attention_is_helper(facts->name))
		return false;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (try_layout(facts, &layouts[i], ret))
			return true;
	return false;
}

/* --- softmax ---------------------------------------------------------------------------------- */

static uint64_t at(const struct launch_facts *facts, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	if (facts->nr_bytes < bytes || offset > facts->nr_bytes - bytes)
		return 0;
	memcpy(&value, facts->bytes + offset, bytes);
	return value;
}

bool softmax_decode(const struct launch_facts *facts, uint64_t *ret_rows, uint64_t *ret_length)
{
	uint64_t rows, length;

	if (!facts->bytes)
		return false;
	if (strstr(facts->name, "softmax_warp_forward")) {
		rows = at(facts, 16, 4);
		length = at(facts, 24, 4);
	} else if (strstr(facts->name, "cunn_SoftMaxForward")) {
		rows = facts->grid[0];
		length = at(facts, 16, facts->nr_layout > 5 && facts->layout[5] == 8 ? 8 : 4);
	} else {
		return false;
	}
	if (!rows || !length || length >= LENGTH_MAX)
		return false;
	*ret_rows = rows;
	*ret_length = length;
	return true;
}
