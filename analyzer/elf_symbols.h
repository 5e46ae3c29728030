/* SPDX-License-Identifier: Apache-2.0 */
/* elf_symbols.h - the functions of one ELF object that lies on this machine; a front of libelf. */
#ifndef ANALYZER_ELF_SYMBOLS_H
#define ANALYZER_ELF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include <gelf.h>

/*
 * Opens a regular file that is an ELF object of just this build-id; size 0: none.  The descriptor,
 * which the object needs until elf_end(), and the caller closes; -ENOENT: there is no such file
 * here (or none that may be read), -ESTALE: it is of another build, -EBADMSG: it is no ELF object.
 */
int elf_object_open(const char *path, const void *build_id, size_t build_id_bytes, Elf **ret_elf);

struct elf_symbols;

/* Errors as above, and -ENOMEM. */
int elf_symbols_open(const char *path, const void *build_id, size_t build_id_bytes,
		     struct elf_symbols **ret_symbols);
void elf_symbols_free(struct elf_symbols *s); /* accepts NULL */

/*
 * The function that an address in the file belongs to, mangled; NULL: none that is known.  An
 * exported name comes before others of the same address.  Valid as long as `s`.
 */
const char *elf_symbol(const struct elf_symbols *s, uint64_t address);

#endif
