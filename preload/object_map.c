/* SPDX-License-Identifier: Apache-2.0 */
#include "object_map.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "intern.h"

/* How often the loader had loaded and unloaded an object when the map was read. */
static struct {
	unsigned long long adds, subs;
} seen;

/* The linker's note of owner GNU that holds the build-id. */
static void read_notes(const char *at, size_t size, struct object_content *o)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		const size_t name = (note->n_namesz + 3ul) & ~3ul;
		const size_t whole = sizeof(*note) + name + ((note->n_descsz + 3ul) & ~3ul);

		if (whole > size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(note + 1, "GNU", 4) == 0 && note->n_descsz <= OBJECT_BUILD_ID_MAX) {
			o->build_id_size = note->n_descsz;
			memcpy(o->build_id, at + sizeof(*note) + name, note->n_descsz);
		}
		at += whole;
		size -= whole;
	}
}

/* Notes may stand in the file only. */
static bool is_loaded(const struct dl_phdr_info *object, const ElfW(Phdr) * note)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_R && note->p_vaddr >= p->p_vaddr &&
		    note->p_vaddr + note->p_memsz <= p->p_vaddr + p->p_filesz)
			return true;
	}
	return false;
}

static void read_segments(const struct dl_phdr_info *object, struct object_content *o)
{
	o->begin = UINT64_MAX;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		const uint64_t begin = object->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		if (begin < o->begin)
			o->begin = begin;
		if (begin + p->p_memsz > o->end)
			o->end = begin + p->p_memsz;
	}
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];

		if (p->p_type == PT_NOTE && is_loaded(object, p))
			read_notes((const char *)(uintptr_t)(o->bias + p->p_vaddr), p->p_memsz, o);
	}
}

/* The loader has no path for the program itself. */
static void read_path(const struct dl_phdr_info *object, struct object_content *o)
{
	const size_t n = strnlen(object->dlpi_name, OBJECT_PATH_MAX);
	ssize_t program;

	memcpy(o->path, object->dlpi_name, n);
	o->path_size = (uint32_t)n;
	if (n)
		return;
	program = readlink("/proc/self/exe", o->path, OBJECT_PATH_MAX);
	o->path_size = program > 0 ? (uint32_t)program : 0;
}

static int add(struct dl_phdr_info *object, size_t size, void *is_first)
{
	static struct object_content o; /* one writer */

	(void)size;
	if (*(bool *)is_first && object->dlpi_adds == seen.adds && object->dlpi_subs == seen.subs)
		return 1;
	*(bool *)is_first = false;
	seen.adds = object->dlpi_adds;
	seen.subs = object->dlpi_subs;
	memset(&o, 0, offsetof(struct object_content, path));
	o.bias = object->dlpi_addr;
	read_segments(object, &o);
	read_path(object, &o);
	if (o.begin < o.end)
		intern(INTERN_OBJECT, &o, offsetof(struct object_content, path) + o.path_size);
	return 0;
}

void object_map_refresh(void)
{
	bool is_first = true;

	dl_iterate_phdr(add, &is_first);
}
