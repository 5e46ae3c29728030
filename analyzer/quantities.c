/* SPDX-License-Identifier: Apache-2.0 */
#include "quantities.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name, *what;
} quantities[NR_QUANTITIES] = {
#define QUANTITY(in_name, in_what) { .name = #in_name, .what = in_what },
#include "quantities.def"
#undef QUANTITY
};

const char *quantity_name(enum quantity q)
{
	return quantities[q].name;
}

const char *quantity_what(enum quantity q)
{
	return quantities[q].what;
}

enum quantity quantity_by_name(const char *name, size_t size)
{
	enum quantity q = 0;

	while (q < NR_QUANTITIES &&
	       (strlen(quantities[q].name) != size || strncmp(quantities[q].name, name, size) != 0))
		q++;
	return q;
}

/* --- one run ---------------------------------------------------------------------------------- */

/* The largest of what was seen. */
struct seen {
	double area, depth, temporal, text, keys;
	double image_batch; /* of two-dimensional convolutions: frames may be in it */
	double batch;       /* of three-dimensional ones */
	double attention_batch;
};

static void see(double *largest, double value)
{
	if (value > *largest)
		*largest = value;
}

static void see_convolution(struct seen *s, const struct convolution_problem *c)
{
	const struct dims *y = &c->y;

	if (y->nr != 4 && y->nr != 5)
		return;
	see(&s->area, (double)y->v[y->nr - 1] * (double)y->v[y->nr - 2]);
	if (y->nr == 5)
		see(&s->depth, (double)y->v[2]);
	see(y->nr == 5 ? &s->batch : &s->image_batch, (double)y->v[0]);
}

static void see_attention(struct seen *s, const struct assignment *a)
{
	const struct attention *t = &a->attention;

	if (t->exactness == EXACTNESS_unknown || a->role == ROLE_vae)
		return;
	see(&s->keys, (double)t->s_k);
	if (a->role == ROLE_temporal)
		see(&s->temporal, (double)t->s_q);
	else
		see(&s->attention_batch, (double)t->b);
	if (a->role == ROLE_cross)
		see(&s->text, (double)t->s_k);
}

static double batch_of(const struct seen *s, double frames)
{
	if (s->batch > 0)
		return s->batch;
	if (!(s->image_batch > 0))
		return s->attention_batch;
	return frames > 0 && fmod(s->image_batch, frames) == 0 ? s->image_batch / frames
							       : s->image_batch;
}

static double count_steps(const struct phases *p)
{
	double steps = 0;

	for (size_t i = 0; i < p->nr; i++)
		steps +=
			(phase_kind_is_step(p->rows[i].kind) && p->rows[i].kind != PHASE_prefill) ||
			p->rows[i].kind == PHASE_period;
	return steps;
}

void quantities_find(const struct analysis *a, struct quantities *ret)
{
	struct seen s = { 0 };
	double frames;

	for (size_t i = 0; i < a->profile.nr_items; i++) {
		const struct assignment *as = &a->profile.items[i].assignment;

		if (as->call && as->call->kind == CALL_CONVOLUTION)
			see_convolution(&s, &as->call->convolution);
		if (as->has_attention)
			see_attention(&s, as);
	}
	frames = s.temporal > 0 ? s.temporal : s.depth;
	*ret = (struct quantities){ .values = {
					    [QUANTITY_image] = sqrt(s.area),
					    [QUANTITY_frames] = frames,
					    [QUANTITY_batch] = batch_of(&s, frames),
					    [QUANTITY_steps] = count_steps(&a->phases),
					    [QUANTITY_text] = s.text,
					    [QUANTITY_tokens] = s.keys,
				    } };
}

/* --- several ---------------------------------------------------------------------------------- */

bool quantity_varies(const struct quantities *runs, size_t nr, enum quantity q)
{
	bool varies = false;

	for (size_t i = 0; i < nr; i++) {
		if (!(runs[i].values[q] > 0))
			return false;
		varies |= runs[i].values[q] != runs[0].values[q];
	}
	return varies;
}

size_t quantities_that_vary(const struct quantities *runs, size_t nr,
			    enum quantity ret[NR_QUANTITIES])
{
	const bool has_tokens = quantity_varies(runs, nr, QUANTITY_image) ||
				quantity_varies(runs, nr, QUANTITY_frames) ||
				quantity_varies(runs, nr, QUANTITY_text);
	size_t found = 0;

	for (enum quantity q = 0; q < NR_QUANTITIES; q++)
		if (quantity_varies(runs, nr, q) && !(q == QUANTITY_tokens && has_tokens))
			ret[found++] = q;
	return found;
}
