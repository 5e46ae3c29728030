/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf_sources.h"
#include "elf_symbols.h"
#include "object_map.h"
#include "symbol_file.h"

/* Large programs load several hundred; the paths come from a trace. */
enum { OBJECTS_MAX = 4096 };

/* An object as traces describe it, and what is known of it here. */
struct known_object {
	const struct name *path, *build_id;
	uint32_t in_file;        /* of symbol_file, 0: not in it */
	struct elf_symbols *elf; /* NULL: see err */
	int err;                 /* 0: read, or not looked for yet */
	bool is_tried;
	struct elf_sources *sources; /* NULL: none, or not looked for yet */
	bool is_sources_tried;
};

struct frame_symbols {
	struct symbol_file *file; /* NULL: none was given */
	bool is_closed;           /* no object of this machine is to be read */
	struct known_object *objects;
	size_t nr, size;
	struct id_map ids; /* by path and build-id */
};

struct found_frame {
	const char *symbol;
	const struct loaded_object *object;
	bool is_known;
};

struct frame_names {
	struct frame_symbols *symbols;
	const struct model *model;
	struct object_map *map;
	struct found_frame *frames;
};

struct frame_symbols *frame_symbols_new(void)
{
	return calloc(1, sizeof(struct frame_symbols));
}

void frame_symbols_free(struct frame_symbols *s)
{
	if (!s)
		return;
	symbol_file_free(s->file);
	for (size_t i = 0; i < s->nr; i++) {
		elf_symbols_free(s->objects[i].elf);
		elf_sources_free(s->objects[i].sources);
	}
	free(s->objects);
	id_map_free(&s->ids);
	free(s);
}

int frame_symbols_read(struct frame_symbols *s, const char *path, struct diag *diag)
{
	if (!strcmp(path, "none")) {
		s->is_closed = true;
		return 0;
	}
	if (!s->file)
		s->file = symbol_file_new();
	return s->file ? symbol_file_read(s->file, path, diag)
		       : diag_set(diag, -ENOMEM, "no memory");
}

struct frame_objects frame_symbols_objects(const struct frame_symbols *s)
{
	struct frame_objects counts = { 0 };

	for (size_t i = 0; s && i < s->nr; i++) {
		const struct known_object *o = &s->objects[i];

		if (!o->is_tried)
			continue;
		counts.read += o->err == 0;
		counts.missing += o->err == -ENOENT;
		counts.refused += o->err == -ESTALE;
		counts.unreadable += o->err && o->err != -ENOENT && o->err != -ESTALE;
	}
	return counts;
}

const char *frame_symbols_next_failure(const struct frame_symbols *s, size_t *index, int *ret_why)
{
	while (*index < s->nr) {
		const struct known_object *o = &s->objects[(*index)++];

		if (!o->is_tried || !o->err)
			continue;
		*ret_why = o->err;
		return o->path ? o->path->text : "?";
	}
	return NULL;
}

/* --- objects ---------------------------------------------------------------------------------- */

static uint64_t object_key(const struct name *path, const struct name *build_id)
{
	return (uint64_t)(uintptr_t)path * 0x9e3779b97f4a7c15u ^ (uintptr_t)build_id;
}

static struct known_object *append(struct frame_symbols *s)
{
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 64;
		struct known_object *objects = realloc(s->objects, size * sizeof(*objects));

		if (!objects)
			return NULL;
		s->objects = objects;
		s->size = size;
	}
	return &s->objects[s->nr++];
}

/* NULL: no memory, or a key that two objects share. */
static struct known_object *known_object(struct frame_symbols *s, const struct loaded_object *o)
{
	const uint64_t key = object_key(o->path, o->build_id);
	const uint32_t index = id_map_find(&s->ids, key);
	struct known_object *known = index ? &s->objects[index - 1] : append(s);

	if (!known || (index && (known->path != o->path || known->build_id != o->build_id)))
		return NULL;
	if (index)
		return known;
	*known = (struct known_object){ .path = o->path, .build_id = o->build_id };
	if (s->file)
		known->in_file = symbol_file_object(s->file, o->build_id, o->path);
	return id_map_add(&s->ids, key, (uint32_t)s->nr) < 0 ? NULL : known;
}

/* Only what an absolute path names: what lies in the current directory is no part of the trace. */
static void read_object(struct frame_symbols *s, struct known_object *o)
{
	o->is_tried = true;
	if (s->nr > OBJECTS_MAX || !o->path || !o->build_id)
		o->err = -E2BIG;
	else if (s->is_closed || o->path->text[0] != '/')
		o->err = -ENOENT;
	else
		o->err = elf_symbols_open(o->path->text, o->build_id->text, o->build_id->size,
					  &o->elf);
}

static const char *find_in_object(struct frame_symbols *s, const struct loaded_object *object,
				  uint64_t address)
{
	struct known_object *o = known_object(s, object);
	const uint64_t in_file = address - object->bias;
	const char *symbol = NULL;

	if (o && o->in_file)
		symbol = symbol_file_find(s->file, o->in_file, in_file);
	if (symbol || !o || o->in_file)
		return symbol;
	if (!o->is_tried)
		read_object(s, o);
	/* What follows the call may be another function's already. */
	return o->elf ? elf_symbol(o->elf, in_file - 1) : NULL;
}

/* --- frames ----------------------------------------------------------------------------------- */

struct frame_names *frame_names_new(struct frame_symbols *s, const struct model *m)
{
	struct frame_names *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->symbols = s;
	f->model = m;
	f->map = object_map_new(m);
	f->frames = calloc(m->frames.nr, sizeof(*f->frames));
	if (!f->map || !f->frames) {
		frame_names_free(f);
		return NULL;
	}
	return f;
}

void frame_names_free(struct frame_names *f)
{
	if (!f)
		return;
	object_map_free(f->map);
	free(f->frames);
	free(f);
}

static const struct found_frame *find_frame(struct frame_names *f, uint32_t frame)
{
	const struct native_frame *native = &f->model->frames.rows[frame];
	struct found_frame *found = &f->frames[frame];
	const struct name *own;

	if (found->is_known || !frame)
		return found;
	found->is_known = true;
	found->object = object_map_find(f->map, native->address, native->nr_objects);
	own = f->model->symbols.rows[id_map_find(&f->model->symbol_ids, native->address)];
	found->symbol = own ? own->text : NULL;
	if (!found->symbol && f->symbols && f->symbols->file)
		found->symbol =
			symbol_file_find(f->symbols->file, SYMBOL_FILE_ABSOLUTE, native->address);
	if (f->symbols && !found->symbol && found->object)
		found->symbol = find_in_object(f->symbols, found->object, native->address);
	return found;
}

const char *frame_name(struct frame_names *f, uint32_t frame)
{
	return find_frame(f, frame)->symbol;
}

const struct loaded_object *frame_object(struct frame_names *f, uint32_t frame)
{
	return find_frame(f, frame)->object;
}

size_t frame_sources(struct frame_names *f, uint32_t frame, struct source_frame *ret, size_t max)
{
	const struct loaded_object *object = find_frame(f, frame)->object;
	struct known_object *o = f->symbols && object ? known_object(f->symbols, object) : NULL;

	if (!o || f->symbols->is_closed || !o->path || !o->build_id || o->path->text[0] != '/')
		return 0;
	if (!o->is_sources_tried)
		elf_sources_open(o->path->text, o->build_id->text, o->build_id->size, &o->sources);
	o->is_sources_tried = true;
	if (!o->sources)
		return 0;
	return elf_sources_find(o->sources, f->model->frames.rows[frame].address - object->bias - 1,
				ret, max);
}
