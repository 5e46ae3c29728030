/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a pair or site. */
struct sums {
	uint64_t count, time_ns, min_ns, max_ns;
};

struct maker {
	struct profile *profile;
	const struct run *run;
	const struct profile_setup *setup;
};

static const char *const axis_names[NR_AXES] = {
#define AXIS(name, text, what) text,
#include "axes.def"
#undef AXIS
};

static const char *const axis_whats[NR_AXES] = {
#define AXIS(name, text, what) what,
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

static const struct name *device_key(struct maker *m, const struct profile_item *item)
{
	const struct model *model = &item->trace->model;

	for (size_t i = 0; i < model->devices.nr; i++)
		if (model->devices.rows[i].ordinal == item->device && model->device_names.rows[i])
			return format(m, "%s %" PRIu64, model->device_names.rows[i]->text,
				      item->device);
	return format(m, "device %" PRIu64, item->device);
}

static const struct name *process_key(struct maker *m, const struct profile_item *item)
{
	const struct model *model = &item->trace->model;
	const char *rank = model->rank && model->rank->size ? model->rank->text : NULL;

	return format(m, "%s pid %" PRIu64 "%s%s", model->host ? model->host->text : "?",
		      model->process.pid, rank ? " rank " : "", rank ? rank : "");
}

static const struct name *kernel_shape_key(struct maker *m, const struct profile_item *item)
{
	return format(m,
		      "(%" PRIu64 ",%" PRIu64 ",%" PRIu64 ")x(%" PRIu64 ",%" PRIu64 ",%" PRIu64
		      ") %s",
		      item->grid[0], item->grid[1], item->grid[2], item->block[0], item->block[1],
		      item->block[2], item->assignment.work->name->text);
}

static const struct name *call_key(struct maker *m, const struct profile_item *item)
{
	char text[400];

	if (!item->assignment.call)
		return intern(m, "(no library call)");
	call_text(item->assignment.call, text, sizeof(text));
	return intern(m, text);
}

static const struct name *attention_key(struct maker *m, const struct profile_item *item)
{
	const struct attention *a = &item->assignment.attention;
	char text[160] = "shape not known";

	if (item->assignment.op != OPERATOR_attention)
		return intern(m, "(no attention)");
	if (!item->assignment.has_attention)
		return intern(m, "(helpers, and kernels without a decoder)");
	if (a->exactness != EXACTNESS_unknown)
		attention_text(a, text, sizeof(text));
	return format(m, "%s %s %s%s", role_name(item->assignment.role), backend_name(a->backend),
		      text, a->exactness == EXACTNESS_upper_bound ? " (at most)" : "");
}

/* NULL: no memory */
static const struct name *item_key(struct maker *m, enum axis axis, const struct profile_item *item)
{
	const struct work *w = item->assignment.work;

	switch (axis) {
	case AXIS_operator:
		return intern(m, operator_name(item->assignment.op));
	case AXIS_kind:
		return format(m, "%s%s%s", w->kind, w->sub[0] ? "/" : "", w->sub);
	case AXIS_kernel:
		return w->mangled ? w->mangled : w->name;
	case AXIS_shape:
		return kernel_shape_key(m, item);
	case AXIS_stream:
		return format(m, "device %" PRIu64 " context %" PRIu64 " stream %" PRIu64,
			      item->device, item->context, item->stream);
	case AXIS_device:
		return device_key(m, item);
	case AXIS_process:
		return process_key(m, item);
	case AXIS_library_call:
		return call_key(m, item);
	case AXIS_attention:
		return attention_key(m, item);
	case AXIS_evidence:
		return intern(m, evidence_name(item->assignment.evidence));
	case NR_AXES:
		break;
	}
	return NULL;
}

const struct name *profile_key(const struct run *run, enum axis axis,
			       const struct profile_item *item)
{
	struct maker m = { .run = run };

	return item_key(&m, axis, item);
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

void profile_cost_merge(struct profile_cost *to, const struct profile_cost *from)
{
	to->flops += from->flops;
	to->bytes += from->bytes;
	to->parameter_bytes += from->parameter_bytes;
	to->seconds_min += from->seconds_min;
	to->seconds_flops += from->seconds_flops;
	to->seconds_bytes += from->seconds_bytes;
	to->calls += from->calls;
}

void profile_cost_add(struct profile_cost *to, const struct profile_item *item, uint64_t launches)
{
	const struct cost *cost = &item->assignment.cost;
	const double n = (double)launches, share = n / (double)item->launches;
	const struct profile_cost more = {
		.flops = n * cost->flops,
		.bytes = n * cost->bytes,
		.parameter_bytes = n * cost->parameter_bytes,
		.seconds_min = share * item->seconds_min,
		.seconds_flops = share * item->seconds_flops,
		.seconds_bytes = share * item->seconds_bytes,
		.calls = launches,
	};

	if (item->assignment.has_cost)
		profile_cost_merge(to, &more);
}

/* Making the keys of an axis takes a good part of a short trace's time. */
static bool is_wanted(const struct maker *m, enum axis axis)
{
	return axis == AXIS_operator || axis == AXIS_kind || axis == AXIS_kernel ||
	       axis == AXIS_attention || axis == AXIS_evidence ||
	       (m->setup && axis == m->setup->by);
}

static int add_to_axis(struct maker *m, enum axis axis, struct profile_item *item)
{
	const struct name *key = item_key(m, axis, item);
	struct profile_row *row = key ? find_row(&m->profile->axes[axis], key) : NULL;

	if (!row)
		return -ENOMEM;
	if (axis == AXIS_attention)
		item->attention_key = key;
	row->work = item->assignment.work;
	if (!row->assignment || item->time_ns > row->most_ns) {
		row->assignment = &item->assignment;
		row->most_ns = item->time_ns;
	}
	row->time_ns += item->time_ns;
	row->launches += item->launches;
	if (item->min_ns < row->min_ns)
		row->min_ns = item->min_ns;
	if (item->max_ns > row->max_ns)
		row->max_ns = item->max_ns;
	if (item->assignment.is_attention)
		row->attentions += item->launches;
	profile_cost_add(&row->cost, item, item->launches);
	return 0;
}

/* The work of an attention without parts is that of its main kernel: the others have no shape. */
static void count_attention(struct profile *p, const struct profile_item *item)
{
	const struct assignment *a = &item->assignment;

	if (a->op != OPERATOR_attention || (a->part && a->part != PART_values))
		return;
	if (a->has_attention ? !a->is_attention
			     : a->work->kind_id != KIND_attention ||
				       attention_is_helper(a->work->name->text))
		return;
	p->attentions[a->has_attention ? a->attention.exactness : EXACTNESS_unknown] +=
		item->launches;
}

static int sum_items(struct maker *m)
{
	struct profile *p = m->profile;

	for (size_t i = 0; i < p->nr_items; i++) {
		struct profile_item *item = &p->items[i];

		for (enum axis axis = 0; axis < NR_AXES; axis++)
			if (is_wanted(m, axis) && add_to_axis(m, axis, item) < 0)
				return -ENOMEM;
		p->time_ns += item->time_ns;
		p->launches += item->launches;
		if (item->assignment.work->kind_id == KIND_unknown)
			p->unknown_ns += item->time_ns;
		if (item->assignment.has_conflict) {
			p->conflicts += item->launches;
			p->conflicts_ns += item->time_ns;
		}
		count_attention(p, item);
	}
	return 0;
}

/* --- items ------------------------------------------------------------------------------------ */

static struct profile_item *new_item(struct profile *p)
{
	if (p->nr_items == p->size_items) {
		const size_t size = p->size_items ? 2 * p->size_items : 256;
		struct profile_item *items = realloc(p->items, size * sizeof(*items));

		if (!items)
			return NULL;
		p->items = items;
		p->size_items = size;
	}
	return memset(&p->items[p->nr_items++], 0, sizeof(*p->items));
}

static void find_peaks(const struct maker *m, const struct profile_item *item, struct peaks *ret)
{
	const struct model *model = &item->trace->model;
	const struct name *name = NULL;

	for (size_t i = 0; i < model->devices.nr && !name; i++)
		if (model->devices.rows[i].ordinal == item->device)
			name = model->device_names.rows[i];
	peaks_of_device(name ? name->text : NULL, ret);
	if (m->setup && m->setup->peaks)
		peaks_override(ret, m->setup->peaks);
}

static void find_seconds(const struct maker *m, struct profile_item *item)
{
	const struct assignment *a = &item->assignment;
	const double n = (double)item->launches;
	struct peaks peaks;
	enum unit unit;

	if (!a->has_cost)
		return;
	find_peaks(m, item, &peaks);
	unit = unit_of(a->cost.type, a->cost.compute, a->work->name->text);
	item->seconds_min = n * peaks_seconds(&peaks, unit, a->cost.flops, a->cost.bytes);
	item->seconds_flops = n * peaks_seconds(&peaks, unit, a->cost.flops, 0);
	item->seconds_bytes = n * peaks_seconds(&peaks, unit, 0, a->cost.bytes);
}

/* The launch knows the kernel's name best: CUPTI's is stale where a module was unloaded. */
const struct work *profile_work(const struct run *run, const struct trace *t, uint32_t site,
				uint32_t device_template)
{
	const struct host_template *h = &t->model.templates.rows[t->pairs.sites[site].template];
	const struct device_template *d = &t->model.device_templates.rows[device_template];

	if (d->definition.activity == TTI_ACTIVITY_KERNEL && h->work && h->work->mangled &&
	    h->kernel)
		return h->work;
	return work_of_device(run->works, d);
}

static int add_pair(struct maker *m, struct assigner *assigner, const struct trace *t,
		    uint32_t index, const struct sums *sums)
{
	const struct pair *pair = &t->pairs.pairs[index];
	const struct device_template *d = &t->model.device_templates.rows[pair->device_template];
	const struct tti_device_template *def = &d->definition;
	const struct work *work = profile_work(m->run, t, pair->site, pair->device_template);
	struct profile_item *item = work ? new_item(m->profile) : NULL;

	if (!item)
		return -ENOMEM;
	*item = (struct profile_item){
		.trace = t,
		.site = pair->site,
		.of = index,
		.device_template = pair->device_template,
		.grid = { def->grid_x, def->grid_y, def->grid_z },
		.block = { def->block_x, def->block_y, def->block_z },
		.context = def->context,
		.stream = def->stream,
		.device = def->device,
		.time_ns = sums->time_ns,
		.launches = sums->count,
		.min_ns = sums->min_ns,
		.max_ns = sums->max_ns,
	};
	assign(assigner, pair->site, work, &item->assignment);
	find_seconds(m, item);
	return 0;
}

static int add_site(struct maker *m, struct assigner *assigner, const struct trace *t,
		    uint32_t index, const struct sums *sums)
{
	const struct site *site = &t->pairs.sites[index];
	const struct host_template *h = &t->model.templates.rows[site->template];
	const struct tti_template *def = &h->definition;
	const struct tti_context *context =
		&t->model.contexts.rows[id_map_find(&t->model.context_ids, def->context)];
	struct profile_item *item;

	if (!h->work || def->op == TTI_OP_NODE || def->flags & TTI_TEMPLATE_CAPTURED)
		return 0;
	item = new_item(m->profile);
	if (!item)
		return -ENOMEM;
	*item = (struct profile_item){
		.trace = t,
		.site = index,
		.of = index,
		.grid = { def->grid_x, def->grid_y, def->grid_z },
		.block = { def->block_x, def->block_y, def->block_z },
		.context = def->context,
		.stream = def->stream,
		.device = context->device,
		.time_ns = sums->time_ns,
		.launches = sums->count,
		.max_ns = sums->time_ns,
	};
	assign(assigner, index, h->work, &item->assignment);
	return 0;
}

static void see_knowledge(struct knowledge *k, const struct trace *t)
{
	for (size_t i = 1; i < t->model.templates.nr; i++) {
		const struct host_template *h = &t->model.templates.rows[i];

		k->calls |= h->call != 0;
		k->paths |= h->path != 0;
	}
	k->parameters |= t->model.parameters.nr > 1;
}

static bool has_site(const struct maker *m, const struct trace *t, uint32_t site)
{
	return !m->setup || !m->setup->has_site || m->setup->has_site(m->setup->context, t, site);
}

/* All of a pair; in host time, of a site. */
static struct sums sums_of(const struct profile *p, const struct trace *t, uint32_t index)
{
	const struct pair *pair = &t->pairs.pairs[index];
	const struct site *site = &t->pairs.sites[index];

	return p->is_host_time
		       ? (struct sums){ site->count, site->host_ns, 0, site->host_ns }
		       : (struct sums){ pair->count, pair->time_ns, pair->min_ns, pair->max_ns };
}

static const struct slices *slices_of(const struct profile *p, const struct trace *t)
{
	return p->is_host_time ? &t->pairs.host_slices : &t->pairs.slices;
}

static size_t count_of(const struct profile *p, const struct trace *t)
{
	return p->is_host_time ? t->pairs.nr_sites : t->pairs.nr_pairs;
}

/* What no slice has is of its site's segment, if it has one. */
static uint32_t segment_of_rest(const struct profile *p, const struct trace *t, uint32_t index)
{
	return t->pairs.sites[p->is_host_time ? index : t->pairs.pairs[index].site].segment;
}

static struct sums rest_of(const struct sums *all, const struct sums *in_slices)
{
	return (struct sums){ all->count - in_slices->count, all->time_ns - in_slices->time_ns,
			      all->min_ns, all->max_ns };
}

static void add_sums(struct sums *to, const struct sums *from)
{
	if (!to->count)
		*to = (struct sums){ .min_ns = UINT64_MAX };
	to->count += from->count;
	to->time_ns += from->time_ns;
	to->min_ns = from->min_ns < to->min_ns ? from->min_ns : to->min_ns;
	to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
}

static void add_slices(struct sums *sums, const struct maker *m, const struct trace *t, bool chosen)
{
	const struct slices *slices = slices_of(m->profile, t);

	for (size_t i = 1; i < slices->nr; i++) {
		const struct slice *c = &slices->rows[i];

		if (!chosen || m->setup->has_segment(m->setup->context, t, c->segment))
			add_sums(&sums[c->of],
				 &(struct sums){ c->count, c->time_ns, c->min_ns, c->max_ns });
	}
}

/* By pair or site, of the segments that count; NULL: no memory. */
static struct sums *find_sums(const struct maker *m, const struct trace *t)
{
	const size_t nr = count_of(m->profile, t);
	struct sums *sums = calloc(nr, sizeof(*sums));

	if (!sums)
		return NULL;
	if (!m->setup || !m->setup->has_segment) {
		for (uint32_t i = 1; i < nr; i++)
			sums[i] = sums_of(m->profile, t, i);
		return sums;
	}
	add_slices(sums, m, t, false);
	for (uint32_t i = 1; i < nr; i++) {
		const struct sums all = sums_of(m->profile, t, i);

		sums[i] = m->setup->has_segment(m->setup->context, t,
						segment_of_rest(m->profile, t, i))
				  ? rest_of(&all, &sums[i])
				  : (struct sums){ 0 };
	}
	add_slices(sums, m, t, true);
	return sums;
}

static int add_trace(struct maker *m, const struct trace *t)
{
	const size_t nr = count_of(m->profile, t);
	struct sums *sums = find_sums(m, t);
	struct knowledge *knowledge = &m->profile->knowledge;
	struct assigner *assigner = assigner_new(t, m->setup ? m->setup->symbols : NULL);
	int r = assigner && sums ? 0 : -ENOMEM;

	see_knowledge(knowledge, t);
	for (uint32_t i = 1; i < nr && r == 0; i++) {
		if (!sums[i].count ||
		    !has_site(m, t, m->profile->is_host_time ? i : t->pairs.pairs[i].site))
			continue;
		r = m->profile->is_host_time ? add_site(m, assigner, t, i, &sums[i])
					     : add_pair(m, assigner, t, i, &sums[i]);
	}
	free(sums);
	if (r == 0 && t->model.information != INFORMATION_names)
		assign_see_frames(assigner, knowledge);
	assigner_free(assigner);
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? 1 : -1;
	return strcmp(x->key->text, y->key->text);
}

int profile_make(struct profile *p, const struct run *run, const struct profile_setup *setup,
		 struct diag *diag)
{
	struct maker m = { .profile = p, .run = run, .setup = setup };
	struct run_coverage coverage;
	int r = 0;

	*p = (struct profile){ .run = run, .setup = setup ? *setup : (struct profile_setup){ 0 } };
	run_coverage(run, &coverage);
	p->is_host_time = !coverage.has_device_rows;
	for (size_t i = 0; r == 0 && i < run->nr; i++)
		r = add_trace(&m, run->traces[i]);
	if (r == 0)
		r = sum_items(&m);
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

static int tell_rest(const struct profile *p, const struct trace *t, const struct sums *told,
		     const uint32_t *items, int (*take)(void *, const struct profile_part *),
		     void *context)
{
	const size_t nr = count_of(p, t);
	int r = 0;

	for (uint32_t i = 1; i < nr && r == 0; i++) {
		const struct sums all = sums_of(p, t, i), rest = rest_of(&all, &told[i]);
		const uint32_t segment = segment_of_rest(p, t, i);

		if (items[i] && rest.count &&
		    (!p->setup.has_segment || p->setup.has_segment(p->setup.context, t, segment)))
			r = take(context, &(struct profile_part){ &p->items[items[i] - 1], segment,
								  rest.time_ns, rest.count });
	}
	return r;
}

static int each_part_of(const struct profile *p, const struct trace *t, const uint32_t *items,
			struct sums *told, int (*take)(void *, const struct profile_part *),
			void *context)
{
	const struct slices *slices = slices_of(p, t);
	int r = 0;

	for (size_t i = 1; i < slices->nr && r == 0; i++) {
		const struct slice *c = &slices->rows[i];

		told[c->of].count += c->count;
		told[c->of].time_ns += c->time_ns;
		if (items[c->of] && (!p->setup.has_segment ||
				     p->setup.has_segment(p->setup.context, t, c->segment)))
			r = take(context,
				 &(struct profile_part){ &p->items[items[c->of] - 1], c->segment,
							 c->time_ns, c->count });
	}
	return r < 0 ? r : tell_rest(p, t, told, items, take, context);
}

int profile_each_part(const struct profile *p,
		      int (*take)(void *context, const struct profile_part *part), void *context)
{
	size_t item = 0;
	int r = 0;

	for (size_t i = 0; i < p->run->nr && r == 0; i++) {
		const struct trace *t = p->run->traces[i];
		const size_t nr = count_of(p, t);
		uint32_t *items = calloc(nr, sizeof(*items)); /* index and 1 */
		struct sums *told = calloc(nr, sizeof(*told));

		for (; items && item < p->nr_items && p->items[item].trace == t; item++)
			items[p->items[item].of] = (uint32_t)item + 1;
		r = items && told ? each_part_of(p, t, items, told, take, context) : -ENOMEM;
		free(items);
		free(told);
	}
	return r;
}

void profile_clear(struct profile *p)
{
	for (enum axis axis = 0; axis < NR_AXES; axis++)
		free(p->axes[axis].rows);
	free(p->items);
	*p = (struct profile){ 0 };
}

double profile_share(const struct profile *p, const struct profile_row *row)
{
	return p->time_ns ? (double)row->time_ns / (double)p->time_ns : 0;
}
