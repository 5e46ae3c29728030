/* SPDX-License-Identifier: Apache-2.0 */
/* The file is whatever a trace names; libdw checks what is in it. */
#include "elf_sources.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_symbols.h"

struct elf_sources {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
};

static int has_debug_info(Elf *elf)
{
	size_t strings;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (elf_getshdrstrndx(elf, &strings) < 0)
		return 0;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, strings, header.sh_name)
					   : NULL;

		if (name && (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")))
			return header.sh_type != SHT_NOBITS;
	}
	return 0;
}

static int open_one(const char *path, const void *build_id, size_t build_id_bytes,
		    struct elf_sources *s)
{
	int r;

	s->fd = elf_object_open(path, build_id, build_id_bytes, &s->elf);
	if (s->fd < 0)
		return s->fd;
	r = has_debug_info(s->elf) ? 0 : -ENOENT;
	if (r == 0 && !(s->dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL)))
		r = -ENOENT;
	if (r < 0) {
		elf_end(s->elf);
		close(s->fd);
		s->elf = NULL;
	}
	return r;
}

/* "/usr/lib/debug/.build-id/ab/cdef....debug" */
static void debug_path(const unsigned char *build_id, size_t bytes, char *path, size_t size)
{
	size_t used = (size_t)snprintf(path, size, "/usr/lib/debug/.build-id/");

	for (size_t i = 0; i < bytes && used + 16 < size; i++)
		used += (size_t)snprintf(path + used, size - used, i ? "%02x" : "%02x/",
					 build_id[i]);
	snprintf(path + used, size - used, ".debug");
}

int elf_sources_open(const char *path, const void *build_id, size_t build_id_bytes,
		     struct elf_sources **ret_sources)
{
	struct elf_sources *s = calloc(1, sizeof(*s));
	char separate[256];
	int r;

	if (!s)
		return -ENOMEM;
	r = open_one(path, build_id, build_id_bytes, s);
	if (r < 0 && build_id_bytes) {
		debug_path(build_id, build_id_bytes, separate, sizeof(separate));
		r = open_one(separate, build_id, build_id_bytes, s);
	}
	if (r < 0) {
		free(s);
		return r == -ENOMEM ? r : -ENOENT;
	}
	*ret_sources = s;
	return 0;
}

void elf_sources_free(struct elf_sources *s)
{
	if (!s)
		return;
	dwarf_end(s->dwarf);
	elf_end(s->elf);
	close(s->fd);
	free(s);
}

static const char *function_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *linkage =
		dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

	return linkage ? linkage : dwarf_diename(die);
}

/* Where an inlined function was called from. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *die, const char **ret_file, int *ret_line)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;
	Dwarf_Files *files;
	size_t nr;

	*ret_file = NULL;
	*ret_line = 0;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &number))
		*ret_line = number <= INT32_MAX ? (int)number : 0;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &number) &&
	    !dwarf_getsrcfiles(unit, &files, &nr) && number < nr)
		*ret_file = dwarf_filesrc(files, number, NULL, NULL);
}

/* Compilers may leave out the table from addresses to units. */
static Dwarf_Die *find_unit(Dwarf *dwarf, uint64_t address, Dwarf_Die *unit)
{
	Dwarf_CU *cu = NULL;

	if (dwarf_addrdie(dwarf, address, unit))
		return unit;
	while (!dwarf_get_units(dwarf, cu, &cu, NULL, NULL, unit, NULL))
		if (dwarf_haspc(unit, address) > 0)
			return unit;
	return NULL;
}

/* Around the innermost one: dwarf_getscopes() goes on where an inlined function was written. */
static int scopes_at(Dwarf_Die *unit, uint64_t address, Dwarf_Die **ret_scopes)
{
	Dwarf_Die *scopes = NULL, innermost;

	if (dwarf_getscopes(unit, address, &scopes) <= 0)
		return 0;
	innermost = scopes[0];
	free(scopes);
	return dwarf_getscopes_die(&innermost, ret_scopes);
}

size_t elf_sources_find(struct elf_sources *s, uint64_t address, struct source_frame *ret,
			size_t max)
{
	Dwarf_Die unit, *scopes = NULL;
	const char *file = NULL;
	int line = 0, nr_scopes;
	Dwarf_Line *at;
	size_t nr = 0;

	if (!find_unit(s->dwarf, address, &unit))
		return 0;
	at = dwarf_getsrc_die(&unit, address);
	if (at) {
		file = dwarf_linesrc(at, NULL, NULL);
		dwarf_lineno(at, &line);
	}
	nr_scopes = scopes_at(&unit, address, &scopes);
	for (int i = 0; i < nr_scopes && nr < max; i++) {
		const int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		ret[nr++] = (struct source_frame){ function_of(&scopes[i]), file, line };
		if (tag == DW_TAG_subprogram)
			break;
		call_site(&unit, &scopes[i], &file, &line);
	}
	free(scopes);
	return nr;
}
