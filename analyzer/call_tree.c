/* SPDX-License-Identifier: Apache-2.0 */
#include "call_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "function_name.h"
#include "short_name.h"

/* Deeper than any real stack, and more than any real run has: chains come from the file. */
enum { DEPTH_MAX = 1024, NODES_MAX = 1 << 20, INLINED_MAX = 32 };

struct maker {
	struct call_tree *tree;
	const struct run *run;
	const struct call_tree_setup *setup;
	/* Of the trace being read: */
	const struct trace *trace;
	struct frame_names *frames;
	const struct name **native, **python; /* texts by frame, NULL: not made yet */
	struct id_map stacks;                 /* by native stack and path -> node + 1 */
	int err;
};

static const char *const names_of_stacks[] = {
	[STACKS_both] = "both", [STACKS_native] = "native", [STACKS_python] = "python"
};

enum stacks stacks_by_name(const char *name)
{
	enum stacks stacks = 0;

	while (stacks < NR_STACKS && strcmp(names_of_stacks[stacks], name))
		stacks++;
	return stacks;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Folded stacks are separated by ';' and lines; no frame may contain either. */
static const struct name *intern(struct maker *m, char *text)
{
	const struct name *name;

	for (char *c = text; *c; c++)
		if (*c == ';' || (unsigned char)*c < ' ' || *c == 0x7f)
			*c = *c == ';' ? ':' : '?';
	name = names_intern(m->run->names, text, strlen(text));
	if (!name)
		m->err = -ENOMEM;
	return name;
}

static const struct name *intern_format(struct maker *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const struct name *intern_format(struct maker *m, const char *fmt, ...)
{
	const struct name *name = NULL;
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		name = intern(m, text);
	else
		m->err = -ENOMEM;
	free(text);
	return name;
}

/* Takes `text`: NULL is for want of memory. */
static const struct name *intern_own(struct maker *m, char *text)
{
	const struct name *name = text ? intern(m, text) : NULL;

	if (!text)
		m->err = -ENOMEM;
	free(text);
	return name;
}

static const char *last_part(const char *text, char separator)
{
	const char *last = strrchr(text, separator);

	return last ? last + 1 : text;
}

/* The caller's to free; NULL: no memory. */
static char *readable_function(const struct maker *m, const char *symbol)
{
	char *readable = demangle(symbol), *name;

	if (!readable || m->setup->full_names)
		return readable;
	name = function_name(readable);
	free(readable);
	return name;
}

static const struct name *make_native(struct maker *m, uint32_t frame)
{
	const char *symbol = frame_name(m->frames, frame);
	const struct loaded_object *object = frame_object(m->frames, frame);

	if (!symbol)
		return intern_format(m, "[%s]",
				     object && object->path && object->path->size
					     ? last_part(object->path->text, '/')
					     : "unknown");
	return intern_own(m, readable_function(m, symbol));
}

static const struct name *source_name(struct maker *m, const struct source_frame *s)
{
	char *function = readable_function(m, s->function ? s->function : "?");
	const struct name *name = NULL;

	if (!function)
		m->err = -ENOMEM;
	else if (s->file)
		name = intern_format(m, "%s (%s:%d)", function, last_part(s->file, '/'), s->line);
	else
		name = intern_format(m, "%s", function);
	free(function);
	return name;
}

static const struct name *native_name(struct maker *m, uint32_t frame)
{
	if (!m->native[frame])
		m->native[frame] = make_native(m, frame);
	return m->native[frame];
}

/* A method that self only inherited says whose it is: that is what tells the callers apart. */
static const struct name *make_python(struct maker *m, uint32_t index)
{
	const struct python_frame *frame = &m->trace->model.python_frames.rows[index];
	const char *code = frame->code ? frame->code->text : "?";
	const char *class = frame->class_name ? last_part(frame->class_name->text, '.') : "";
	const size_t n = strlen(class);
	char line[512] = "";

	if (m->setup->with_lines && frame->file)
		snprintf(line, sizeof(line), " (%s:%u)", last_part(frame->file->text, '/'),
			 (unsigned int)(uint32_t)frame->line);
	if (!n || (!strncmp(code, class, n) && code[n] == '.'))
		return intern_format(m, "%s%s", code, line);
	return intern_format(m, "%s: %s%s", class, code, line);
}

static const struct name *python_name(struct maker *m, uint32_t frame)
{
	if (!m->python[frame])
		m->python[frame] = make_python(m, frame);
	return m->python[frame];
}

/* --- nodes ------------------------------------------------------------------------------------ */

static struct call_node *append(struct call_tree *t)
{
	if (t->nr == t->size) {
		const size_t size = t->size ? 2 * t->size : 1024;
		struct call_node *nodes = realloc(t->nodes, size * sizeof(*nodes));

		if (!nodes)
			return NULL;
		t->nodes = nodes;
		t->size = size;
	}
	return memset(&t->nodes[t->nr++], 0, sizeof(*t->nodes));
}

static uint32_t name_id(struct maker *m, const struct name *name)
{
	struct call_tree *t = m->tree;
	uint32_t id = id_map_find(&t->name_ids, (uintptr_t)name);

	if (!id) {
		id = ++t->nr_names;
		if (id_map_add(&t->name_ids, (uintptr_t)name, id) < 0)
			m->err = -ENOMEM;
	}
	return id;
}

/* The child of that name, made if there is none; the parent itself where nothing more fits. */
static uint32_t child(struct maker *m, uint32_t parent, const struct name *name)
{
	struct call_tree *t = m->tree;
	struct call_node *node;
	uint64_t key;
	uint32_t index;

	if (!name || m->err)
		return parent;
	key = (uint64_t)parent << 32 | name_id(m, name);
	index = id_map_find(&t->children, key);
	if (index)
		return index;
	if (t->nr >= NODES_MAX) {
		t->nr_cut++;
		return parent;
	}
	node = append(t);
	if (!node || id_map_add(&t->children, key, (uint32_t)t->nr - 1) < 0) {
		m->err = -ENOMEM;
		return parent;
	}
	node->parent = parent;
	node->name = name;
	t->nodes[parent].nr_children++;
	return (uint32_t)t->nr - 1;
}

static uint32_t add_python(struct maker *m, uint32_t node, uint32_t path)
{
	const struct model *model = &m->trace->model;
	uint32_t chain[DEPTH_MAX];
	size_t nr = 0;

	for (; path && nr < DEPTH_MAX; path = model->python_frames.rows[path].parent)
		chain[nr++] = path;
	while (nr)
		node = child(m, node, python_name(m, chain[--nr]));
	return node;
}

/* Frames of the interpreter stand for those of Python, which are there already. */
static bool is_interpreter(struct maker *m, uint32_t frame)
{
	const struct loaded_object *object = frame_object(m->frames, frame);
	const char *symbol = frame_name(m->frames, frame);
	const char *file = object && object->path ? last_part(object->path->text, '/') : "";

	return !strncmp(file, "libpython", strlen("libpython")) ||
	       (!strncmp(file, "python", strlen("python")) && !strstr(file, ".so")) ||
	       (symbol && !strcmp(symbol, "_PyEval_EvalFrameDefault"));
}

/* With what was inlined into it, outermost first. */
static uint32_t add_native_frame(struct maker *m, uint32_t node, uint32_t frame)
{
	struct source_frame sources[INLINED_MAX];
	size_t nr =
		m->setup->with_lines ? frame_sources(m->frames, frame, sources, INLINED_MAX) : 0;
	const struct name *name;

	if (nr) {
		while (nr)
			node = child(m, node, source_name(m, &sources[--nr]));
		return node;
	}
	name = native_name(m, frame);
	/* Frames that only their object is known of would repeat it. */
	if (node && name && name->text[0] == '[' && m->tree->nodes[node].name == name)
		return node;
	return child(m, node, name);
}

static uint32_t add_native(struct maker *m, uint32_t node, uint32_t stack, bool below_python)
{
	const struct model *model = &m->trace->model;
	uint32_t chain[DEPTH_MAX];
	size_t nr = 0;

	for (; stack && nr < DEPTH_MAX; stack = model->frames.rows[stack].parent) {
		if (below_python && is_interpreter(m, stack))
			break;
		chain[nr++] = stack;
	}
	while (nr)
		node = add_native_frame(m, node, chain[--nr]);
	return node;
}

static uint32_t make_stack(struct maker *m, uint32_t stack, uint32_t path)
{
	uint32_t node = 0;

	if (m->setup->stacks != STACKS_native)
		node = add_python(m, node, path);
	if (m->setup->stacks != STACKS_python)
		node = add_native(m, node, stack, node != 0);
	return node ? node : child(m, 0, intern_format(m, "(no stack)"));
}

static uint32_t stack_node(struct maker *m, uint32_t stack, uint32_t path)
{
	const uint64_t key = (uint64_t)stack << 32 | path;
	const uint32_t index = id_map_find(&m->stacks, key);
	uint32_t node;

	if (index)
		return index - 1;
	node = make_stack(m, stack, path);
	if (id_map_add(&m->stacks, key, node + 1) < 0)
		m->err = -ENOMEM;
	return node;
}

static void add_item(struct maker *m, const struct profile_item *item)
{
	const struct trace *t = item->trace;
	const struct host_template *h =
		&t->model.templates.rows[t->pairs.sites[item->site].template];
	const uint32_t above = stack_node(m, h->stack, h->path);
	const char *kernel = item->assignment.work->name->text;
	char *name = m->setup->full_names ? strdup(kernel) : short_name(kernel);
	const uint32_t index = child(m, above, intern_own(m, name));
	struct call_node *node = &m->tree->nodes[index];

	node->self_ns += item->time_ns;
	node->self_launches += item->launches;
}

/* --- traces ----------------------------------------------------------------------------------- */

static void leave_trace(struct maker *m)
{
	frame_names_free(m->frames);
	free(m->native);
	free(m->python);
	id_map_free(&m->stacks);
	m->frames = NULL;
	m->native = m->python = NULL;
	m->stacks = (struct id_map){ 0 };
	m->trace = NULL;
}

static void enter_trace(struct maker *m, const struct trace *t)
{
	leave_trace(m);
	m->trace = t;
	m->frames = frame_names_new(m->setup->symbols, &t->model);
	m->native = calloc(t->model.frames.nr, sizeof(*m->native));
	m->python = calloc(t->model.python_frames.nr, sizeof(*m->python));
	if (!m->frames || !m->native || !m->python)
		m->err = -ENOMEM;
}

/* Parents come before their children. */
static void sum(struct call_tree *t)
{
	for (size_t i = t->nr; i-- > 0;) {
		struct call_node *node = &t->nodes[i];

		node->time_ns += node->self_ns;
		node->launches += node->self_launches;
		if (i) {
			t->nodes[node->parent].time_ns += node->time_ns;
			t->nodes[node->parent].launches += node->launches;
		}
	}
}

int call_tree_make(struct call_tree *t, const struct run *run, const struct profile *profile,
		   const struct call_tree_setup *setup, struct diag *diag)
{
	struct maker m = { .tree = t, .run = run, .setup = setup };

	*t = (struct call_tree){ 0 };
	if (!append(t))
		m.err = -ENOMEM;
	for (size_t i = 0; i < profile->nr_items && !m.err; i++) {
		if (profile->items[i].trace != m.trace)
			enter_trace(&m, profile->items[i].trace);
		if (!m.err)
			add_item(&m, &profile->items[i]);
	}
	leave_trace(&m);
	if (!m.err)
		sum(t);
	else
		call_tree_clear(t);
	return m.err ? diag_set(diag, m.err, "no memory") : 0;
}

void call_tree_clear(struct call_tree *t)
{
	free(t->nodes);
	id_map_free(&t->children);
	id_map_free(&t->name_ids);
	*t = (struct call_tree){ 0 };
}
