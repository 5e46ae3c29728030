/* SPDX-License-Identifier: Apache-2.0 */
/* Which operations and functions a call was made in: those of its thread that have not ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import_defs.h"
#include "import_parts.h"
#include "python_path.h"

static void close_ended(struct span_stack *s, uint64_t now_ns)
{
	while (s->nr && s->rows[s->nr - 1].end_ns <= now_ns)
		s->nr--;
}

static void push_span(struct import *in, struct span_stack *s, const struct span_event *event)
{
	if (s->nr == IMPORT_DEPTH_MAX) {
		in->nr_ignored++;
		return;
	}
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 32;
		struct open_span *rows = realloc(s->rows, size * sizeof(*rows));

		if (!rows) {
			import_fail(in, -ENOMEM);
			return;
		}
		s->rows = rows;
		s->size = size;
	}
	s->rows[s->nr++] = (struct open_span){
		.end_ns = event->end_ns,
		.what = event->what,
		.problem = event->sort == SPAN_op ? event->more : 0,
	};
}

static void open_span(struct import *in, struct span_stack *s, const struct span_event *event)
{
	close_ended(s, event->begin_ns);
	push_span(in, s, event);
}

/* --- ranges ----------------------------------------------------------------------------------- */

static void put_mark(struct trace_writer *w, uint64_t tid, uint64_t time_ns,
		     enum tti_mark_kind kind, const struct name *text, const struct name *domain)
{
	const struct tti_mark mark = {
		.time_ns = time_ns,
		.tid = tid,
		.kind = kind,
		.text = { text ? text->text : "", text ? text->size : 0 },
		.domain = { domain ? domain->text : "", domain ? domain->size : 0 },
	};

	trace_writer_put(w, TTI_RECORD_MARK, &mark);
}

static void close_ranges(struct import *in, struct trace_writer *w, struct import_thread *thread,
			 uint64_t now_ns)
{
	struct span_stack *s = &thread->ranges;

	for (; s->nr && s->rows[s->nr - 1].end_ns <= now_ns; s->nr--)
		put_mark(w, thread->tid, s->rows[s->nr - 1].end_ns, TTI_MARK_POP, NULL,
			 defs_name(in->defs, s->rows[s->nr - 1].class));
}

static void open_range(struct import *in, struct trace_writer *w, struct import_thread *thread,
		       const struct span_event *event)
{
	struct span_stack *s = &thread->ranges;
	size_t before;

	close_ranges(in, w, thread, event->begin_ns);
	before = s->nr;
	push_span(in, s, event);
	if (s->nr == before)
		return;
	s->rows[s->nr - 1].class = event->more;
	put_mark(w, thread->tid, event->begin_ns, TTI_MARK_PUSH, defs_name(in->defs, event->what),
		 defs_name(in->defs, event->more));
}

void import_end_spans(struct import *in, struct trace_writer *w)
{
	for (size_t i = 0; i < in->nr_threads; i++)
		close_ranges(in, w, &in->threads[i], UINT64_MAX);
}

/* --- functions -------------------------------------------------------------------------------- */

/* "torch/nn/modules/module.py(1773): _call_impl" */
struct function_text {
	struct tti_str name, file;
	uint64_t line;
};

static struct function_text split_function(const struct name *text)
{
	const char *end = text->text + text->size, *colon = NULL, *bracket = NULL;
	struct function_text f = { .name = { text->text, text->size } };

	for (const char *at = strstr(text->text, "): "); at; at = strstr(at + 1, "): ")) {
		colon = at;
		break;
	}
	for (const char *at = colon; at && at > text->text; at--)
		if (*at == '(') {
			bracket = at;
			break;
		}
	if (!bracket)
		return f;
	f.name = (struct tti_str){ colon + 3, (size_t)(end - colon - 3) };
	f.file = (struct tti_str){ text->text, (size_t)(bracket - text->text) };
	f.line = strtoull(bracket + 1, NULL, 10);
	return f;
}

static struct tti_str str(const char *text)
{
	return (struct tti_str){ text, strlen(text) };
}

static bool is(struct tti_str s, const char *text)
{
	return s.size == strlen(text) && !memcmp(s.data, text, s.size);
}

/* "nn.Module: Linear_3": the module's __call__, and which of its class it is. */
static bool open_module(struct import *in, struct open_span *span, uint64_t above)
{
	static const char prefix[] = "nn.Module: ";
	const struct name *text = defs_name(in->defs, span->what);
	const char *class = text->text + sizeof(prefix) - 1, *number;
	uint32_t code, file;

	if (strncmp(text->text, prefix, sizeof(prefix) - 1) != 0)
		return false;
	number = strrchr(class, '_');
	span->class = defs_text(in->defs, (struct tti_str){ class, number ? (size_t)(number - class)
									  : strlen(class) });
	span->self = span->what;
	span->is_call = true;
	code = defs_text(in->defs, str("Module._wrapped_call_impl"));
	file = defs_text(in->defs, str("torch/nn/modules/module.py"));
	span->frame = defs_python_frame_id(in->defs, above, defs_code_id(in->defs, code, file, 0),
					   span->class, span->self);
	return true;
}

/*
 * A module's __call__ calls _call_impl, and that the module's forward, or what a decorator made of
 * it and that the forward: all have one self.
 */
static void inherit_self(struct open_span *span, const struct open_span *caller,
			 const struct function_text *f)
{
	const bool is_forward = is(f->name, "forward");

	if (!caller || (!caller->is_call && !(caller->is_wrapper && is_forward)))
		return;
	span->is_call = is(f->name, "_call_impl") || is(f->name, "_wrapped_call_impl");
	span->is_wrapper = !span->is_call && !is_forward;
	span->class = caller->class;
	span->self = caller->self;
}

static void find_function(struct import *in, struct open_span *span, const struct open_span *caller)
{
	const uint64_t above = caller ? caller->frame : 0;
	struct function_text f;
	uint64_t code;

	span->is_known = true;
	if (open_module(in, span, above))
		return;
	f = split_function(defs_name(in->defs, span->what));
	inherit_self(span, caller, &f);
	code = defs_code_id(in->defs, defs_text(in->defs, f.name), defs_text(in->defs, f.file),
			    f.line);
	span->frame = defs_python_frame_id(in->defs, above, code, span->class, span->self);
}

static uint64_t path_of(struct import *in, struct span_stack *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (!s->rows[i].is_known)
			find_function(in, &s->rows[i], i ? &s->rows[i - 1] : NULL);
	return s->nr ? s->rows[s->nr - 1].frame : 0;
}

/* --- operations ------------------------------------------------------------------------------- */

static uint64_t stack_of(struct import *in, struct span_stack *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct open_span *span = &s->rows[i];

		if (span->is_known)
			continue;
		span->is_known = true;
		span->frame = defs_frame_id(in->defs, i ? s->rows[i - 1].frame : 0, span->what);
	}
	return s->nr ? s->rows[s->nr - 1].frame : 0;
}

/*
 * The problem of the innermost operation.  Attention pads and transposes what it was given on its
 * way to the kernel: there the outermost operation that is attention says the shapes.
 */
static uint64_t call_of(struct import *in, const struct span_stack *s)
{
	const struct open_span *inner = s->nr ? &s->rows[s->nr - 1] : NULL;
	const struct op_problem *problem = inner ? defs_problem_of(in->defs, inner->problem) : NULL;
	uint32_t number = inner ? inner->problem : 0;

	if (!problem)
		return 0;
	for (size_t i = 0; problem->kind == CALL_SDPA && i < s->nr; i++) {
		const struct op_problem *outer = defs_problem_of(in->defs, s->rows[i].problem);

		if (outer && outer->kind == CALL_SDPA) {
			number = s->rows[i].problem;
			break;
		}
	}
	return defs_call_id(in->defs, number, inner->what);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void describe(struct import *in, const struct span_event *event, struct tti_template *t)
{
	const struct tti_device_template *d = defs_device_template_of(in->defs, event->template);

	if (!d)
		return;
	if (event->code == CODE_COPY || event->code == CODE_FILL)
		t->bytes = d->bytes;
	if (event->code == CODE_LAUNCH && d->activity == TTI_ACTIVITY_KERNEL) {
		t->kernel = defs_kernel_id(in->defs, (uint32_t)d->name, d->registers);
		t->grid_x = d->grid_x;
		t->grid_y = d->grid_y;
		t->grid_z = d->grid_z;
		t->block_x = d->block_x;
		t->block_y = d->block_y;
		t->block_z = d->block_z;
		t->shared_bytes = d->dynamic_shared_bytes;
	}
	t->stream = d->stream;
	t->context = defs_context_id(in->defs, d->device, d->context);
}

static void put_call(struct import *in, struct trace_writer *w, struct import_thread *thread,
		     const struct span_event *event)
{
	struct tti_template t = { .op = event->code };
	uint64_t row[tti_nr_columns_host] = {
		[tti_column_host_duration_ns] = event->end_ns - event->begin_ns,
		[tti_column_host_begin_ns] = event->begin_ns,
		[tti_column_host_correlation] = event->more,
		[tti_column_host_result] = event->result,
	};

	close_ended(&thread->ops, event->begin_ns);
	close_ended(&thread->functions, event->begin_ns);
	t.api = defs_string_id(in->defs, event->what);
	describe(in, event, &t);
	if (thread->is_capturing && !event->template && event->code != CODE_SYNC)
		t.flags = TTI_TEMPLATE_CAPTURED;
	/* An operation copies and fills before and after its library's call, too. */
	if (event->code == CODE_LAUNCH)
		t.call = call_of(in, &thread->ops);
	t.stack = stack_of(in, &thread->ops);
	t.path = path_of(in, &thread->functions);
	row[tti_column_host_template] = defs_template_id(in->defs, &t);
	trace_writer_host(w, thread->tid, row);
}

void import_take_span(struct import *in, struct trace_writer *w, const struct span_event *event)
{
	struct import_thread *thread = &in->threads[event->thread - 1];

	switch (event->sort) {
	case SPAN_range:
		open_range(in, w, thread, event);
		return;
	case SPAN_function:
		open_span(in, &thread->functions, event);
		return;
	case SPAN_op:
		open_span(in, &thread->ops, event);
		return;
	default:
		break;
	}
	if (event->code == CODE_CAPTURE_BEGIN || event->code == CODE_CAPTURE_END)
		thread->is_capturing = event->code == CODE_CAPTURE_BEGIN;
	else
		put_call(in, w, thread, event);
}
