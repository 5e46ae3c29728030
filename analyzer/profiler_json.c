/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "copy_name.h"
#include "progress.h"

enum {
	CHUNK = 1 << 16,
	DEPTH_MAX = 64,
	TEXT_MAX = 1 << 16,     /* of a string that is kept: kernels' names have thousands */
	TOKEN_CHUNKS_MAX = 256, /* one token of 16 MiB: nothing honest has that */
	INFO_MAX = 200,
};

enum event_field {
	EVENT_other,
#define EVENT_FIELD(key, name) EVENT_##name,
#include "profiler_fields.def"
#undef EVENT_FIELD
};

enum argument_field {
	ARGUMENT_other,
#define ARGUMENT_FIELD(key, name) ARGUMENT_##name,
#include "profiler_fields.def"
#undef ARGUMENT_FIELD
};

enum category {
	CATEGORY_other,
	CATEGORY_op,
	CATEGORY_function,
	CATEGORY_call,
	CATEGORY_kernel,
	CATEGORY_copy,
	CATEGORY_fill,
	CATEGORY_range,
	CATEGORY_span,
};

/* Where in the document a value stands. */
enum place {
	PLACE_outside,
	PLACE_top,
	PLACE_events,
	PLACE_event,
	PLACE_arguments,
	PLACE_list, /* in arguments, at any depth */
	PLACE_devices,
	PLACE_device,
	PLACE_distributed,
	PLACE_skipped,
};

struct word {
	const char *key;
	int value;
};

struct event {
	enum event_field field;       /* the one whose value comes */
	enum argument_field argument; /* likewise */
	enum category category;
	char phase;
	bool has_begin;
	size_t name_size;
	struct import_span span; /* end: the duration, until the event is whole */
	struct import_activity activity;
	uint64_t shape[2][3]; /* grid, block */
	uint32_t list_depth, nr_listed;
	bool has_dims;
	char process[64];
};

struct parser {
	struct import *in;
	struct profiler_json_result *result;
	enum place places[DEPTH_MAX + 1];
	size_t depth;
	uint64_t nr_tokens;
	const char *refusal;
	char key[64]; /* of the top object, of a device */
	struct tti_device device;
	char device_name[128];
	struct event event;
	struct op_facts facts;
	bool has_program;
	char name[TEXT_MAX];
};

static const struct word event_words[] = {
#define EVENT_FIELD(key, name) { key, EVENT_##name },
#include "profiler_fields.def"
#undef EVENT_FIELD
	{ NULL, 0 },
};

static const struct word argument_words[] = {
#define ARGUMENT_FIELD(key, name) { key, ARGUMENT_##name },
#define ARGUMENT_ALIAS(key, name) { key, ARGUMENT_##name },
#include "profiler_fields.def"
#undef ARGUMENT_FIELD
#undef ARGUMENT_ALIAS
	{ NULL, 0 },
};

static const struct word category_words[] = {
#define CATEGORY(key, name) { key, CATEGORY_##name },
#include "profiler_fields.def"
#undef CATEGORY
	{ NULL, 0 },
};

static int find_word(const struct word *words, const char *text, size_t size)
{
	for (; words->key; words++)
		if (words->key[0] == (size ? text[0] : '\0') && strlen(words->key) == size &&
		    !memcmp(words->key, text, size))
			return words->value;
	return 0;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static uint64_t whole_number(const char *text, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
			return UINT64_MAX;
	return n;
}

/* "1.7e+15" */
static bool time_with_exponent(const char *text, size_t size, uint64_t *ret_ns)
{
	char copy[64];
	long double us;

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	us = strtold(copy, NULL);
	if (!(us >= 0 && us < 1e16L))
		return false;
	*ret_ns = (uint64_t)(us * 1000 + 0.5L);
	return true;
}

bool profiler_time(const char *text, size_t size, uint64_t *ret_ns)
{
	uint64_t us = 0, ns = 0;
	size_t i = 0;

	if (!size || text[0] < '0' || text[0] > '9')
		return false;
	for (; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		if ((us = us * 10 + (uint64_t)(text[i] - '0')) > UINT64_MAX / 2000)
			return false;
	if (i < size && text[i] == '.') {
		uint64_t digit = 1000;

		for (i++; i < size && text[i] >= '0' && text[i] <= '9'; i++, digit /= 10) {
			ns += (uint64_t)(text[i] - '0') * (digit / 10);
			if (digit == 1 && text[i] >= '5')
				ns++;
		}
	}
	if (i < size)
		return time_with_exponent(text, size, ret_ns);
	*ret_ns = us * 1000 + ns;
	return true;
}

/* --- events ----------------------------------------------------------------------------------- */

static void event_reset(struct parser *p)
{
	struct event *e = &p->event;

	*e = (struct event){ .phase = '\0' };
	/* Only what was written to is cleared: the whole has several kilobytes. */
	for (uint32_t i = 0; i < p->facts.nr_inputs; i++) {
		struct op_input *in = &p->facts.inputs[i];

		in->nr_dims = in->nr_strides = 0;
		in->type = TYPE_none;
		in->concrete[0] = '\0';
	}
	p->facts.nr_inputs = 0;
}

static void emit_activity(struct parser *p, enum tti_activity activity)
{
	struct event *e = &p->event;
	struct import_activity *a = &e->activity;

	a->begin_ns = e->span.begin_ns;
	a->end_ns = e->span.end_ns;
	a->name = (struct tti_str){ p->name, e->name_size };
	if (activity == TTI_ACTIVITY_KERNEL) {
		a->template.grid_x = e->shape[0][0];
		a->template.grid_y = e->shape[0][1];
		a->template.grid_z = e->shape[0][2];
		a->template.block_x = e->shape[1][0];
		a->template.block_y = e->shape[1][1];
		a->template.block_z = e->shape[1][2];
		a->template.bytes = 0;
	} else if (activity == TTI_ACTIVITY_COPY) {
		copy_name_read(a->name, &a->template);
	}
	import_activity(p->in, activity, a);
}

/* Empty: the application's own. */
static struct tti_str domain_of(struct tti_str range)
{
	static const char *const prefixes[] = {
#define FRAMEWORK_RANGE(prefix) prefix,
#include "framework_ranges.def"
#undef FRAMEWORK_RANGE
	};
	static const char domain[] = "torch";

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (range.size >= strlen(prefixes[i]) &&
		    !memcmp(range.data, prefixes[i], strlen(prefixes[i])))
			return (struct tti_str){ domain, sizeof(domain) - 1 };
	return (struct tti_str){ "", 0 };
}

static void emit_span(struct parser *p)
{
	struct event *e = &p->event;
	const struct tti_str name = { p->name, e->name_size };

	e->span.end_ns += e->span.begin_ns;
	switch (e->category) {
	case CATEGORY_op:
		import_op(p->in, &e->span, name, e->has_dims ? &p->facts : NULL);
		break;
	case CATEGORY_function:
		import_python(p->in, &e->span, name);
		break;
	case CATEGORY_range:
		import_range(p->in, &e->span, name, domain_of(name));
		break;
	case CATEGORY_call:
		import_call(p->in, &e->span, name, e->activity.correlation, 0);
		break;
	case CATEGORY_kernel:
		emit_activity(p, TTI_ACTIVITY_KERNEL);
		break;
	case CATEGORY_copy:
		emit_activity(p, TTI_ACTIVITY_COPY);
		break;
	case CATEGORY_fill:
		emit_activity(p, TTI_ACTIVITY_FILL);
		break;
	case CATEGORY_span:
		import_watched(p->in, e->span.begin_ns, e->span.end_ns);
		break;
	default:
		break;
	}
}

static void event_end(struct parser *p)
{
	struct event *e = &p->event;

	if (e->phase == 'M' && e->process[0] && !p->has_program &&
	    e->name_size == strlen("process_name")) {
		p->has_program = true;
		import_process(p->in, 0, NULL, e->process);
	}
	if (e->phase != 'X' || e->category == CATEGORY_other)
		return;
	if (e->has_begin)
		emit_span(p);
	else
		p->result->nr_skipped++;
}

/* --- values ----------------------------------------------------------------------------------- */

static void copy_text(char *to, size_t room, const char *text, size_t size)
{
	const size_t n = size < room - 1 ? size : room - 1;

	memcpy(to, text, n);
	to[n] = '\0';
}

static void event_value(struct parser *p, const char *text, size_t size)
{
	struct event *e = &p->event;

	switch (e->field) {
	case EVENT_phase:
		e->phase = size == 1 ? text[0] : '\0';
		break;
	case EVENT_category:
		e->category = (enum category)find_word(category_words, text, size);
		break;
	case EVENT_name:
		e->name_size = size < sizeof(p->name) ? size : sizeof(p->name);
		memcpy(p->name, text, e->name_size);
		break;
	case EVENT_pid:
		e->span.pid = whole_number(text, size);
		break;
	case EVENT_tid:
		e->span.tid = whole_number(text, size);
		break;
	case EVENT_begin:
		e->has_begin = profiler_time(text, size, &e->span.begin_ns);
		break;
	case EVENT_duration:
		if (!profiler_time(text, size, &e->span.end_ns))
			e->span.end_ns = 0;
		break;
	default:
		break;
	}
}

static void argument_value(struct parser *p, const char *text, size_t size)
{
	struct event *e = &p->event;
	struct tti_device_template *t = &e->activity.template;

	switch (e->argument) {
	case ARGUMENT_correlation:
		e->activity.correlation = (uint32_t)whole_number(text, size);
		break;
	case ARGUMENT_device:
		t->device = whole_number(text, size);
		break;
	case ARGUMENT_context:
		t->context = whole_number(text, size);
		break;
	case ARGUMENT_stream:
		t->stream = whole_number(text, size);
		break;
	case ARGUMENT_registers:
		t->registers = whole_number(text, size);
		break;
	case ARGUMENT_shared:
		t->dynamic_shared_bytes = whole_number(text, size);
		break;
	case ARGUMENT_bytes:
		t->bytes = whole_number(text, size);
		break;
	case ARGUMENT_graph:
		t->graph = whole_number(text, size);
		break;
	case ARGUMENT_node:
		e->activity.node = whole_number(text, size);
		break;
	case ARGUMENT_process:
		copy_text(e->process, sizeof(e->process), text, size);
		break;
	default:
		break;
	}
}

/* The input that the list is at; NULL: beyond what is kept. */
static struct op_input *listed_input(struct parser *p, uint32_t index)
{
	if (index >= OP_INPUTS_MAX)
		return NULL;
	if (p->facts.nr_inputs <= index)
		p->facts.nr_inputs = index + 1;
	return &p->facts.inputs[index];
}

/* A number of a tensor's dimensions; deeper are those of lists of tensors. */
static void shape_value(struct parser *p, uint64_t number)
{
	struct event *e = &p->event;
	struct op_input *in;

	if (e->list_depth != 2 || !e->nr_listed)
		return;
	in = listed_input(p, e->nr_listed - 1);
	if (!in)
		return;
	if (e->argument == ARGUMENT_dims && in->nr_dims < OP_DIMS_MAX) {
		in->dims[in->nr_dims++] = number;
		e->has_dims = true;
	} else if (e->argument == ARGUMENT_strides && in->nr_strides < OP_DIMS_MAX) {
		in->strides[in->nr_strides++] = number;
	}
}

static void list_value(struct parser *p, const char *text, size_t size)
{
	struct event *e = &p->event;
	struct op_input *in;

	switch (e->argument) {
	case ARGUMENT_grid:
	case ARGUMENT_block:
		if (e->nr_listed < 3)
			e->shape[e->argument == ARGUMENT_block][e->nr_listed] =
				whole_number(text, size);
		e->nr_listed++;
		break;
	case ARGUMENT_dims:
	case ARGUMENT_strides:
		shape_value(p, whole_number(text, size));
		break;
	case ARGUMENT_types:
		in = e->list_depth == 1 ? listed_input(p, e->nr_listed++) : NULL;
		if (in)
			in->type = op_type(text, size);
		break;
	case ARGUMENT_concrete:
		in = e->list_depth == 1 ? listed_input(p, e->nr_listed++) : NULL;
		if (in && size < sizeof(in->concrete))
			copy_text(in->concrete, sizeof(in->concrete), text, size);
		break;
	default:
		break;
	}
}

static void top_value(struct parser *p, const char *text, size_t size)
{
	char key[80], value[INFO_MAX];

	copy_text(value, sizeof(value), text, size);
	if (!strcmp(p->key, "baseTimeNanoseconds"))
		import_realtime(p->in, whole_number(text, size));
	if (!strcmp(p->key, "cuda_driver_version"))
		import_info(p->in, "driver.cuda_version", value);
	snprintf(key, sizeof(key), "source.%s", p->key);
	import_info(p->in, key, value);
}

static void device_value(struct parser *p, const char *text, size_t size)
{
	const uint64_t number = whole_number(text, size);

#define DEVICE_FIELD(in_key, field)  \
	if (!strcmp(p->key, in_key)) \
		p->device.field = number;
#include "profiler_fields.def"
#undef DEVICE_FIELD
	if (!strcmp(p->key, "name"))
		copy_text(p->device_name, sizeof(p->device_name), text, size);
}

static int take_value(struct parser *p, const char *text, size_t size)
{
	p->nr_tokens++;
	switch (p->places[p->depth]) {
	case PLACE_event:
		event_value(p, text, size);
		break;
	case PLACE_arguments:
		argument_value(p, text, size);
		break;
	case PLACE_list:
		list_value(p, text, size);
		break;
	case PLACE_top:
		top_value(p, text, size);
		break;
	case PLACE_device:
		device_value(p, text, size);
		break;
	case PLACE_distributed:
		if (!strcmp(p->key, "rank")) {
			char rank[32];

			copy_text(rank, sizeof(rank), text, size);
			import_rank(p->in, rank);
		}
		break;
	default:
		break;
	}
	return 1;
}

static int on_text(void *opaque, const unsigned char *text, size_t size)
{
	return take_value(opaque, (const char *)text, size);
}

static int on_number(void *opaque, const char *text, size_t size)
{
	return take_value(opaque, text, size);
}

static int on_boolean(void *opaque, int value)
{
	return take_value(opaque, value ? "true" : "false", value ? 4 : 5);
}

static int on_null(void *opaque)
{
	return take_value(opaque, "", 0);
}

/* --- structure -------------------------------------------------------------------------------- */

static int enter(struct parser *p, enum place place)
{
	p->nr_tokens++;
	if (p->depth == DEPTH_MAX) {
		p->refusal = "it nests too deeply";
		return 0;
	}
	p->places[++p->depth] = place;
	return 1;
}

static enum place place_of_map(struct parser *p)
{
	switch (p->places[p->depth]) {
	case PLACE_outside:
		return PLACE_top;
	case PLACE_top:
		return strcmp(p->key, "distributedInfo") ? PLACE_skipped : PLACE_distributed;
	case PLACE_events:
		event_reset(p);
		return PLACE_event;
	case PLACE_event:
		return p->event.field == EVENT_arguments ? PLACE_arguments : PLACE_skipped;
	case PLACE_devices:
		p->device = (struct tti_device){ 0 };
		p->device_name[0] = '\0';
		return PLACE_device;
	default:
		return PLACE_skipped;
	}
}

static enum place place_of_array(struct parser *p)
{
	struct event *e = &p->event;

	switch (p->places[p->depth]) {
	case PLACE_outside:
		return PLACE_events;
	case PLACE_top:
		return !strcmp(p->key, "traceEvents")        ? PLACE_events
		       : !strcmp(p->key, "deviceProperties") ? PLACE_devices
							     : PLACE_skipped;
	case PLACE_arguments:
		if (e->argument == ARGUMENT_other)
			return PLACE_skipped;
		e->list_depth = 1;
		e->nr_listed = 0;
		return PLACE_list;
	case PLACE_list:
		e->nr_listed += e->list_depth == 1;
		e->list_depth++;
		return PLACE_list;
	default:
		return PLACE_skipped;
	}
}

static int on_map(void *opaque)
{
	return enter(opaque, place_of_map(opaque));
}

static int on_array(void *opaque)
{
	return enter(opaque, place_of_array(opaque));
}

static int on_key(void *opaque, const unsigned char *key, size_t size)
{
	struct parser *p = opaque;
	const char *text = (const char *)key;

	p->nr_tokens++;
	switch (p->places[p->depth]) {
	case PLACE_event:
		p->event.field = (enum event_field)find_word(event_words, text, size);
		break;
	case PLACE_arguments:
		p->event.argument = (enum argument_field)find_word(argument_words, text, size);
		break;
	case PLACE_top:
	case PLACE_device:
	case PLACE_distributed:
		copy_text(p->key, sizeof(p->key), text, size);
		break;
	default:
		break;
	}
	return 1;
}

static int on_map_end(void *opaque)
{
	struct parser *p = opaque;

	p->nr_tokens++;
	if (p->places[p->depth] == PLACE_event) {
		event_end(p);
	} else if (p->places[p->depth] == PLACE_device) {
		p->device.name = (struct tti_str){ p->device_name, strlen(p->device_name) };
		import_device(p->in, &p->device);
	}
	p->depth--;
	return 1;
}

static int on_array_end(void *opaque)
{
	struct parser *p = opaque;

	p->nr_tokens++;
	if (p->places[p->depth] == PLACE_list)
		p->event.list_depth--;
	p->depth--;
	return 1;
}

/* --- the stream ------------------------------------------------------------------------------- */

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_text,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_map_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

/* yajl ends its messages with a newline. */
static void set_why(struct parser *p, yajl_handle yajl, yajl_status status)
{
	unsigned char *message;

	if (status == yajl_status_client_canceled) {
		snprintf(p->result->why, sizeof(p->result->why), "%s",
			 p->refusal ? p->refusal : "refused");
		return;
	}
	message = yajl_get_error(yajl, 0, NULL, 0);
	if (!message)
		return;
	message[strcspn((char *)message, "\n")] = '\0';
	snprintf(p->result->why, sizeof(p->result->why), "%s", (char *)message);
	yajl_free_error(yajl, message);
}

static bool is_stuck(const struct parser *p, uint64_t before, unsigned int *nr_chunks)
{
	*nr_chunks = p->nr_tokens == before ? *nr_chunks + 1 : 0;
	return *nr_chunks > TOKEN_CHUNKS_MAX;
}

/* 0, or a negative errno of reading; what is wrong with the text itself is in the result. */
static int parse(struct parser *p, yajl_handle yajl, struct byte_stream *stream,
		 struct progress *progress)
{
	static const char early[] = "the compressed data end early, or are damaged";
	unsigned char chunk[CHUNK];
	unsigned int nr_stuck = 0;
	yajl_status status;

	for (;;) {
		const uint64_t before = p->nr_tokens;
		const ssize_t n = byte_stream_read(stream, chunk, sizeof(chunk));

		if (n == -EBADMSG)
			snprintf(p->result->why, sizeof(p->result->why), "%s", early);
		if (n < 0)
			return n == -EBADMSG ? 0 : (int)n;
		if (n == 0)
			break;
		status = yajl_parse(yajl, chunk, (size_t)n);
		if (status != yajl_status_ok) {
			p->result->position += yajl_get_bytes_consumed(yajl);
			set_why(p, yajl, status);
			return 0;
		}
		p->result->position += (uint64_t)n;
		if (progress)
			progress_at(progress, byte_stream_position(stream));
		if (is_stuck(p, before, &nr_stuck)) {
			snprintf(p->result->why, sizeof(p->result->why), "one value has 16 MiB");
			return 0;
		}
	}
	status = yajl_complete_parse(yajl);
	p->result->is_whole = status == yajl_status_ok && p->nr_tokens;
	if (!p->result->is_whole)
		snprintf(p->result->why, sizeof(p->result->why), "it ends too early");
	return 0;
}

int profiler_json_read(struct byte_stream *stream, struct import *in,
		       struct profiler_json_result *ret, struct diag *diag)
{
	struct parser *p = calloc(1, sizeof(*p));
	yajl_handle yajl = p ? yajl_alloc(&callbacks, NULL, p) : NULL;
	struct progress *progress;
	int r = -ENOMEM;

	*ret = (struct profiler_json_result){ .is_whole = false };
	if (yajl) {
		/* Names are bytes to us, and in a few of these traces no UTF-8. */
		yajl_config(yajl, yajl_dont_validate_strings, 1);
		p->in = in;
		p->result = ret;
		progress = progress_new("import", byte_stream_size(stream));
		r = parse(p, yajl, stream, progress);
		progress_end(progress);
		yajl_free(yajl);
	}
	free(p);
	return r < 0 ? diag_set(diag, r, "%s", strerror(-r)) : 0;
}
