/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of the sum that is to be made. */
struct item {
	const struct work *work;
	const struct trace *trace;
	uint64_t grid[3], block[3], context, stream, device;
	uint64_t time_ns, launches, min_ns, max_ns;
};

struct maker {
	struct profile *profile;
	const struct run *run;
};

static const char *const axis_names[NR_AXES] = {
#define AXIS(name, what) #name,
#include "axes.def"
#undef AXIS
};

static const char *const axis_whats[NR_AXES] = {
#define AXIS(name, what) what,
#include "axes.def"
#undef AXIS
};

const char *axis_name(enum axis axis)
{
	return axis_names[axis];
}

const char *axis_what(enum axis axis)
{
	return axis_whats[axis];
}

enum axis axis_by_name(const char *name)
{
	enum axis axis = 0;

	while (axis < NR_AXES && strcmp(axis_names[axis], name))
		axis++;
	return axis;
}

static const struct name *intern(struct maker *m, const char *text)
{
	return names_intern(m->run->names, text, strlen(text));
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct name *format(struct maker *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const struct name *format(struct maker *m, const char *fmt, ...)
{
	const struct name *name = NULL;
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n >= 0) {
		name = names_intern(m->run->names, text, (size_t)n);
		free(text);
	}
	return name;
}

static const struct name *device_key(struct maker *m, const struct item *item)
{
	const struct model *model = &item->trace->model;

	for (size_t i = 0; i < model->devices.nr; i++)
		if (model->devices.rows[i].ordinal == item->device && model->device_names.rows[i])
			return format(m, "%s %" PRIu64, model->device_names.rows[i]->text,
				      item->device);
	return format(m, "device %" PRIu64, item->device);
}

static const struct name *process_key(struct maker *m, const struct item *item)
{
	const struct model *model = &item->trace->model;
	const char *rank = model->rank && model->rank->size ? model->rank->text : NULL;

	return format(m, "%s pid %" PRIu64 "%s%s", model->host ? model->host->text : "?",
		      model->process.pid, rank ? " rank " : "", rank ? rank : "");
}

static const struct name *item_key(struct maker *m, enum axis axis, const struct item *item)
{
	const struct work *w = item->work;

	switch (axis) {
	case AXIS_operator:
		return intern(m, w->operator_name);
	case AXIS_kind:
		return format(m, "%s%s%s", w->kind, w->sub[0] ? "/" : "", w->sub);
	case AXIS_kernel:
		return w->mangled ? w->mangled : w->name;
	case AXIS_shape:
		return format(m,
			      "(%" PRIu64 ",%" PRIu64 ",%" PRIu64 ")x(%" PRIu64 ",%" PRIu64
			      ",%" PRIu64 ") %s",
			      item->grid[0], item->grid[1], item->grid[2], item->block[0],
			      item->block[1], item->block[2], w->name->text);
	case AXIS_stream:
		return format(m, "device %" PRIu64 " context %" PRIu64 " stream %" PRIu64,
			      item->device, item->context, item->stream);
	case AXIS_device:
		return device_key(m, item);
	case AXIS_process:
		return process_key(m, item);
	case NR_AXES:
		break;
	}
	return NULL;
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct profile_row *find_row(struct profile_table *t, const struct name *key)
{
	const uint32_t index = id_map_find(&t->ids, (uintptr_t)key);

	if (index)
		return &t->rows[index - 1];
	if (t->nr == t->size) {
		const size_t size = t->size ? 2 * t->size : 64;
		struct profile_row *rows = realloc(t->rows, size * sizeof(*rows));

		if (!rows)
			return NULL;
		t->rows = rows;
		t->size = size;
	}
	t->rows[t->nr++] = (struct profile_row){ .key = key, .min_ns = UINT64_MAX };
	if (id_map_add(&t->ids, (uintptr_t)key, (uint32_t)t->nr) < 0)
		return NULL;
	return &t->rows[t->nr - 1];
}

static int add_item(struct maker *m, const struct item *item)
{
	struct profile *p = m->profile;

	for (enum axis axis = 0; axis < NR_AXES; axis++) {
		const struct name *key = item_key(m, axis, item);
		struct profile_row *row = key ? find_row(&p->axes[axis], key) : NULL;

		if (!row)
			return -ENOMEM;
		row->work = item->work;
		row->time_ns += item->time_ns;
		row->launches += item->launches;
		if (item->min_ns < row->min_ns)
			row->min_ns = item->min_ns;
		if (item->max_ns > row->max_ns)
			row->max_ns = item->max_ns;
	}
	p->time_ns += item->time_ns;
	p->launches += item->launches;
	if (!strcmp(item->work->kind, "unknown"))
		p->unknown_ns += item->time_ns;
	return 0;
}

static int add_device_templates(struct maker *m, const struct trace *t)
{
	for (size_t i = 1; i < t->model.device_templates.nr; i++) {
		const struct device_template *d = &t->model.device_templates.rows[i];
		const struct tti_device_template *def = &d->definition;
		const struct item item = {
			.work = d->count ? work_of_device(m->profile->works, d) : NULL,
			.trace = t,
			.grid = { def->grid_x, def->grid_y, def->grid_z },
			.block = { def->block_x, def->block_y, def->block_z },
			.context = def->context,
			.stream = def->stream,
			.device = def->device,
			.time_ns = d->time_ns,
			.launches = d->count,
			.min_ns = d->min_ns,
			.max_ns = d->max_ns,
		};

		if (d->count && (!item.work || add_item(m, &item) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int add_host_templates(struct maker *m, const struct trace *t)
{
	for (size_t i = 1; i < t->model.templates.nr; i++) {
		const struct host_template *h = &t->model.templates.rows[i];
		const struct tti_template *def = &h->definition;
		const struct tti_context *context =
			&t->model.contexts.rows[id_map_find(&t->model.context_ids, def->context)];
		const struct item item = {
			.work = work_of_host(m->profile->works, h),
			.trace = t,
			.grid = { def->grid_x, def->grid_y, def->grid_z },
			.block = { def->block_x, def->block_y, def->block_z },
			.context = def->context,
			.stream = def->stream,
			.device = context->device,
			.time_ns = h->host_ns,
			.launches = h->count,
			.min_ns = 0,
			.max_ns = h->host_ns,
		};

		if (item.work && add_item(m, &item) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? 1 : -1;
	return strcmp(x->key->text, y->key->text);
}

int profile_make(struct profile *p, const struct run *run, const struct classifier *classifier,
		 struct diag *diag)
{
	struct maker m = { .profile = p, .run = run };
	struct run_coverage coverage;
	int r = 0;

	*p = (struct profile){ .works = works_new(run->names, classifier) };
	if (!p->works)
		r = -ENOMEM;
	run_coverage(run, &coverage);
	p->is_host_time = !coverage.has_device_rows;
	for (size_t i = 0; r == 0 && i < run->nr; i++)
		r = p->is_host_time ? add_host_templates(&m, run->traces[i])
				    : add_device_templates(&m, run->traces[i]);
	for (enum axis axis = 0; axis < NR_AXES; axis++) {
		if (p->axes[axis].nr)
			qsort(p->axes[axis].rows, p->axes[axis].nr, sizeof(*p->axes[axis].rows),
			      by_time);
		id_map_free(&p->axes[axis].ids);
	}
	if (r < 0) {
		profile_clear(p);
		diag_set(diag, r, "no memory");
	}
	return r;
}

void profile_clear(struct profile *p)
{
	for (enum axis axis = 0; axis < NR_AXES; axis++)
		free(p->axes[axis].rows);
	works_free(p->works);
	*p = (struct profile){ 0 };
}

double profile_share(const struct profile *p, const struct profile_row *row)
{
	return p->time_ns ? (double)row->time_ns / (double)p->time_ns : 0;
}
