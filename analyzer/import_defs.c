/* SPDX-License-Identifier: Apache-2.0 */
#include "import_defs.h"

#include <stdlib.h>
#include <string.h>

#include "id_map.h"
#include "names.h"
#include "seed.h"

/* What a reader keeps of a trace (model.c); problems are larger. */
enum { ROWS_MAX = 1 << 20, PROBLEMS_MAX = 1 << 16, SYMBOL_BYTES = 16 };

/* Sorts of keys, so that equal numbers of different sorts are not the same. */
enum sort {
	SORT_kernel = 1,
	SORT_context,
	SORT_call,
	SORT_template,
	SORT_device_template,
	SORT_frame,
	SORT_python_frame,
	SORT_code,
	SORT_problem,
	NR_SORTS
};

struct text {
	const struct name *name;
	uint64_t string_id; /* 0: not in the trace yet */
	bool is_symbol;     /* its address is */
};

struct device_template {
	struct tti_device_template definition; /* name: a text */
	uint64_t id;                           /* 0: not in the trace yet */
};

struct import_defs {
	struct trace_writer *w;
	struct names *names;
	struct id_map text_ids; /* by address of the name */
	struct text *texts;
	size_t nr_texts, size_texts;
	struct op_problem **problems;
	size_t nr_problems, size_problems;
	struct device_template *device_templates;
	size_t nr_device_templates, size_device_templates;
	struct id_map ids;       /* by hash of sort and content */
	uint64_t last[NR_SORTS]; /* the id given out last */
	uint64_t last_string;
	uint64_t nr_ignored;
};

struct import_defs *import_defs_new(void)
{
	struct import_defs *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->names = names_new();
	if (!d->names) {
		free(d);
		return NULL;
	}
	return d;
}

void import_defs_free(struct import_defs *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nr_problems; i++)
		free(d->problems[i]);
	free(d->problems);
	free(d->texts);
	free(d->device_templates);
	id_map_free(&d->text_ids);
	id_map_free(&d->ids);
	names_free(d->names);
	free(d);
}

static void *grow(void *rows, size_t nr, size_t *size, size_t row_bytes)
{
	const size_t bigger = *size ? 2 * *size : 256;
	void *p;

	if (nr < *size)
		return rows;
	p = realloc(rows, bigger * row_bytes);
	if (p)
		*size = bigger;
	return p;
}

/* Room for one more row of a table of `max`, or a return of 0 from the function that adds it. */
#define APPEND(d, table, max)                                                                 \
	({                                                                                    \
		void *rows_ = (d)->nr_##table < (size_t)(max)                                 \
				      ? grow((d)->table, (d)->nr_##table, &(d)->size_##table, \
					     sizeof(*(d)->table))                             \
				      : NULL;                                                 \
		if (!rows_) {                                                                 \
			(d)->nr_ignored++;                                                    \
			return 0;                                                             \
		}                                                                             \
		(d)->table = rows_;                                                           \
		&(d)->table[(d)->nr_##table++];                                               \
	})

static uint64_t key_of(enum sort sort, const void *content, size_t size)
{
	return seed_mix(seed_hash(content, size) ^ (uint64_t)sort << 56);
}

#define KEY(sort, ...) \
	key_of(sort, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }))

/* The id under a key; *ret_is_new if it has just been given out.  0: too many. */
static uint64_t enter(struct import_defs *d, enum sort sort, uint64_t key, bool *ret_is_new)
{
	const uint32_t found = id_map_find(&d->ids, key);

	*ret_is_new = false;
	if (found)
		return found;
	if (d->last[sort] >= ROWS_MAX ||
	    id_map_add(&d->ids, key, (uint32_t)d->last[sort] + 1) < 0) {
		d->nr_ignored++;
		return 0;
	}
	*ret_is_new = true;
	return ++d->last[sort];
}

/* --- what is known before the trace is written ------------------------------------------------ */

uint32_t defs_text(struct import_defs *d, struct tti_str text)
{
	const struct name *name = names_intern(d->names, text.data ? text.data : "", text.size);
	uint32_t found;
	struct text *row;

	if (!name) {
		d->nr_ignored++;
		return 0;
	}
	found = id_map_find(&d->text_ids, (uintptr_t)name);
	if (found)
		return found;
	row = APPEND(d, texts, ROWS_MAX);
	*row = (struct text){ .name = name };
	return id_map_add(&d->text_ids, (uintptr_t)name, (uint32_t)d->nr_texts) < 0
		       ? 0
		       : (uint32_t)d->nr_texts;
}

/* Lists point into the problem itself: what they hold counts, not where they are. */
static uint64_t problem_key(const struct op_problem *problem)
{
	struct op_problem plain;

	memcpy(&plain, problem, sizeof(plain));
	if (plain.kind == CALL_CONVOLUTION) {
		struct tti_convolution *c = &plain.convolution;
		struct tti_list *const lists[] = { &c->x,         &c->w,         &c->y,
						   &c->pads,      &c->post_pads, &c->strides,
						   &c->dilations, &c->x_strides };

		for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
			lists[i]->values = NULL;
	} else if (plain.kind == CALL_SDPA) {
		plain.sdpa.q.values = plain.sdpa.k.values = plain.sdpa.v.values =
			plain.sdpa.o.values = NULL;
	}
	return key_of(SORT_problem, &plain, sizeof(plain));
}

/* A copy of a problem, whose lists are its own. */
static void move_lists(struct op_problem *to, const struct op_problem *from)
{
	const ptrdiff_t way = (const char *)to - (const char *)from;
	struct tti_convolution *c = &to->convolution;
	struct tti_sdpa *s = &to->sdpa;
	struct tti_list *const of_convolution[] = { &c->x,         &c->w,         &c->y,
						    &c->pads,      &c->post_pads, &c->strides,
						    &c->dilations, &c->x_strides };
	struct tti_list *const of_sdpa[] = { &s->q, &s->k, &s->v, &s->o };
	struct tti_list *const *lists = to->kind == CALL_SDPA ? of_sdpa : of_convolution;
	const size_t nr = to->kind == CALL_SDPA ? 4 : to->kind == CALL_CONVOLUTION ? 8 : 0;

	for (size_t i = 0; i < nr; i++)
		if (lists[i]->values)
			lists[i]->values = (const uint64_t *)((const char *)lists[i]->values + way);
}

uint32_t defs_problem(struct import_defs *d, const struct op_problem *problem)
{
	const uint64_t key = problem_key(problem);
	const uint32_t found = id_map_find(&d->ids, key);
	struct op_problem **row, *copy;

	if (found)
		return found;
	row = APPEND(d, problems, PROBLEMS_MAX);
	copy = malloc(sizeof(*copy));
	if (!copy || id_map_add(&d->ids, key, (uint32_t)d->nr_problems) < 0) {
		free(copy);
		d->nr_problems--;
		return 0;
	}
	*copy = *problem;
	move_lists(copy, problem);
	*row = copy;
	return (uint32_t)d->nr_problems;
}

uint32_t defs_device_template(struct import_defs *d, const struct tti_device_template *t)
{
	const uint64_t key = key_of(SORT_device_template, t, sizeof(*t));
	const uint32_t found = id_map_find(&d->ids, key);
	struct device_template *row;

	if (found)
		return found;
	row = APPEND(d, device_templates, ROWS_MAX);
	*row = (struct device_template){ .definition = *t };
	return id_map_add(&d->ids, key, (uint32_t)d->nr_device_templates) < 0
		       ? 0
		       : (uint32_t)d->nr_device_templates;
}

const struct name *defs_name(const struct import_defs *d, uint32_t text)
{
	return text ? d->texts[text - 1].name : NULL;
}

const struct op_problem *defs_problem_of(const struct import_defs *d, uint32_t problem)
{
	return problem ? d->problems[problem - 1] : NULL;
}

const struct tti_device_template *defs_device_template_of(const struct import_defs *d,
							  uint32_t template)
{
	return template ? &d->device_templates[template - 1].definition : NULL;
}

/* --- in the trace ----------------------------------------------------------------------------- */

void defs_begin(struct import_defs *d, struct trace_writer *w)
{
	d->w = w;
}

uint64_t defs_string_id(struct import_defs *d, uint32_t text)
{
	struct text *row = text ? &d->texts[text - 1] : NULL;

	if (!row)
		return 0;
	if (!row->string_id) {
		row->string_id = ++d->last_string;
		trace_writer_put(d->w, TTI_RECORD_STRING,
				 &(struct tti_string){
					 .id = row->string_id,
					 .text = { row->name->text, row->name->size } });
	}
	return row->string_id;
}

uint64_t defs_device_template_id(struct import_defs *d, uint32_t template)
{
	struct device_template *row = template ? &d->device_templates[template - 1] : NULL;
	struct tti_device_template record;

	if (!row)
		return 0;
	if (!row->id) {
		record = row->definition;
		record.name = defs_string_id(d, (uint32_t)record.name);
		row->id = record.id = ++d->last[SORT_device_template];
		trace_writer_put(d->w, TTI_RECORD_DEVICE_TEMPLATE, &record);
	}
	return row->id;
}

uint64_t defs_kernel_id(struct import_defs *d, uint32_t name, uint64_t registers)
{
	struct tti_kernel record = { .registers = registers };
	bool is_new;

	record.id = enter(d, SORT_kernel, KEY(SORT_kernel, name, registers), &is_new);
	if (is_new) {
		record.name = defs_string_id(d, name);
		trace_writer_put(d->w, TTI_RECORD_KERNEL, &record);
	}
	return record.id;
}

uint64_t defs_context_id(struct import_defs *d, uint64_t device, uint64_t context)
{
	struct tti_context record = { .device = device, .cupti = context };
	bool is_new;

	record.id = enter(d, SORT_context, KEY(SORT_context, device, context), &is_new);
	if (is_new)
		trace_writer_put(d->w, TTI_RECORD_CONTEXT, &record);
	return record.id;
}

uint64_t defs_call_id(struct import_defs *d, uint32_t problem, uint32_t api)
{
	struct op_problem *p = problem ? d->problems[problem - 1] : NULL;
	bool is_new;
	uint64_t id;

	if (!p)
		return 0;
	id = enter(d, SORT_call, KEY(SORT_call, problem, api), &is_new);
	if (!is_new)
		return id;
	/* All three begin with these. */
	p->gemm.id = id;
	p->gemm.api = defs_string_id(d, api);
	trace_writer_put(d->w, op_problem_record(p->kind), &p->gemm);
	return id;
}

uint64_t defs_template_id(struct import_defs *d, const struct tti_template *t)
{
	struct tti_template record = *t;
	bool is_new;

	record.id = enter(d, SORT_template, key_of(SORT_template, t, sizeof(*t)), &is_new);
	if (is_new)
		trace_writer_put(d->w, TTI_RECORD_TEMPLATE, &record);
	return record.id;
}

uint64_t defs_frame_id(struct import_defs *d, uint64_t parent, uint32_t symbol)
{
	struct tti_frame record = { .parent = parent, .address = (uint64_t)symbol * SYMBOL_BYTES };
	bool is_new;

	if (!symbol)
		return parent;
	record.id = enter(d, SORT_frame, KEY(SORT_frame, parent, symbol), &is_new);
	if (!is_new)
		return record.id ? record.id : parent;
	if (!d->texts[symbol - 1].is_symbol) {
		d->texts[symbol - 1].is_symbol = true;
		trace_writer_put(d->w, TTI_RECORD_SYMBOL,
				 &(struct tti_symbol){ .address = record.address,
						       .name = defs_string_id(d, symbol) });
	}
	trace_writer_put(d->w, TTI_RECORD_FRAME, &record);
	return record.id;
}

uint64_t defs_code_id(struct import_defs *d, uint32_t name, uint32_t file, uint64_t line)
{
	struct tti_code record = { .line = line };
	bool is_new;

	record.id = enter(d, SORT_code, KEY(SORT_code, name, file, line), &is_new);
	if (is_new) {
		record.name = defs_string_id(d, name);
		record.file = defs_string_id(d, file);
		trace_writer_put(d->w, TTI_RECORD_CODE, &record);
	}
	return record.id;
}

uint64_t defs_python_frame_id(struct import_defs *d, uint64_t parent, uint64_t code, uint32_t class,
			      uint64_t self)
{
	struct tti_python_frame record = { .parent = parent, .code = code, .self = self };
	bool is_new;

	record.id = enter(d, SORT_python_frame, KEY(SORT_python_frame, parent, code, class, self),
			  &is_new);
	if (is_new) {
		record.class = defs_string_id(d, class);
		trace_writer_put(d->w, TTI_RECORD_PYTHON_FRAME, &record);
	}
	return record.id ? record.id : parent;
}

uint64_t defs_nr_ignored(const struct import_defs *d)
{
	return d->nr_ignored;
}
