/* SPDX-License-Identifier: Apache-2.0 */
#include "sequence.h"

#include <string.h>

/*
 * How far the rules look.  Between the parts of attention that is not fused stand a scale, a mask,
 * a cast, a dropout and workspaces; a library call launches fewer kernels than EXECUTION_MAX.
 */
enum { BETWEEN_MAX = 8, SHAPED_BETWEEN_MAX = 20, EXECUTION_MAX = 16 };

static const struct host_template *template_of(const struct sequence_world *w,
					       const struct sequence_entry *e)
{
	return &w->model->templates.rows[e->template];
}

static const struct call *call_of(const struct sequence_world *w, const struct sequence_entry *e)
{
	return &w->model->calls.rows[template_of(w, e)->call];
}

static void hint_operator(struct sequence_entry *e, enum operator op)
{
	e->hint.op = op;
	e->hint.has_operator = true;
}

static bool is_convolution(const struct sequence_world *w, const struct sequence_entry *e)
{
	return e->step == STEP_conv || call_of(w, e)->kind == CALL_CONVOLUTION ||
	       (e->hint.has_operator && e->hint.op == OPERATOR_convolution);
}

static bool is_gemm(const struct sequence_entry *e)
{
	return e->step == STEP_gemm || e->step == STEP_gemm_plain;
}

/* Its operator is open: no library call says it, no rule did. */
static bool is_open(const struct sequence_world *w, const struct sequence_entry *e)
{
	return !template_of(w, e)->call && !e->hint.has_operator;
}

/* --- convolutions ----------------------------------------------------------------------------- */

/* What prepared a convolution stands directly before it. */
static void claim_preparations(struct sequence *s, const struct sequence_world *w, uint64_t i)
{
	while (i-- > s->nr_left) {
		struct sequence_entry *e = sequence_at(s, i);

		if ((e->step != STEP_layout_in && e->step != STEP_fill &&
		     e->step != STEP_strided_copy) ||
		    !is_open(w, e))
			return;
		hint_operator(e, OPERATOR_convolution);
	}
}

/*
 * "nvjet_..._TNN": weights with channels last.  Then what was copied before is the convolution's
 * input; with channels first it is not changed.
 */
static bool is_first_transposed(const struct sequence_world *w, const struct sequence_entry *e)
{
	const struct work *work = template_of(w, e)->work;
	const char *last = work ? strrchr(work->name->text, '_') : NULL;

	return last && last[1] == 'T';
}

/* A linear layer may have its bias added apart; convolutions stand among convolutions. */
static bool has_convolutions(struct sequence *s)
{
	const uint64_t first = s->nr > SEQUENCE_SLOTS ? s->nr - SEQUENCE_SLOTS : 0;

	for (uint64_t i = s->nr; i-- > first;)
		if (sequence_at(s, i)->step == STEP_conv)
			return true;
	return false;
}

static void judge_convolution(struct sequence *s, const struct sequence_world *w, uint64_t i)
{
	struct sequence_entry *e = sequence_at(s, i);
	struct sequence_entry *before = i > s->nr_left ? sequence_at(s, i - 1) : NULL;

	switch (e->step) {
	case STEP_conv:
		claim_preparations(s, w, i);
		return;
	case STEP_gemm:
	case STEP_gemm_plain:
		if (!before || before->step != STEP_layout_in || !is_open(w, e))
			return;
		hint_operator(e, OPERATOR_convolution);
		claim_preparations(s, w, i);
		return;
	case STEP_norm:
		/* It wants its input in one piece. */
		if (before && before->step == STEP_strided_copy && is_open(w, before))
			hint_operator(before, template_of(w, e)->work->op);
		return;
	case STEP_layout_out:
		if (before && is_gemm(before) && is_open(w, before))
			hint_operator(before, OPERATOR_convolution);
		if (before && is_convolution(w, before) && is_open(w, e))
			hint_operator(e, OPERATOR_convolution);
		return;
	case STEP_broadcast_add:
		if (!before || !is_open(w, e) || before->step == STEP_broadcast_add)
			return;
		/* The bias of a linear layer is fused. */
		if (before->step == STEP_gemm_plain && is_open(w, before) &&
		    (!is_first_transposed(w, before) || has_convolutions(s))) {
			hint_operator(before, OPERATOR_convolution);
			if (is_first_transposed(w, before))
				claim_preparations(s, w, i - 1);
		}
		if (is_convolution(w, before))
			hint_operator(e, OPERATOR_convolution);
		return;
	default:
		return;
	}
}

/* --- attention that is not fused -------------------------------------------------------------- */

static bool may_stand_between(const struct sequence_entry *e)
{
	return e->step == STEP_elementwise || e->step == STEP_reduction ||
	       e->step == STEP_broadcast_add || e->step == STEP_copy ||
	       e->step == STEP_strided_copy || e->step == STEP_fill || e->step == STEP_tail;
}

/* The entry of this sort before `i` with nothing but small things between; `i` itself: none. */
static uint64_t find_before(struct sequence *s, uint64_t i, bool want_softmax)
{
	for (uint64_t k = i; k-- > s->nr_left && i - k <= BETWEEN_MAX;) {
		const struct sequence_entry *e = sequence_at(s, k);

		if (want_softmax ? e->step == STEP_softmax : is_gemm(e))
			return e->hint.part ? i : k;
		if (!may_stand_between(e))
			return i;
	}
	return i;
}

/* Heads and sequences are one batch to a matrix product, unless the strides of Q tell them. */
static void split_batch(struct attention *a, const struct gemm_problem *scores)
{
	const uint64_t heads = a->d && scores->ld_b % a->d == 0 ? scores->ld_b / a->d : 0;

	a->b = scores->batch;
	a->h = 1;
	a->heads_in_batch = true;
	if (heads > 1 && scores->batch % heads == 0 && !scores->transpose_b) {
		a->b = scores->batch / heads;
		a->h = heads;
		a->heads_in_batch = false;
	}
	a->h_kv = a->h;
}

/* Columns are queries in what row-major frameworks ask of cuBLAS; the other way round is tried too.
 */
static bool shape_of_products(const struct gemm_problem *scores, const struct gemm_problem *values,
			      struct attention *ret)
{
	const bool by_columns = scores->m == values->k && scores->n == values->n;
	const bool by_rows = scores->n == values->k && scores->m == values->m;

	if (scores->batch != values->batch || (!by_columns && !by_rows))
		return false;
	*ret = (struct attention){
		.s_q = by_columns ? scores->n : scores->m,
		.s_k = values->k,
		.d = scores->k,
		.d_v = by_columns ? values->m : values->n,
		.type = scores->type_a,
		.backend = BACKEND_math,
		.exactness = EXACTNESS_exact,
	};
	split_batch(ret, scores);
	return true;
}

static struct launch_facts facts_of(const struct sequence_world *w, const struct sequence_entry *e)
{
	return model_launch_facts(w->model, e->template, e->parameters);
}

/*
 * Rows of length ret_length, of the softmax that ends here; false: not known.  PyTorch cuts one of
 * more than 2^30 elements into several launches, one behind the other; ret_first is the first.
 */
static bool rows_of_softmax(struct sequence *s, const struct sequence_world *w, uint64_t softmax,
			    uint64_t *ret_rows, uint64_t *ret_length, uint64_t *ret_first)
{
	struct launch_facts facts = facts_of(w, sequence_at(s, softmax));
	uint64_t rows, length;

	*ret_first = softmax;
	if (!softmax_decode(&facts, ret_rows, ret_length))
		return false;
	for (uint64_t k = softmax; k-- > s->nr_left; *ret_rows += rows, *ret_first = k) {
		const struct sequence_entry *e = sequence_at(s, k);

		facts = facts_of(w, e);
		if (e->step != STEP_softmax || e->hint.part ||
		    !softmax_decode(&facts, &rows, &length) || length != *ret_length)
			break;
	}
	return true;
}

/*
 * The softmax between the products, if its parameters are known, has their lengths.  If not, square
 * layers of one size look like two products of one attention: nothing may stand between then.
 */
static bool softmax_agrees(struct sequence *s, const struct sequence_world *w, uint64_t scores,
			   uint64_t softmax, uint64_t values, const struct attention *a)
{
	uint64_t rows, length, first;

	if (rows_of_softmax(s, w, softmax, &rows, &length, &first))
		return length == a->s_k && rows == a->b * a->h * a->s_q;
	return a->b * a->h > 1 || (find_before(s, values, true) == softmax &&
				   find_before(s, softmax, false) == scores);
}

static uint32_t path_of(const struct sequence_world *w, const struct sequence_entry *e)
{
	return template_of(w, e)->path;
}

/*
 * One line of Python that makes both products and the softmax calls attention as such: what else it
 * makes, scales and masks, is a part of it.  Written out, the three are on lines of their own.
 */
static void claim_line(struct sequence *s, const struct sequence_world *w, uint64_t values)
{
	const uint32_t path = path_of(w, sequence_at(s, values));

	for (uint64_t k = values; k-- > s->nr_left;) {
		struct sequence_entry *e = sequence_at(s, k);

		if (path_of(w, e) != path)
			return;
		if (!e->hint.part && !template_of(w, e)->call)
			hint_operator(e, OPERATOR_attention);
	}
}

static bool is_one_line(struct sequence *s, const struct sequence_world *w, uint64_t scores,
			uint64_t softmax, uint64_t values)
{
	const uint32_t path = path_of(w, sequence_at(s, values));

	return path && path_of(w, sequence_at(s, softmax)) == path &&
	       path_of(w, sequence_at(s, scores)) == path;
}

/* What the same line makes behind the product of values. */
static void follow_line(struct sequence *s, const struct sequence_world *w, uint64_t i)
{
	struct sequence_entry *e = sequence_at(s, i);
	const struct sequence_entry *before = i > s->nr_left ? sequence_at(s, i - 1) : NULL;

	if (before && before->is_cast_next && is_open(w, e) &&
	    (e->step == STEP_copy || e->step == STEP_strided_copy))
		hint_operator(e, OPERATOR_attention);
	if (before && before->is_line && path_of(w, e) == path_of(w, before) && is_open(w, e)) {
		hint_operator(e, OPERATOR_attention);
		e->is_line = true;
	}
}

/*
 * Rows that are masked altogether are looked for by the framework's own attention alone: then what
 * scales, casts and masks around the products is a part of it too.
 */
static bool is_whole_attention(struct sequence *s, const struct sequence_world *w, uint64_t softmax,
			       uint64_t values)
{
	for (uint64_t k = softmax + 1; k < values; k++) {
		const struct work *work = template_of(w, sequence_at(s, k))->work;

		if (work && strstr(work->name->text, "isneginf"))
			return true;
	}
	return false;
}

static void claim_surroundings(struct sequence *s, const struct sequence_world *w, uint64_t scores,
			       uint64_t values)
{
	for (uint64_t k = values; k-- > s->nr_left && k + BETWEEN_MAX >= scores;) {
		struct sequence_entry *e = sequence_at(s, k);

		if (e->hint.part)
			continue;
		if (!may_stand_between(e) || template_of(w, e)->call)
			return;
		hint_operator(e, OPERATOR_attention);
	}
}

static void link_attention(struct sequence *s, const struct sequence_world *w, uint64_t scores,
			   uint64_t softmax, uint64_t values, const struct attention *a)
{
	const uint64_t parts[] = { scores, softmax, values };
	const uint32_t index = pairs_attention(w->pairs, a);
	uint64_t rows, length, first;

	rows_of_softmax(s, w, softmax, &rows, &length, &first);
	for (uint64_t k = first; k < softmax; k++) {
		hint_operator(sequence_at(s, k), OPERATOR_attention);
		sequence_at(s, k)->hint.attention = index;
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct sequence_entry *e = sequence_at(s, parts[i]);

		hint_operator(e, OPERATOR_attention);
		e->hint.attention = index;
		e->hint.part = PART_scores + i;
	}
	/* A mask that is added looks like a convolution's bias. */
	for (uint64_t k = scores + 1; k < values; k++) {
		struct sequence_entry *e = sequence_at(s, k);

		if (!e->hint.part && e->hint.op == OPERATOR_convolution)
			e->hint.has_operator = false;
	}
	if (is_one_line(s, w, scores, softmax, values)) {
		claim_line(s, w, values);
		sequence_at(s, values)->is_line = true;
	} else if (!path_of(w, sequence_at(s, values)) &&
		   is_whole_attention(s, w, softmax, values)) {
		claim_surroundings(s, w, scores, values);
		sequence_at(s, values)->is_cast_next = true;
	}
}

/* By the shapes of the products, whatever stands between. */
static bool link_by_shape(struct sequence *s, const struct sequence_world *w, uint64_t values,
			  uint64_t softmax)
{
	const struct call *second = call_of(w, sequence_at(s, values));
	struct attention a;

	for (uint64_t k = softmax; k-- > s->nr_left && softmax - k <= SHAPED_BETWEEN_MAX;) {
		const struct sequence_entry *e = sequence_at(s, k);

		if (e->hint.part || call_of(w, e)->kind != CALL_GEMM || !is_gemm(e))
			continue;
		if (!shape_of_products(&call_of(w, e)->gemm, &second->gemm, &a) ||
		    !softmax_agrees(s, w, k, softmax, values, &a))
			continue;
		link_attention(s, w, k, softmax, values, &a);
		return true;
	}
	return false;
}

static void link_by_shapes(struct sequence *s, const struct sequence_world *w, uint64_t values)
{
	for (uint64_t k = values; k-- > s->nr_left && values - k <= SHAPED_BETWEEN_MAX;) {
		const struct sequence_entry *e = sequence_at(s, k);

		if (e->step == STEP_softmax && !e->hint.part && link_by_shape(s, w, values, k))
			return;
	}
}

/* Names only: the order must do, and the length of the softmax's rows if it is known. */
static void link_by_order(struct sequence *s, const struct sequence_world *w, uint64_t values)
{
	const uint64_t softmax = find_before(s, values, true);
	const uint64_t scores = softmax < values ? find_before(s, softmax, false) : softmax;
	struct attention a = { .backend = BACKEND_math };
	struct launch_facts facts;
	uint64_t rows;

	if (softmax == values || scores == softmax)
		return;
	facts = facts_of(w, sequence_at(s, softmax));
	softmax_decode(&facts, &rows, &a.s_k);
	link_attention(s, w, scores, softmax, values, &a);
}

static void judge_attention(struct sequence *s, const struct sequence_world *w, uint64_t i)
{
	const struct sequence_entry *e = sequence_at(s, i);

	if (!is_gemm(e) || e->hint.part || is_convolution(w, e))
		return;
	if (call_of(w, e)->kind == CALL_GEMM)
		link_by_shapes(s, w, i);
	else if (is_open(w, e))
		link_by_order(s, w, i);
}

/* --- library calls ---------------------------------------------------------------------------- */

/* Of the kernels of a call, the one that does the work. */
static int rank_of(const struct sequence_world *w, const struct sequence_entry *e)
{
	const struct work *work = template_of(w, e)->work;

	switch (e->step) {
	case STEP_attention:
		return 5;
	case STEP_conv:
		return work && !strcmp(work->sub, "aux") ? 2 : 4;
	case STEP_gemm:
	case STEP_gemm_plain:
		return 3;
	default:
		return template_of(w, e)->definition.op == TTI_OP_LAUNCH ? 1 : 0;
	}
}

static void end_execution(struct sequence *s, const struct sequence_world *w)
{
	struct sequence_entry *best = NULL;

	if (!s->is_in_call)
		return;
	s->is_in_call = false;
	for (uint64_t i = s->execution_begins; i < s->nr; i++) {
		struct sequence_entry *e = sequence_at(s, i);

		if (!best || rank_of(w, e) > rank_of(w, best))
			best = e;
	}
	if (best)
		best->hint.is_principal = true;
}

/*
 * The same problem's next execution: asked for elsewhere in the program, or what does the work
 * comes again.
 */
static bool begins_again(struct sequence *s, const struct sequence_world *w,
			 const struct sequence_entry *entry)
{
	const struct host_template *now = template_of(w, entry);

	if (s->nr - s->execution_begins >= EXECUTION_MAX)
		return true;
	for (uint64_t i = s->execution_begins; i < s->nr; i++) {
		const struct host_template *before = template_of(w, sequence_at(s, i));

		if (before->path != now->path)
			return true;
		if (rank_of(w, entry) >= 3 && before->kernel_index == now->kernel_index)
			return true;
	}
	return false;
}

static void follow_call(struct sequence *s, const struct sequence_world *w,
			const struct sequence_entry *entry)
{
	const uint32_t call = template_of(w, entry)->call;
	const uint32_t current =
		s->is_in_call ? template_of(w, sequence_at(s, s->nr - 1))->call : 0;

	if (!call && !current)
		return;
	if (call != current || begins_again(s, w, entry)) {
		end_execution(s, w);
		s->is_in_call = call != 0;
		s->execution_begins = s->nr;
	}
}

/* --- sampling --------------------------------------------------------------------------------- */

static bool has_word(const struct sequence_world *w, const struct sequence_entry *e,
		     const char *word)
{
	const struct work *work = template_of(w, e)->work;

	return work && strstr(work->name->text, word);
}

/*
 * Names only: random numbers, a division, the place of the maximum are multinomial(); the checks of
 * its input stand before them, up to the softmax or product that made it.
 */
static void judge_sampling(struct sequence *s, const struct sequence_world *w, uint64_t i)
{
	if (sequence_at(s, i)->step != STEP_reduction || i < s->nr_left + 3 ||
	    sequence_at(s, i - 1)->step != STEP_elementwise ||
	    sequence_at(s, i - 2)->step != STEP_sampling || path_of(w, sequence_at(s, i)) ||
	    !has_word(w, sequence_at(s, i), "ArgMax"))
		return;
	for (uint64_t k = i + 1; k-- > s->nr_left && i - k <= SHAPED_BETWEEN_MAX;) {
		struct sequence_entry *e = sequence_at(s, k);

		if (!may_stand_between(e) && e->step != STEP_sampling &&
		    !has_word(w, e, "assert_async"))
			return;
		if (is_open(w, e))
			hint_operator(e, OPERATOR_sampling);
	}
}

/*
 * One line of Python that draws random numbers and reduces them is multinomial() or the like: its
 * comparisons, sums and assertions are a part of it.  Called when the line is done.
 */
static void judge_line(struct sequence *s, const struct sequence_world *w)
{
	const uint64_t first = s->line_begins > s->nr_left ? s->line_begins : s->nr_left;
	bool draws = false, reduces = false;

	for (uint64_t i = first; i < s->nr; i++) {
		draws |= sequence_at(s, i)->step == STEP_sampling;
		reduces |= sequence_at(s, i)->step == STEP_reduction;
	}
	if (!draws || !reduces)
		return;
	for (uint64_t i = first; i < s->nr; i++) {
		struct sequence_entry *e = sequence_at(s, i);

		if (is_open(w, e) && e->step != STEP_softmax && !is_gemm(e))
			hint_operator(e, OPERATOR_sampling);
	}
}

static void follow_sampling(struct sequence *s, const struct sequence_world *w,
			    const struct sequence_entry *entry)
{
	const uint32_t path = path_of(w, entry);

	if (path == s->line && s->nr - s->line_begins < SEQUENCE_DELAY - 1)
		return;
	if (s->line)
		judge_line(s, w);
	s->line = path;
	s->line_begins = s->nr;
}

/* --- in and out ------------------------------------------------------------------------------- */

void sequence_push(struct sequence *s, const struct sequence_world *w,
		   const struct sequence_entry *entry)
{
	follow_call(s, w, entry);
	follow_sampling(s, w, entry);
	*sequence_at(s, s->nr) = *entry;
	s->nr++;
	follow_line(s, w, s->nr - 1);
	if (entry->step == STEP_other)
		return;
	judge_convolution(s, w, s->nr - 1);
	judge_attention(s, w, s->nr - 1);
	judge_sampling(s, w, s->nr - 1);
}

/* What adds up the parts of a product belongs where that belongs. */
static void inherit_from_product(struct sequence *s, struct sequence_entry *e, uint64_t i)
{
	for (uint64_t k = i; k-- > 0 && i - k <= 3;) {
		const struct sequence_entry *before = sequence_at(s, k);

		if (!is_gemm(before) && before->step != STEP_conv)
			continue;
		if (before->hint.has_operator)
			hint_operator(e, before->hint.op);
		return;
	}
}

static enum operator operator_of_step(const struct sequence_entry *e)
{
	if (e->hint.has_operator)
		return e->hint.op;
	if (e->step == STEP_conv || e->step == STEP_layout_in)
		return OPERATOR_convolution;
	return e->step == STEP_attention ? OPERATOR_attention : OPERATOR_linear;
}

/* A workspace is cleared directly before the kernel that needs it. */
static void inherit_from_next(struct sequence *s, struct sequence_entry *e, uint64_t i)
{
	const struct sequence_entry *next = i + 1 < s->nr ? sequence_at(s, i + 1) : NULL;

	if (next && (is_gemm(next) || next->step == STEP_conv || next->step == STEP_layout_in ||
		     next->step == STEP_attention))
		hint_operator(e, operator_of_step(next));
}

const struct sequence_entry *sequence_leave(struct sequence *s, const struct sequence_world *w)
{
	const uint64_t i = s->nr_left++;
	struct sequence_entry *e = sequence_at(s, i);

	if (is_open(w, e) && e->step == STEP_tail)
		inherit_from_product(s, e, i);
	if (is_open(w, e) && e->step == STEP_fill)
		inherit_from_next(s, e, i);
	return e;
}

void sequence_end(struct sequence *s, const struct sequence_world *w)
{
	end_execution(s, w);
	if (s->line)
		judge_line(s, w);
	s->line = 0;
}
