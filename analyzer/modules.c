/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "modules.h"

#include <errno.h>
#include <inttypes.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python_path.h"
#include "seed.h"

/* Paths come from the file: neither their number nor their depth may cost more than this. */
enum { NODES_MAX = 1 << 19, ANCESTORS_MAX = 256 };

struct module_paths {
	const struct trace *trace;
	uint32_t top;     /* its process's node, or the root */
	uint32_t missing; /* the node of launches without a path */
	uint32_t program; /* that of launches outside of all functions */
	uint32_t *nodes;  /* by frame */
};

struct modules {
	const struct run *run;
	struct module_node *nodes;
	size_t nr, size;
	struct id_map ids;          /* of nodes, by what tells them from their siblings */
	struct id_map classes;      /* first node of a class below a parent */
	struct module_paths *paths; /* by trace */
};

/* --- nodes ------------------------------------------------------------------------------------ */

static struct module_node *append(struct modules *m)
{
	if (m->nr == m->size) {
		const size_t size = m->size ? 2 * m->size : 256;
		struct module_node *nodes = realloc(m->nodes, size * sizeof(*nodes));

		if (!nodes)
			return NULL;
		m->nodes = nodes;
		m->size = size;
	}
	return memset(&m->nodes[m->nr++], 0, sizeof(*m->nodes));
}

static int number_node(struct modules *m, uint32_t index)
{
	struct module_node *node = &m->nodes[index];
	const uint64_t fields[] = { node->parent, (uintptr_t)node->label };
	const uint64_t key = seed_hash(fields, sizeof(fields));
	const uint32_t first = id_map_find(&m->classes, key);

	node->first_same = first ? first : index;
	node->number = m->nodes[node->first_same].nr_same++;
	return first ? 0 : id_map_add(&m->classes, key, index);
}

/* The child that is meant, made if there is none; 0: no memory, or too many. */
static uint32_t find_child(struct modules *m, uint32_t parent, const struct module_node *wanted)
{
	const uint64_t fields[] = { parent,
				    wanted->sort == MODULE_module ? MODULE_object : wanted->sort,
				    (uintptr_t)wanted->label, wanted->self };
	const uint64_t key = seed_hash(fields, sizeof(fields));
	const uint32_t found = id_map_find(&m->ids, key);
	const uint32_t index = (uint32_t)m->nr;
	struct module_node *node;

	if (found)
		return found;
	if (m->nr >= NODES_MAX || !(node = append(m)) || id_map_add(&m->ids, key, index) < 0)
		return 0;
	*node = *wanted;
	node->parent = parent;
	if (m->nodes[parent].last_child)
		m->nodes[m->nodes[parent].last_child].next = index;
	else
		m->nodes[parent].first_child = index;
	m->nodes[parent].last_child = index;
	return number_node(m, index) < 0 ? 0 : index;
}

/* --- frames ----------------------------------------------------------------------------------- */

static uint32_t same_above(const struct modules *m, uint32_t node, const struct python_frame *f)
{
	for (int i = 0; node && i < ANCESTORS_MAX; i++, node = m->nodes[node].parent)
		if (m->nodes[node].self == f->self && m->nodes[node].label == f->class_name)
			return node;
	return 0;
}

static uint32_t setup_node(struct modules *m, uint32_t above, const struct python_frame *f)
{
	const struct name *who = f->class_name ? f->class_name : f->code;
	char text[256];
	struct module_node wanted = { .sort = MODULE_setup };

	snprintf(text, sizeof(text), "%s (set up)", who ? who->text : "?");
	wanted.label = names_intern(m->run->names, text, strlen(text));
	return wanted.label ? find_child(m, above, &wanted) : 0;
}

static uint32_t object_node(struct modules *m, uint32_t above, const struct python_frame *f)
{
	const bool is_call = python_is_call(f);
	const struct module_node wanted = { .sort = is_call ? MODULE_module : MODULE_object,
					    .class_name = f->class_name,
					    .label = f->class_name,
					    .self = f->self };
	uint32_t node = same_above(m, above, f);

	if (!node)
		node = find_child(m, above, &wanted);
	if (node && is_call)
		m->nodes[node].sort = MODULE_module;
	return node;
}

static uint32_t place_frame(struct modules *m, uint32_t above, const struct python_frame *f)
{
	const struct module_node wanted = { .sort = MODULE_function, .label = f->code };

	if (m->nodes[above].sort == MODULE_setup && !python_is_call(f))
		return above;
	if (python_is_setup(f))
		return setup_node(m, above, f);
	if (python_is_folded(f))
		return above;
	return f->class_name ? object_node(m, above, f) : find_child(m, above, &wanted);
}

static int place_frames(struct modules *m, struct module_paths *paths)
{
	const struct model *model = &paths->trace->model;

	paths->nodes = calloc(model->python_frames.nr, sizeof(*paths->nodes));
	if (!paths->nodes)
		return -ENOMEM;
	paths->nodes[0] = paths->top;
	for (uint32_t i = 1; i < model->python_frames.nr; i++) {
		const struct python_frame *f = &model->python_frames.rows[i];
		/* Callers are defined first; a trace that says otherwise has none. */
		const uint32_t above = paths->nodes[f->parent < i ? f->parent : 0];
		const uint32_t node = place_frame(m, above, f);

		paths->nodes[i] = node ? node : above;
	}
	return 0;
}

static uint32_t special_node(struct modules *m, uint32_t above, enum module_sort sort,
			     const char *text)
{
	const struct module_node wanted = {
		.sort = sort,
		.label = names_intern(m->run->names, text, strlen(text)),
	};

	return wanted.label ? find_child(m, above, &wanted) : 0;
}

static int add_trace(struct modules *m, struct module_paths *paths, const struct trace *t)
{
	const struct model *model = &t->model;
	struct module_node wanted = { .sort = MODULE_process };
	char text[128];

	paths->trace = t;
	if (m->run->nr > 1) {
		snprintf(text, sizeof(text), "%s pid %" PRIu64,
			 model->host ? model->host->text : "?", model->process.pid);
		wanted.label = names_intern(m->run->names, text, strlen(text));
		wanted.self = (uint64_t)(paths - m->paths) + 1;
		paths->top = wanted.label ? find_child(m, 0, &wanted) : 0;
	}
	if (place_frames(m, paths) < 0)
		return -ENOMEM;
	paths->missing = special_node(m, paths->top, MODULE_missing, "(no Python path)");
	paths->program = special_node(m, paths->top, MODULE_function, "(main program)");
	return paths->missing && paths->program ? 0 : -ENOMEM;
}

struct modules *modules_new(const struct run *run)
{
	struct modules *m = calloc(1, sizeof(*m));
	int r = 0;

	if (!m)
		return NULL;
	m->run = run;
	m->paths = calloc(run->nr, sizeof(*m->paths));
	if (!m->paths || !append(m))
		r = -ENOMEM;
	for (size_t i = 0; i < run->nr && r == 0; i++)
		r = add_trace(m, &m->paths[i], run->traces[i]);
	if (r == 0)
		return m;
	modules_free(m);
	return NULL;
}

void modules_free(struct modules *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->paths && i < m->run->nr; i++)
		free(m->paths[i].nodes);
	free(m->paths);
	free(m->nodes);
	id_map_free(&m->ids);
	id_map_free(&m->classes);
	free(m);
}

void modules_add_calls(struct modules *m, uint32_t node, uint64_t calls)
{
	m->nodes[node].calls += calls;
}

size_t modules_count(const struct modules *m)
{
	return m->nr;
}

const struct module_node *modules_node(const struct modules *m, uint32_t node)
{
	return &m->nodes[node];
}

uint32_t modules_of_site(const struct modules *m, const struct trace *t, uint32_t site)
{
	const uint32_t path = t->model.templates.rows[t->pairs.sites[site].template].path;

	for (size_t i = 0; i < m->run->nr; i++) {
		const struct module_paths *paths = &m->paths[i];

		if (paths->trace != t)
			continue;
		if (!path)
			return paths->missing;
		return paths->nodes[path] == paths->top ? paths->program : paths->nodes[path];
	}
	return 0;
}

/* --- sums ------------------------------------------------------------------------------------- */

static void add_work(struct module_work *to, const struct module_work *from)
{
	to->time_ns += from->time_ns;
	to->launches += from->launches;
	to->flops += from->flops;
}

static void add_sums(struct module_sums *to, const struct module_sums *from)
{
	add_work(&to->all, &from->all);
	for (size_t i = 0; i < NR_OPERATORS; i++)
		add_work(&to->operators[i], &from->operators[i]);
}

void modules_sum(struct modules *m, const struct profile *p)
{
	for (size_t i = 0; i < p->nr_items; i++) {
		const struct profile_item *item = &p->items[i];
		const struct assignment *a = &item->assignment;
		const struct module_work work = {
			.time_ns = item->time_ns,
			.launches = item->launches,
			.flops = a->has_cost ? (double)item->launches * a->cost.flops : 0,
		};
		struct module_node *node = &m->nodes[modules_of_site(m, item->trace, item->site)];

		profile_cost_add(&node->cost, item, item->launches);
		add_work(&node->own.all, &work);
		add_work(&node->own.operators[a->op], &work);
	}
	/* Children come behind their parents. */
	for (size_t i = m->nr; i-- > 0;) {
		add_sums(&m->nodes[i].total, &m->nodes[i].own);
		if (!i)
			continue;
		add_sums(&m->nodes[m->nodes[i].parent].total, &m->nodes[i].total);
		profile_cost_merge(&m->nodes[m->nodes[i].parent].cost, &m->nodes[i].cost);
	}
}

/* --- text ------------------------------------------------------------------------------------- */

void modules_label(const struct modules *m, uint32_t node, char *ret, size_t size)
{
	const struct module_node *n = &m->nodes[node];
	const char *label = n->label ? n->label->text : "";

	if (n->class_name && m->nodes[n->first_same].nr_same > 1)
		snprintf(ret, size, "%s[%" PRIu32 "]", label, n->number);
	else
		snprintf(ret, size, "%s", label);
}

void modules_path(const struct modules *m, uint32_t node, char *ret, size_t size)
{
	uint32_t chain[ANCESTORS_MAX];
	size_t nr = 0, used = 0;

	for (; node && nr < ANCESTORS_MAX; node = m->nodes[node].parent)
		chain[nr++] = node;
	ret[0] = '\0';
	while (nr-- && used + 4 < size) {
		if (used)
			used += (size_t)snprintf(ret + used, size - used, " / ");
		modules_label(m, chain[nr], ret + used, size - used);
		used += strlen(ret + used);
	}
}

/* --- focus ------------------------------------------------------------------------------------ */

struct module_focus {
	const struct modules *modules;
	bool has[]; /* by node */
};

static pcre2_code *compile(const char *pattern, struct diag *diag)
{
	int error;
	PCRE2_SIZE offset;
	PCRE2_UCHAR message[120];
	pcre2_code *code =
		pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);

	if (!code) {
		pcre2_get_error_message(error, message, sizeof(message));
		diag_set(diag, -EINVAL, "'%s': %s", pattern, (const char *)message);
	}
	return code;
}

static bool find_focus(const struct modules *m, pcre2_code *code, bool *has)
{
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	char *text = malloc(MODULES_PATH_MAX);
	const bool has_room = match && text;

	for (uint32_t i = 1; has_room && i < m->nr; i++) {
		has[i] = has[m->nodes[i].parent];
		if (has[i])
			continue;
		modules_path(m, i, text, MODULES_PATH_MAX);
		has[i] = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL) >= 0;
	}
	pcre2_match_data_free(match);
	free(text);
	return has_room;
}

struct module_focus *module_focus_new(const struct modules *m, const char *pattern,
				      struct diag *diag)
{
	pcre2_code *code = compile(pattern, diag);
	struct module_focus *f = code ? calloc(1, sizeof(*f) + m->nr * sizeof(*f->has)) : NULL;

	if (code && (!f || !find_focus(m, code, f->has))) {
		diag_set(diag, -ENOMEM, "no memory");
		free(f);
		f = NULL;
	}
	pcre2_code_free(code);
	if (f)
		f->modules = m;
	return f;
}

void module_focus_free(struct module_focus *f)
{
	free(f);
}

bool module_focus_has(const struct module_focus *f, const struct trace *t, uint32_t site)
{
	return f->has[modules_of_site(f->modules, t, site)];
}
