/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_symbol.h - what one loaded object exports, read from its own tables.
 *
 * For where dlsym() cannot be used: our exports hide libc's from it, and it takes the loader's
 * lock, which a thread of ours must not wait for.  Runs in: any thread, under dl_iterate_phdr().
 */
#ifndef PRELOAD_ELF_SYMBOL_H
#define PRELOAD_ELF_SYMBOL_H

#include <link.h>

/* The address of a symbol that `object` defines, or NULL.  Versions are not looked at. */
void *elf_symbol(const struct dl_phdr_info *object, const char *name);

/* The same of an object that the loader has in its list; calls nothing. */
void *elf_symbol_of_map(const struct link_map *object, const char *name);

/* The file name in its path, or "" for the program itself. */
const char *elf_object_name(const struct dl_phdr_info *object);

#endif
