/* SPDX-License-Identifier: Apache-2.0 */
#include "assign.h"

#include <stdlib.h>
#include <string.h>

#include "frame_rules.h"

/* Deeper than any real stack; the chain comes from the file. */
enum { FRAMES_MAX = 512 };

/* cudnnBackendDescriptorType_t */
enum {
	CUDNN_CONV_FORWARD = 10,
	CUDNN_CONV_BACKWARD_FILTER = 11,
	CUDNN_CONV_BACKWARD_DATA = 12,
	CUDNN_POINTWISE = 13,
	CUDNN_MATMUL = 19,
	CUDNN_REDUCTION = 22,
	CUDNN_RESAMPLE_FORWARD = 25,
	CUDNN_NORM_FORWARD = 29,
	CUDNN_SDPA_FORWARD = 41,
};

struct assigner {
	const struct trace *trace;
	struct frame_names *names;
	bool has_operations; /* some stack has had one */
	struct verdict {
		bool is_known;
		const struct frame_rule *rule;
	} * verdicts; /* by frame */
};

/* What one source says. */
struct word {
	bool is_said;
	enum operator op;
};

static struct word say(enum operator op)
{
	return (struct word){ .is_said = true, .op = op };
}

struct assigner *assigner_new(const struct trace *t, struct frame_symbols *symbols)
{
	struct assigner *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->trace = t;
	a->names = frame_names_new(symbols, &t->model);
	a->verdicts = calloc(t->model.frames.nr, sizeof(*a->verdicts));
	if (!a->names || !a->verdicts) {
		assigner_free(a);
		return NULL;
	}
	return a;
}

void assigner_free(struct assigner *a)
{
	if (!a)
		return;
	frame_names_free(a->names);
	free(a->verdicts);
	free(a);
}

/* --- sources ---------------------------------------------------------------------------------- */

static bool has_operation(const struct operation_problem *o, uint64_t type)
{
	for (uint32_t i = 0; i < o->operations.nr; i++)
		if (o->operations.v[i] == type)
			return true;
	return false;
}

static size_t nr_operations(const struct operation_problem *o, uint64_t type)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < o->operations.nr; i++)
		nr += o->operations.v[i] == type;
	return nr;
}

static struct word operation_word(const struct operation_problem *o, const char *api)
{
	if (has_operation(o, CUDNN_CONV_FORWARD) || has_operation(o, CUDNN_CONV_BACKWARD_DATA) ||
	    has_operation(o, CUDNN_CONV_BACKWARD_FILTER))
		return say(OPERATOR_convolution);
	if (has_operation(o, CUDNN_SDPA_FORWARD) || nr_operations(o, CUDNN_MATMUL) > 1)
		return say(OPERATOR_attention);
	if (has_operation(o, CUDNN_MATMUL))
		return say(OPERATOR_linear);
	if (has_operation(o, CUDNN_NORM_FORWARD))
		return say(OPERATOR_layer_norm);
	if (has_operation(o, CUDNN_RESAMPLE_FORWARD) || strcasestr(api, "pooling"))
		return say(OPERATOR_resample);
	if (has_operation(o, CUDNN_REDUCTION))
		return say(OPERATOR_reduction);
	if (strcasestr(api, "softmax"))
		return say(OPERATOR_softmax);
	if (has_operation(o, CUDNN_POINTWISE))
		return say(OPERATOR_elementwise);
	return (struct word){ 0 };
}

static struct word call_word(const struct call *c)
{
	switch (c->kind) {
	case CALL_GEMM:
		return say(OPERATOR_linear);
	case CALL_CONVOLUTION:
		return say(OPERATOR_convolution);
	case CALL_SDPA:
		return say(OPERATOR_attention);
	case CALL_OPERATION:
		return operation_word(&c->operation, c->api ? c->api->text : "");
	case CALL_NONE:
		break;
	}
	return (struct word){ 0 };
}

static const struct frame_rule *frame_rule_of_stack(struct assigner *a, uint32_t stack)
{
	const struct model *m = &a->trace->model;
	struct verdict *verdict = &a->verdicts[stack];
	struct frame_verdict found = { 0 };
	uint32_t frame = stack;

	if (verdict->is_known || !stack)
		return verdict->rule;
	for (int i = 0; i < FRAMES_MAX && frame; i++, frame = m->frames.rows[frame].parent) {
		const char *symbol = frame_name(a->names, frame);

		if (symbol)
			frame_verdict_add(&found, symbol);
	}
	verdict->is_known = true;
	verdict->rule = frame_verdict_of(&found);
	a->has_operations |= verdict->rule != NULL;
	return verdict->rule;
}

static struct word frame_word(const struct frame_rule *rule)
{
	return rule ? say(rule->op) : (struct word){ 0 };
}

static bool is_name(const struct name *name, const char *text)
{
	const char *last = name ? strrchr(name->text, '.') : NULL;

	return name && !strcmp(last ? last + 1 : name->text, text);
}

static struct word path_word(const struct model *m, const struct host_template *h)
{
	const struct python_frame *frame = &m->python_frames.rows[h->path];

#define PATH(text, operator)                                                \
	if (is_name(frame->class_name, text) || is_name(frame->code, text)) \
		return say(OPERATOR_##operator);
#include "path_rules.def"
#undef PATH
	return (struct word){ 0 };
}

/* --- the decision ----------------------------------------------------------------------------- */

/* Whether `inner` may well be a part of `outer`, so that the two do not contradict each other. */
static bool may_be_part(enum operator inner, enum operator outer)
{
	if (inner == outer || !operator_is_strong(inner) || outer == OPERATOR_other)
		return true;
	switch (outer) {
	case OPERATOR_attention:
		return inner == OPERATOR_linear || inner == OPERATOR_softmax ||
		       inner == OPERATOR_reduction;
	case OPERATOR_convolution:
		return inner == OPERATOR_linear;
	case OPERATOR_linear:
	case OPERATOR_layer_norm:
	case OPERATOR_group_norm:
	case OPERATOR_softmax:
	case OPERATOR_resample:
		return inner == OPERATOR_reduction;
	case OPERATOR_sampling:
		return inner == OPERATOR_reduction || inner == OPERATOR_softmax ||
		       inner == OPERATOR_embedding;
	default:
		return false;
	}
}

static void note_conflict(struct assignment *ret, struct word word, enum evidence evidence)
{
	if (!word.is_said || ret->evidence == evidence || may_be_part(word.op, ret->op))
		return;
	ret->has_conflict = true;
	ret->conflicts_with = evidence;
}

static bool take(struct assignment *ret, struct word word, enum evidence evidence)
{
	if (word.is_said) {
		ret->op = word.op;
		ret->evidence = evidence;
	}
	return word.is_said;
}

/* A matrix product is a linear layer, unless what is around it says otherwise. */
static void decide_gemm(struct assignment *ret, struct word frame)
{
	take(ret, say(OPERATOR_linear), EVIDENCE_call);
	if (frame.is_said && (frame.op == OPERATOR_attention || frame.op == OPERATOR_convolution))
		take(ret, frame, EVIDENCE_frame);
}

static void decide(struct assigner *a, struct assignment *ret, const struct host_template *h,
		   const struct hint *hint)
{
	const struct word neighbours = { .is_said = hint->has_operator, .op = hint->op };
	const struct word name = say(ret->work->op);
	const struct word parameters = { .is_said = ret->has_attention && !ret->part &&
						    !(ret->call && ret->call->kind == CALL_SDPA),
					 .op = OPERATOR_attention };
	struct word call = ret->call ? call_word(ret->call) : (struct word){ 0 };
	const struct frame_rule *rule = frame_rule_of_stack(a, h->stack);
	struct word frame = frame_word(rule);

	/* Only products of scores and of values say it without a library call of attention. */
	if (hint->part && (!call.is_said || ret->call->kind == CALL_GEMM)) {
		take(ret, neighbours, EVIDENCE_neighbours);
		return;
	}
	/* baddbmm with its shapes known, and they did not link it: a product like any other. */
	if (ret->call && ret->call->kind == CALL_GEMM && rule &&
	    !strcmp(rule->operation, "baddbmm"))
		frame.is_said = false;
	if (ret->call && ret->call->kind == CALL_GEMM)
		decide_gemm(ret, frame);
	else if (!take(ret, call, EVIDENCE_call) && !take(ret, parameters, EVIDENCE_parameters) &&
		 !take(ret, frame, EVIDENCE_frame) &&
		 !take(ret, path_word(&a->trace->model, h), EVIDENCE_path) &&
		 !take(ret, neighbours, EVIDENCE_neighbours))
		take(ret, name, EVIDENCE_name);
	note_conflict(ret, name, EVIDENCE_name);
	note_conflict(ret, frame, EVIDENCE_frame);
	note_conflict(ret, parameters, EVIDENCE_parameters);
	note_conflict(ret, call, EVIDENCE_call);
}

/* --- the problem ------------------------------------------------------------------------------ */

static void find_attention(struct assigner *a, struct assignment *ret, const struct site *site,
			   const struct hint *hint)
{
	const struct trace *t = a->trace;
	const struct launch_facts facts =
		model_launch_facts(&t->model, site->template, site->parameters);

	ret->part = hint->part;
	if (hint->attention) {
		ret->attention = t->pairs.attentions[hint->attention];
		ret->has_attention = true;
		return;
	}
	/* What the library was asked for is never padded, and says types. */
	ret->has_attention =
		(ret->call && ret->call->kind == CALL_SDPA &&
		 attention_of_sdpa(ret->call, &ret->attention)) ||
		(ret->work->kind_id == KIND_attention && attention_decode(&facts, &ret->attention));
}

static enum role role_of_class(const char *class_name, enum role by_shape)
{
#define ROLE_CLASS(part, from, to)                                       \
	if (by_shape == ROLE_##from && strstr(class_name, part) != NULL) \
		return ROLE_##to;
#include "role_rules.def"
#undef ROLE_CLASS
	return by_shape;
}

static enum role find_role(const struct model *m, uint32_t path, const struct attention *a)
{
	const enum role by_shape = attention_role(a);

	for (int i = 0; i < FRAMES_MAX && path; i++) {
		const struct python_frame *f = &m->python_frames.rows[path];
		const enum role role =
			f->class_name ? role_of_class(f->class_name->text, by_shape) : by_shape;

		if (role != by_shape)
			return role;
		path = f->parent;
	}
	return by_shape;
}

/* Each launch that stands for a whole problem carries its cost; its helpers have none. */
static void find_cost(struct assignment *ret, const struct hint *hint)
{
	const bool is_fused =
		ret->has_attention && !ret->part && ret->work->kind_id == KIND_attention;

	ret->is_attention = is_fused || ret->part == PART_values;
	if (ret->call && ret->call->kind != CALL_NONE) {
		if (ret->call->kind == CALL_SDPA)
			ret->is_attention = hint->is_principal;
		ret->has_cost = hint->is_principal && cost_of_call(ret->call, &ret->cost);
		return;
	}
	if (is_fused || ret->part)
		ret->has_cost = cost_of_attention(&ret->attention, ret->part, &ret->cost);
}

void assign(struct assigner *a, uint32_t index, const struct work *work, struct assignment *ret)
{
	const struct model *m = &a->trace->model;
	const struct site *site = &a->trace->pairs.sites[index];
	const struct host_template *h = &m->templates.rows[site->template];
	const struct hint *hint = &a->trace->pairs.hints[site->hint];

	*ret = (struct assignment){ .work = work };
	if (h->call)
		ret->call = &m->calls.rows[h->call];
	find_attention(a, ret, site, hint);
	if (ret->has_attention)
		ret->role = find_role(m, h->path, &ret->attention);
	decide(a, ret, h, hint);
	find_cost(ret, hint);
}

const char *assign_frame(struct assigner *a, uint32_t site)
{
	const struct host_template *h =
		&a->trace->model.templates.rows[a->trace->pairs.sites[site].template];
	const struct frame_rule *rule = frame_rule_of_stack(a, h->stack);

	return rule ? rule->operation : NULL;
}

void assign_see_frames(struct assigner *a, struct knowledge *k)
{
	const struct model *m = &a->trace->model;

	k->frames |= a->has_operations;
	k->nr_frames += m->frames.nr - 1;
	for (uint32_t i = 1; i < m->frames.nr; i++)
		k->nr_frames_named += frame_name(a->names, i) != NULL;
}
