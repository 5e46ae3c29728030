/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speedscope's own format: every stack with its time, a profile for each thread of each process;
 * what ran as a node of a graph, which no thread launched, is a profile beside them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "export_formats.h"
#include "json_text.h"
#include "seed.h"
#include "ttitrace/ttitrace.h"

enum { NODES_TID = 0 }; /* Linux gives it to no thread */

/* What one thread launched. */
struct thread {
	uint32_t trace_index;
	uint64_t tid;
	const char *name; /* NULL: not told */
	struct profile profile;
	struct id_map items; /* by subject */
};

struct speedscope {
	const struct export *export;
	struct thread *threads;
	size_t nr, size;
	struct id_map thread_ids;
	struct id_map frames; /* by address of the name */
	uint32_t nr_frames;
};

static struct thread *find_thread(struct speedscope *s, uint32_t trace_index, uint64_t tid)
{
	const uint64_t fields[] = { trace_index, tid };
	const uint64_t key = seed_hash(fields, sizeof(fields));
	const uint32_t index = id_map_find(&s->thread_ids, key);

	if (index)
		return &s->threads[index - 1];
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 16;
		struct thread *threads = realloc(s->threads, size * sizeof(*threads));

		if (!threads)
			return NULL;
		s->threads = threads;
		s->size = size;
	}
	if (id_map_add(&s->thread_ids, key, (uint32_t)s->nr + 1) < 0)
		return NULL;
	s->threads[s->nr] = (struct thread){ .trace_index = trace_index, .tid = tid };
	return &s->threads[s->nr++];
}

static struct profile_item *find_item(struct thread *t, const struct subject *s)
{
	struct profile *p = &t->profile;
	const uint32_t index = id_map_find(&t->items, s->index);

	if (index)
		return &p->items[index - 1];
	if (p->nr_items == p->size_items) {
		const size_t size = p->size_items ? 2 * p->size_items : 64;
		struct profile_item *items = realloc(p->items, size * sizeof(*items));

		if (!items)
			return NULL;
		p->items = items;
		p->size_items = size;
	}
	if (id_map_add(&t->items, s->index, (uint32_t)p->nr_items + 1) < 0)
		return NULL;
	p->items[p->nr_items] = (struct profile_item){ .trace = s->trace,
						       .site = s->site,
						       .assignment = s->assignment };
	return &p->items[p->nr_items++];
}

/* As the report adds up: of the device, or of the host where no trace has device rows. */
static bool is_counted(const struct speedscope *s, const struct row *row)
{
	const struct subject *subject = row->subject;

	if (!subject->is_work)
		return false;
	if (!s->export->analysis->profile.is_host_time)
		return row->has_gpu;
	return row->has_host && !row->result && subject->site &&
	       subject->host->definition.op != TTI_OP_NODE &&
	       !(subject->host->definition.flags & TTI_TEMPLATE_CAPTURED);
}

static int add_row(void *context, const struct row *row)
{
	struct speedscope *s = context;
	struct profile_item *item;
	struct thread *t;

	if (!is_counted(s, row))
		return 0;
	t = find_thread(s, row->subject->trace_index, row->has_host ? row->tid : NODES_TID);
	item = t ? find_item(t, row->subject) : NULL;
	if (!item)
		return diag_set(s->export->diag, -ENOMEM, "no memory");
	item->time_ns += row->has_gpu ? row->gpu_ns : row->host_ns;
	item->launches++;
	return 0;
}

static int add_thread(void *context, uint32_t trace_index, uint64_t tid, const char *name)
{
	struct speedscope *s = context;
	struct thread *t = find_thread(s, trace_index, tid);

	if (!t)
		return diag_set(s->export->diag, -ENOMEM, "no memory");
	t->name = name;
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int add_frames(struct speedscope *s, const struct call_tree *tree)
{
	FILE *out = s->export->out;

	for (uint32_t i = 1; i < tree->nr; i++) {
		const struct name *name = tree->nodes[i].name;

		if (id_map_find(&s->frames, (uintptr_t)name))
			continue;
		if (id_map_add(&s->frames, (uintptr_t)name, ++s->nr_frames) < 0)
			return -ENOMEM;
		fputs(s->nr_frames > 1 ? ",\n{\"name\":" : "\n{\"name\":", out);
		json_put_text(sheet_text(&s->export->analysis->run, name->text), out);
		putc('}', out);
	}
	return 0;
}

static void put_stack(const struct speedscope *s, const struct call_tree *tree, uint32_t node,
		      uint32_t *chain)
{
	size_t nr = 0;

	for (; node; node = tree->nodes[node].parent)
		chain[nr++] = id_map_find(&s->frames, (uintptr_t)tree->nodes[node].name) - 1;
	putc('[', s->export->out);
	while (nr--) {
		put_digits(chain[nr], s->export->out);
		if (nr)
			putc(',', s->export->out);
	}
	putc(']', s->export->out);
}

static void put_title(const struct speedscope *s, const struct thread *t)
{
	const struct run *run = &s->export->analysis->run;
	const struct model *m = &run->traces[t->trace_index]->model;
	const char *rank = m->rank && m->rank->size ? m->rank->text : NULL;
	char title[512];

	if (t->tid == NODES_TID)
		snprintf(title, sizeof(title),
			 "pid %" PRIu64 "%s%s, not of a thread's launches: graphs", m->process.pid,
			 rank ? " rank " : "", rank ? rank : "");
	else
		snprintf(title, sizeof(title), "pid %" PRIu64 "%s%s, thread %" PRIu64 " %s",
			 m->process.pid, rank ? " rank " : "", rank ? rank : "", t->tid,
			 t->name ? t->name : "");
	json_put_text(sheet_text(run, title), s->export->out);
}

static int put_profile(const struct speedscope *s, const struct thread *t,
		       const struct call_tree *tree)
{
	FILE *out = s->export->out;
	uint32_t *chain = calloc(tree->nr, sizeof(*chain));
	bool has_one = false;

	if (!chain)
		return -ENOMEM;
	fputs("{\"type\":\"sampled\",\"name\":", out);
	put_title(s, t);
	fputs(",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":", out);
	put_digits(tree->nodes[0].time_ns, out);
	fputs(",\"samples\":[", out);
	for (uint32_t i = 1; i < tree->nr; i++) {
		if (!tree->nodes[i].self_ns)
			continue;
		if (has_one)
			fputs(",\n", out);
		put_stack(s, tree, i, chain);
		has_one = true;
	}
	fputs("],\"weights\":[", out);
	has_one = false;
	for (uint32_t i = 1; i < tree->nr; i++) {
		if (!tree->nodes[i].self_ns)
			continue;
		if (has_one)
			putc(',', out);
		put_digits(tree->nodes[i].self_ns, out);
		has_one = true;
	}
	fputs("]}", out);
	free(chain);
	return 0;
}

static int put_profiles(struct speedscope *s, struct call_tree *trees)
{
	FILE *out = s->export->out;
	bool has_one = false;
	int r = 0;

	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":"
	      "\"ttitrace " TTI_VERSION "\",\"shared\":{\"frames\":[",
	      out);
	for (size_t i = 0; i < s->nr && r == 0; i++)
		r = add_frames(s, &trees[i]);
	fputs("]},\n\"profiles\":[", out);
	for (size_t i = 0; i < s->nr && r == 0; i++) {
		if (!s->threads[i].profile.nr_items)
			continue;
		fputs(has_one ? ",\n" : "\n", out);
		has_one = true;
		r = put_profile(s, &s->threads[i], &trees[i]);
	}
	fputs("]}\n", out);
	return r;
}

static int write_all(struct speedscope *s)
{
	const struct export *e = s->export;
	struct call_tree *trees = calloc(s->nr + 1, sizeof(*trees));
	size_t made = 0;
	int r = trees ? 0 : -ENOMEM;

	while (made < s->nr && r == 0) {
		r = call_tree_make(&trees[made], &e->analysis->run, &s->threads[made].profile,
				   &e->stacks, e->diag);
		made += r == 0;
	}
	if (r == 0)
		r = put_profiles(s, trees);
	while (made--)
		call_tree_clear(&trees[made]);
	free(trees);
	return r < 0 ? diag_set(e->diag, r, "no memory") : 0;
}

int export_speedscope(const struct export *e)
{
	struct speedscope s = { .export = e };
	const struct row_sink sink = { .row = add_row, .thread = add_thread, .context = &s };
	int r = rows_each(e->analysis, &sink, e->diag);

	if (r == 0)
		r = write_all(&s);
	for (size_t i = 0; i < s.nr; i++) {
		id_map_free(&s.threads[i].items);
		profile_clear(&s.threads[i].profile);
	}
	free(s.threads);
	id_map_free(&s.thread_ids);
	id_map_free(&s.frames);
	return r;
}
