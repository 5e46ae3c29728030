/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_symbol.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a dynamic section says about the symbols of an object. */
struct symbols {
	const ElfW(Sym) * table;
	const char *strings;
	const uint32_t *gnu_hash;
};

static struct symbols symbols_of(const struct dl_phdr_info *object)
{
	struct symbols s = { .table = NULL };
	const ElfW(Dyn) *d = NULL;

	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			d = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	for (; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			s.table = (const void *)d->d_un.d_ptr;
		if (d->d_tag == DT_STRTAB)
			s.strings = (const void *)d->d_un.d_ptr;
		if (d->d_tag == DT_GNU_HASH)
			s.gnu_hash = (const void *)d->d_un.d_ptr;
	}
	return s;
}

/* Every symbol of a chain whose hash is right; the bloom filter in front is skipped. */
static const ElfW(Sym) * symbols_find(const struct symbols *s, const char *name)
{
	const uint32_t nr_buckets = s->gnu_hash[0], first = s->gnu_hash[1];
	const ElfW(Addr) *bloom = (const void *)(s->gnu_hash + 4);
	const uint32_t *buckets = (const void *)(bloom + s->gnu_hash[2]);
	const uint32_t *chain = buckets + nr_buckets;
	uint32_t hash = 5381, i;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (uint8_t)*c;
	i = nr_buckets ? buckets[hash % nr_buckets] : 0;
	if (!i || i < first)
		return NULL;
	for (;; i++) {
		if ((chain[i - first] | 1) == (hash | 1) && s->table[i].st_shndx != SHN_UNDEF &&
		    s->table[i].st_value && strcmp(s->strings + s->table[i].st_name, name) == 0)
			return &s->table[i];
		if (chain[i - first] & 1)
			return NULL;
	}
}

void *elf_symbol(const struct dl_phdr_info *object, const char *name)
{
	const struct symbols s = symbols_of(object);
	/* The kernel's own object has tables that nobody has relocated. */
	const bool is_relocated = (uintptr_t)s.table > object->dlpi_addr;
	const ElfW(Sym) *found = NULL;

	if (is_relocated && s.table && s.strings && s.gnu_hash)
		found = symbols_find(&s, name);
	return found ? (void *)(object->dlpi_addr + found->st_value) : NULL;
}

const char *elf_object_name(const struct dl_phdr_info *object)
{
	const char *slash = strrchr(object->dlpi_name, '/');

	return slash ? slash + 1 : object->dlpi_name;
}
