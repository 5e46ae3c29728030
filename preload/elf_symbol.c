/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_symbol.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* What a dynamic section says about the symbols of an object. */
struct symbols {
	const ElfW(Sym) * table;
	const char *strings;
	const uint32_t *gnu_hash;
};

static struct symbols symbols_of(const ElfW(Dyn) * d)
{
	struct symbols s = { .table = NULL };

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
		    s->table[i].st_value && text_is(s->strings + s->table[i].st_name, name))
			return &s->table[i];
		if (chain[i - first] & 1)
			return NULL;
	}
}

static void *find(ElfW(Addr) base, const ElfW(Dyn) * dynamic, const char *name)
{
	const struct symbols s = symbols_of(dynamic);
	/* The kernel's own object has tables that nobody has relocated. */
	const bool is_relocated = (uintptr_t)s.table > base;
	const ElfW(Sym) *found = NULL;

	if (is_relocated && s.table && s.strings && s.gnu_hash)
		found = symbols_find(&s, name);
	return found ? (void *)(base + found->st_value) : NULL;
}

void *elf_symbol(const struct dl_phdr_info *object, const char *name)
{
	const ElfW(Dyn) *dynamic = NULL;

	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	return find(object->dlpi_addr, dynamic, name);
}

void *elf_symbol_of_map(const struct link_map *object, const char *name)
{
	return find(object->l_addr, object->l_ld, name);
}

const char *elf_object_name(const struct dl_phdr_info *object)
{
	return text_base_name(object->dlpi_name);
}
