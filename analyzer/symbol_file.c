/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "id_map.h"

struct symbol_object {
	struct id_map by_address; /* index in symbols + 1 */
};

struct symbol_file {
	struct names *names;           /* symbols, and what objects are known by */
	struct id_map by_key;          /* address of the name -> index in objects */
	struct symbol_object *objects; /* index 0: addresses as they are in the trace */
	size_t nr_objects, size_objects;
	const struct name **symbols;
	size_t nr_symbols, size_symbols;
};

/* A build-id has 20 bytes, or whatever its maker liked. */
enum { BUILD_ID_BYTES_MAX = 64, KEY_BYTES_MAX = 2 * BUILD_ID_BYTES_MAX + 1 };

static void *grow(void *rows, size_t nr, size_t *size, size_t row_bytes)
{
	const size_t bigger = *size ? 2 * *size : 64;
	void *p;

	if (nr < *size)
		return rows;
	p = realloc(rows, bigger * row_bytes);
	if (p)
		*size = bigger;
	return p;
}

static int add_object(struct symbol_file *s)
{
	struct symbol_object *objects =
		grow(s->objects, s->nr_objects, &s->size_objects, sizeof(*objects));

	if (!objects)
		return -ENOMEM;
	s->objects = objects;
	s->objects[s->nr_objects++] = (struct symbol_object){ 0 };
	return 0;
}

struct symbol_file *symbol_file_new(void)
{
	struct symbol_file *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->names = names_new();
	if (!s->names || add_object(s) < 0) {
		symbol_file_free(s);
		return NULL;
	}
	return s;
}

void symbol_file_free(struct symbol_file *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_objects; i++)
		id_map_free(&s->objects[i].by_address);
	free(s->objects);
	free(s->symbols);
	id_map_free(&s->by_key);
	names_free(s->names);
	free(s);
}

static int add_symbol(struct symbol_file *s, uint32_t object, uint64_t address, const char *symbol)
{
	const struct name **symbols, *name;

	if (id_map_find(&s->objects[object].by_address, address))
		return 0;
	symbols = grow(s->symbols, s->nr_symbols, &s->size_symbols, sizeof(*symbols));
	if (!symbols)
		return -ENOMEM;
	s->symbols = symbols;
	name = names_intern(s->names, symbol, strlen(symbol));
	if (!name)
		return -ENOMEM;
	s->symbols[s->nr_symbols++] = name;
	return id_map_add(&s->objects[object].by_address, address, (uint32_t)s->nr_symbols);
}

/* The object of a line, made if there is none; 0: no memory. */
static uint32_t enter_object(struct symbol_file *s, const char *key)
{
	const struct name *name = names_intern(s->names, key, strlen(key));
	uint32_t index;

	if (!name)
		return 0;
	index = id_map_find(&s->by_key, (uintptr_t)name);
	if (index)
		return index;
	index = (uint32_t)s->nr_objects;
	if (add_object(s) < 0 || id_map_add(&s->by_key, (uintptr_t)name, index) < 0)
		return 0;
	return index;
}

static bool is_build_id(const char *text)
{
	const size_t n = strspn(text, "0123456789abcdef");

	return n && !text[n] && n % 2 == 0 && n <= 2 * BUILD_ID_BYTES_MAX;
}

/* Behind "object TAB". */
static int take_object(struct symbol_file *s, char *rest, uint32_t *object)
{
	char *path = strchr(rest, '\t');

	if (!path || !path[1])
		return -EINVAL;
	*path++ = '\0';
	if (strcmp(rest, "-") != 0 && !is_build_id(rest))
		return -EINVAL;
	*object = enter_object(s, strcmp(rest, "-") ? rest : path);
	return *object ? 0 : -ENOMEM;
}

static int take_line(struct symbol_file *s, char *line, uint32_t *object)
{
	static const char word[] = "object\t";
	char *tab;
	uint64_t address;

	line[strcspn(line, "\r\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	if (!strncmp(line, word, strlen(word)))
		return take_object(s, line + strlen(word), object);
	if (!isxdigit((unsigned char)*line))
		return -EINVAL;
	address = strtoull(line, &tab, 16);
	return *tab != '\t' || !tab[1] ? -EINVAL : add_symbol(s, *object, address, tab + 1);
}

int symbol_file_read(struct symbol_file *s, const char *path, struct diag *diag)
{
	FILE *file = fopen(path, "re");
	uint32_t object = SYMBOL_FILE_ABSOLUTE;
	char *line = NULL;
	size_t size = 0;
	unsigned int nr = 0;
	int r = 0;

	if (!file)
		return diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	while (r == 0 && getline(&line, &size, file) >= 0) {
		nr++;
		r = take_line(s, line, &object);
	}
	if (r == -EINVAL)
		diag_set(diag, r,
			 "%s:%u: expected address TAB symbol, or object TAB build-id TAB path",
			 path, nr);
	else if (r == 0 && ferror(file))
		r = diag_set(diag, -EIO, "%s: cannot be read", path);
	else if (r < 0)
		diag_set(diag, r, "no memory");
	free(line);
	fclose(file);
	return r;
}

static void print_build_id(const struct name *build_id, char *text)
{
	const size_t n = build_id->size < BUILD_ID_BYTES_MAX ? build_id->size : BUILD_ID_BYTES_MAX;

	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)build_id->text[i]);
	text[2 * n] = '\0';
}

static uint32_t find_key(const struct symbol_file *s, const char *key)
{
	const struct name *name = names_intern(s->names, key, strlen(key));

	return name ? id_map_find(&s->by_key, (uintptr_t)name) : 0;
}

uint32_t symbol_file_object(const struct symbol_file *s, const struct name *build_id,
			    const struct name *path)
{
	char key[KEY_BYTES_MAX];

	if (!build_id || !build_id->size)
		return path ? find_key(s, path->text) : 0;
	print_build_id(build_id, key);
	return find_key(s, key);
}

const char *symbol_file_find(const struct symbol_file *s, uint32_t object, uint64_t address)
{
	const uint32_t index = id_map_find(&s->objects[object].by_address, address);

	return index ? s->symbols[index - 1]->text : NULL;
}

/* What would end a line or begin another field is not written. */
static void print_word(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' ? '?' : *text, out);
}

void symbol_file_write_object(FILE *out, const struct name *build_id, const char *path)
{
	char key[KEY_BYTES_MAX] = "-";

	if (build_id && build_id->size)
		print_build_id(build_id, key);
	fprintf(out, "object\t%s\t", key);
	print_word(out, path);
	fputc('\n', out);
}

void symbol_file_write(FILE *out, uint64_t address, const char *symbol)
{
	fprintf(out, "%" PRIx64 "\t", address);
	print_word(out, symbol);
	fputc('\n', out);
}
