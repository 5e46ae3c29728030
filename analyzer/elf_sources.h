/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_sources.h - which line of which function an address came from, inlined ones too: the debug
 * information of an ELF object on this machine; a front of libdw.
 */
#ifndef ANALYZER_ELF_SOURCES_H
#define ANALYZER_ELF_SOURCES_H

#include <stddef.h>
#include <stdint.h>

/* Texts live as long as the object is open. */
struct source_frame {
	const char *function; /* mangled where the language mangles */
	const char *file;     /* as the compiler had it; NULL: not known */
	int line;             /* 0: not known */
};

struct elf_sources;

/*
 * The object must have just this build-id.  Its debug information may be in itself or where
 * distributions put it, /usr/lib/debug/.build-id.  -ENOENT: there is none; -ENOMEM.
 */
int elf_sources_open(const char *path, const void *build_id, size_t build_id_bytes,
		     struct elf_sources **ret_sources);
void elf_sources_free(struct elf_sources *s); /* accepts NULL */

/*
 * The frames at an address in the file, the innermost first: what was inlined there and the
 * function it was inlined into.  Returns how many, at most `max`; 0: not known.
 */
size_t elf_sources_find(struct elf_sources *s, uint64_t address, struct source_frame *ret,
			size_t max);

#endif
