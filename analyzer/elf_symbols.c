/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is whatever a trace names: only a regular one is opened, and every number in it is
 * checked, by libelf or here.
 */
#include "elf_symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>

struct elf_function {
	uint64_t begin, end;
	uint32_t name; /* offset in its table of strings */
	bool is_exported;
	bool is_sized;
	uint8_t rank; /* of several at one address, the lowest is the one to name */
};

struct elf_symbols {
	int fd;
	Elf *elf;
	size_t dynamic_strings, static_strings; /* sections */
	struct elf_function *functions;         /* by begin, each address once */
	size_t nr, size;
};

/* Functions may lie within others, but not deep. */
enum { NESTED_MAX = 16 };

static bool is_build_id(const char *notes, size_t name, const GElf_Nhdr *note)
{
	return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof("GNU") &&
	       !memcmp(notes + name, "GNU", sizeof("GNU"));
}

/* Where it is in the file's notes; NULL: it has none. */
static const void *find_build_id(Elf *elf, size_t *ret_bytes)
{
	size_t nr_segments;
	GElf_Phdr segment;

	*ret_bytes = 0;
	if (elf_getphdrnum(elf, &nr_segments))
		return NULL;
	for (size_t i = 0; i < nr_segments && i < INT32_MAX; i++) {
		size_t at = 0, name, content;
		GElf_Nhdr note;
		Elf_Data *data;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz,
					    segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		while (data && (at = gelf_getnote(data, at, &note, &name, &content)) > 0)
			if (is_build_id(data->d_buf, name, &note)) {
				*ret_bytes = note.n_descsz;
				return (const char *)data->d_buf + content;
			}
	}
	return NULL;
}

static int check_object(Elf *elf, const void *build_id, size_t build_id_bytes)
{
	GElf_Ehdr header;
	const void *found;
	size_t found_bytes;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
	    (header.e_type != ET_DYN && header.e_type != ET_EXEC))
		return -EBADMSG;
	found = find_build_id(elf, &found_bytes);
	if (found_bytes != build_id_bytes ||
	    (found_bytes && memcmp(found, build_id, found_bytes) != 0))
		return -ESTALE;
	return 0;
}

static int append(struct elf_symbols *s, const struct elf_function *f)
{
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 1024;
		struct elf_function *functions = realloc(s->functions, size * sizeof(*functions));

		if (!functions)
			return -ENOMEM;
		s->functions = functions;
		s->size = size;
	}
	s->functions[s->nr++] = *f;
	return 0;
}

static uint8_t rank_of(const GElf_Sym *symbol, bool is_exported)
{
	static const uint8_t by_binding[] = { [STB_GLOBAL] = 0, [STB_WEAK] = 1, [STB_LOCAL] = 2 };
	const unsigned int binding = GELF_ST_BIND(symbol->st_info);
	const uint8_t rank = binding < sizeof(by_binding) ? by_binding[binding] : 2;

	return (uint8_t)(rank + (is_exported ? 0 : 4) +
			 (GELF_ST_TYPE(symbol->st_info) == STT_NOTYPE ? 8 : 0));
}

static int take_symbol(struct elf_symbols *s, const GElf_Sym *symbol, bool is_exported)
{
	const unsigned int type = GELF_ST_TYPE(symbol->st_info);
	struct elf_function f = {
		.begin = symbol->st_value,
		.end = symbol->st_value + symbol->st_size,
		.name = symbol->st_name,
		.is_exported = is_exported,
		.is_sized = symbol->st_size > 0,
		.rank = rank_of(symbol, is_exported),
	};
	GElf_Shdr section;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
	    symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE || !f.name ||
	    f.end < f.begin)
		return 0;
	/* Assembly has labels without type and size: they reach as far as there is code. */
	if (type == STT_NOTYPE || !f.is_sized) {
		if (!gelf_getshdr(elf_getscn(s->elf, symbol->st_shndx), &section) ||
		    !(section.sh_flags & SHF_EXECINSTR))
			return 0;
		if (!f.is_sized)
			f.end = section.sh_addr + section.sh_size;
	}
	return append(s, &f);
}

static int take_table(struct elf_symbols *s, Elf_Scn *section, const GElf_Shdr *header)
{
	const bool is_exported = header->sh_type == SHT_DYNSYM;
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;
	int r = 0;

	if (is_exported)
		s->dynamic_strings = header->sh_link;
	else
		s->static_strings = header->sh_link;
	for (int i = 1; data && r == 0 && gelf_getsym(data, i, &symbol); i++)
		r = take_symbol(s, &symbol, is_exported);
	return r;
}

static int by_begin(const void *a, const void *b)
{
	const struct elf_function *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void sort(struct elf_symbols *s)
{
	size_t nr = 0;

	if (s->nr)
		qsort(s->functions, s->nr, sizeof(*s->functions), by_begin);
	for (size_t i = 0; i < s->nr; i++)
		if (!nr || s->functions[i].begin != s->functions[nr - 1].begin)
			s->functions[nr++] = s->functions[i];
	s->nr = nr;
}

/* A file may have one table of each kind. */
static int read_tables(struct elf_symbols *s)
{
	bool is_taken[2] = { false, false };
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int r = 0;

	while (r == 0 && (section = elf_nextscn(s->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_DYNSYM && header.sh_type != SHT_SYMTAB) ||
		    is_taken[header.sh_type == SHT_DYNSYM])
			continue;
		is_taken[header.sh_type == SHT_DYNSYM] = true;
		r = take_table(s, section, &header);
	}
	if (r == 0)
		sort(s);
	return r;
}

/* A pipe or a device of that name would make us wait, or worse. */
static int open_regular(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -ENOENT;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

int elf_object_open(const char *path, const void *build_id, size_t build_id_bytes, Elf **ret_elf)
{
	const int fd = open_regular(path);
	Elf *elf;
	int r;

	if (fd < 0)
		return fd;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	r = elf ? check_object(elf, build_id, build_id_bytes) : -EBADMSG;
	if (r < 0) {
		elf_end(elf);
		close(fd);
		return r;
	}
	*ret_elf = elf;
	return fd;
}

int elf_symbols_open(const char *path, const void *build_id, size_t build_id_bytes,
		     struct elf_symbols **ret_symbols)
{
	struct elf_symbols *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = s->fd = elf_object_open(path, build_id, build_id_bytes, &s->elf);
	if (r >= 0)
		r = read_tables(s);
	if (r < 0)
		elf_symbols_free(s);
	else
		*ret_symbols = s;
	return r;
}

void elf_symbols_free(struct elf_symbols *s)
{
	if (!s)
		return;
	elf_end(s->elf);
	if (s->fd >= 0)
		close(s->fd);
	free(s->functions);
	free(s);
}

/* How many functions begin at or below it. */
static size_t count_below(const struct elf_symbols *s, uint64_t address)
{
	size_t low = 0, high = s->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (s->functions[middle].begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *elf_symbol(const struct elf_symbols *s, uint64_t address)
{
	const size_t nr = count_below(s, address);

	for (size_t i = 0; i < nr && i < NESTED_MAX; i++) {
		const struct elf_function *f = &s->functions[nr - 1 - i];

		/* One whose size nobody said ends where the next begins. */
		if (address < f->end && (f->is_sized || !i))
			return elf_strptr(s->elf,
					  f->is_exported ? s->dynamic_strings : s->static_strings,
					  f->name);
	}
	return NULL;
}
