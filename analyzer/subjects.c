/* SPDX-License-Identifier: Apache-2.0 */
#include "subjects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"
#include "short_name.h"
#include "utf8.h"

enum { TEXT_MAX = MODULES_PATH_MAX, BLOCK = 1024 };

struct subjects {
	const struct analysis *analysis;
	struct assigner **assigners; /* by trace */
	struct subject **blocks;     /* of BLOCK each: they must not move */
	size_t nr, nr_blocks;
	struct id_map ids;
	/* The one found last. */
	uint64_t last_key;
	const struct subject *last;
};

struct subjects *subjects_new(const struct analysis *a)
{
	struct subjects *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->analysis = a;
	s->assigners = calloc(a->run.nr, sizeof(*s->assigners));
	for (size_t i = 0; s->assigners && i < a->run.nr; i++) {
		s->assigners[i] = assigner_new(a->run.traces[i], a->symbols);
		if (!s->assigners[i])
			break;
		if (i + 1 == a->run.nr)
			return s;
	}
	subjects_free(s);
	return NULL;
}

void subjects_free(struct subjects *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->assigners && i < s->analysis->run.nr; i++)
		assigner_free(s->assigners[i]);
	for (size_t i = 0; i < s->nr_blocks; i++)
		free(s->blocks[i]);
	free(s->assigners);
	free(s->blocks);
	id_map_free(&s->ids);
	free(s);
}

/* --- texts ------------------------------------------------------------------------------------ */

const char *subjects_text(struct subjects *s, const char *bytes, size_t size)
{
	char *text = malloc(3 * size + 1);
	const struct name *name =
		text ? names_intern(s->analysis->run.names, text, utf8_clean(bytes, size, text))
		     : NULL;

	free(text);
	return name ? name->text : NULL;
}

static const char *text_of(struct subjects *s, const char *text)
{
	return text && text[0] ? subjects_text(s, text, strlen(text)) : NULL;
}

static const char *text_of_name(struct subjects *s, const struct name *name)
{
	return name && name->size ? text_of(s, name->text) : NULL;
}

/* "function file:line" of the innermost frame. */
static const char *python_text(struct subjects *s, const struct model *m, uint32_t path)
{
	const struct python_frame *f = &m->python_frames.rows[path];
	char text[TEXT_MAX];

	if (!path)
		return NULL;
	snprintf(text, sizeof(text), "%s %s:%" PRIu64, f->code ? f->code->text : "?",
		 f->file ? f->file->text : "?", f->line);
	return text_of(s, text);
}

static const char *call_line(struct subjects *s, const struct call *call)
{
	char text[400];

	if (!call)
		return NULL;
	call_text(call, text, sizeof(text));
	return text_of(s, text);
}

static const char *module_path(struct subjects *s, uint32_t node)
{
	char text[MODULES_PATH_MAX];

	if (!node)
		return NULL;
	modules_path(s->analysis->modules, node, text, sizeof(text));
	return text_of(s, text);
}

static const char *short_text(struct subjects *s, const struct work *work)
{
	char *text = short_name(work->name->text);
	const char *clean = text_of(s, text);

	free(text);
	return clean;
}

/* --- subjects --------------------------------------------------------------------------------- */

static void fill_place(struct subjects *s, struct subject *subject)
{
	const struct analysis *a = s->analysis;
	const struct trace *t = subject->trace;
	const struct model *m = &t->model;

	if (!subject->host)
		return;
	subject->api = text_of_name(s, subject->host->api);
	if (!subject->site)
		return;
	subject->python = python_text(s, m, subject->host->path);
	subject->operation = assign_frame(s->assigners[subject->trace_index], subject->site);
	if (subject->host->path && a->modules)
		subject->module_node = modules_of_site(a->modules, t, subject->site);
	subject->module = module_path(s, subject->module_node);
}

static void fill_stream(struct subject *subject)
{
	const struct model *m = &subject->trace->model;

	if (subject->device) {
		subject->device_ordinal = subject->device->definition.device;
		subject->context = subject->device->definition.context;
		subject->stream = subject->device->definition.stream;
	} else if (subject->host) {
		const struct tti_template *t = &subject->host->definition;

		subject->device_ordinal =
			m->contexts.rows[id_map_find(&m->context_ids, t->context)].device;
		subject->context = t->context;
		subject->stream = t->stream;
	}
}

static bool fill_work(struct subjects *s, struct subject *subject, uint32_t device_template)
{
	const struct run *run = &s->analysis->run;
	const struct assignment *a = &subject->assignment;
	const struct work *work =
		subject->device ? profile_work(run, subject->trace, subject->site, device_template)
		: subject->host ? subject->host->work
				: NULL;

	if (!work)
		return !subject->device;
	assign(s->assigners[subject->trace_index], subject->site, work, &subject->assignment);
	subject->is_work = true;
	subject->kernel = text_of_name(s, work->name);
	subject->mangled = text_of_name(s, work->mangled);
	subject->short_name = short_text(s, work);
	subject->library_call = call_line(s, a->call);
	if (a->has_attention) {
		subject->role = role_name(a->role);
		subject->backend = backend_name(a->attention.backend);
		subject->exactness = exactness_name(a->attention.exactness);
		subject->type = type_name(a->attention.type);
	}
	return true;
}

static struct subject *append(struct subjects *s)
{
	if (s->nr == s->nr_blocks * BLOCK) {
		struct subject **blocks = realloc(s->blocks, (s->nr_blocks + 1) * sizeof(*blocks));

		if (!blocks)
			return NULL;
		s->blocks = blocks;
		blocks[s->nr_blocks] = calloc(BLOCK, sizeof(**blocks));
		if (!blocks[s->nr_blocks])
			return NULL;
		s->nr_blocks++;
	}
	return &s->blocks[s->nr / BLOCK][s->nr % BLOCK];
}

static const struct subject *add(struct subjects *s, uint64_t key, uint32_t trace_index,
				 uint32_t template, uint32_t site, uint32_t device_template)
{
	const struct trace *t = s->analysis->run.traces[trace_index];
	struct subject *subject = append(s);

	if (!subject)
		return NULL;
	*subject = (struct subject){
		.index = (uint32_t)s->nr + 1,
		.trace_index = trace_index,
		.trace = t,
		.site = site,
		.host = template ? &t->model.templates.rows[template] : NULL,
		.device = device_template ? &t->model.device_templates.rows[device_template] : NULL,
	};
	fill_stream(subject);
	if (!fill_work(s, subject, device_template))
		return NULL;
	fill_place(s, subject);
	if (id_map_add(&s->ids, key, subject->index) < 0)
		return NULL;
	s->nr++;
	return subject;
}

const struct subject *subjects_find(struct subjects *s, uint32_t trace_index, uint32_t template,
				    uint32_t site, uint32_t device_template)
{
	const struct trace *t = s->analysis->run.traces[trace_index];
	uint64_t fields[4], key;
	uint32_t index;

	/* A trace that has grown since it was read first: what is new is not known. */
	if (template >= t->model.templates.nr || site >= t->pairs.nr_sites)
		template = site = 0;
	if (device_template >= t->model.device_templates.nr)
		device_template = 0;
	fields[0] = trace_index;
	fields[1] = template;
	fields[2] = site;
	fields[3] = device_template;
	key = seed_hash(fields, sizeof(fields));
	if (s->last && key == s->last_key)
		return s->last;
	index = id_map_find(&s->ids, key);
	s->last = index ? &s->blocks[(index - 1) / BLOCK][(index - 1) % BLOCK]
			: add(s, key, trace_index, template, site, device_template);
	s->last_key = key;
	return s->last;
}
