/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - what dlsym and dlvsym answer, and where libc's own are.
 *
 * Runs in: whichever thread looks a symbol up, possibly before any constructor and inside the
 * loader.  No malloc, no lock, no log.  We answer only for a symbol in our tables that the
 * vendor's library itself would have answered; all else reaches libc by a jump.
 */
#include "resolve.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#include "elf_symbol.h"
#include "hook.h"
#include "library.h"
#include "text.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* Answer for resolve_entry.S: NULL, and not libc's. */
#define RESOLVE_ABSENT ((void *)-1)

/* Called from resolve_entry.S. */
HIDDEN void *resolve_dlsym(void *handle, const char *symbol);
HIDDEN void *resolve_dlvsym(void *handle, const char *symbol, const char *version);

HIDDEN void *(*resolve_libc_dlsym)(void *, const char *);
HIDDEN void *(*resolve_libc_dlvsym)(void *, const char *, const char *);

/*
 * Our own exports hide libc's from every ordinary look-up, so libc's table is read directly.  It
 * was loaded with the program, so it stands where nothing in the loader's list changes any more.
 */
static void find_libc(void)
{
	const struct link_map *object = _r_debug.r_map;

	if (__atomic_load_n((void **)&resolve_libc_dlsym, __ATOMIC_ACQUIRE))
		return;
	while (object && !text_is(text_base_name(object->l_name), "libc.so.6"))
		object = object->l_next;
	if (!object)
		return;
	resolve_libc_dlvsym = elf_symbol_of_map(object, "dlvsym");
	__atomic_store_n((void **)&resolve_libc_dlsym, elf_symbol_of_map(object, "dlsym"),
			 __ATOMIC_RELEASE);
}

void *resolve_real(void *library, const char *symbol)
{
	find_libc();
	return resolve_libc_dlsym(library, symbol);
}

static bool is_in_library(const struct hook_family *family, const void *address)
{
	Dl_info info;

	if (!dladdr(address, &info) || !info.dli_fname)
		return false;
	for (const char *const *s = family->sonames; *s; s++)
		if (text_begins(text_base_name(info.dli_fname), *s))
			return true;
	return false;
}

static bool is_loaded(const struct hook_family *family, const struct hook *h)
{
	void *library = NULL;

	if (family->library)
		return library_find(family) &&
		       resolve_libc_dlsym(family->library->handles[0], h->symbol);
	for (const char *const *s = family->sonames; *s && !library; s++)
		library = dlopen(*s, RTLD_LAZY | RTLD_NOLOAD);
	return library && resolve_libc_dlsym(library, h->symbol);
}

/*
 * A look-up in the global scope finds our export even in a process without the library, where the
 * caller must learn that there is none: what stands behind us decides, or that the library is
 * loaded at all.
 */
static void *answer_global(const struct hook_family *family, const struct hook *h)
{
	if (resolve_libc_dlsym(RTLD_NEXT, h->symbol) || is_loaded(family, h))
		return h->wrapper;
	resolve_libc_dlsym(RTLD_NEXT, h->symbol); /* for what dlerror() then says */
	return RESOLVE_ABSENT;
}

/* Its wrapper for the copy that the caller's handle led to; libc answers for what is no copy. */
static void *answer_copy(const struct hook_family *family, const struct hook *h, void *found)
{
	Dl_info info;
	void *library;
	uint32_t copy;

	if (!found || !is_in_library(family, found) || !dladdr(found, &info))
		return NULL;
	library_find(family); /* the first is the first, whoever is asked for first */
	library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	copy = library ? library_number(family, library) : LIBRARY_COPIES;
	return copy < family->nr_by_copy
		       ? family->by_copy[(size_t)(h - family->hooks) * family->nr_by_copy + copy]
		       : NULL;
}

/*
 * Of several copies of a library only the first is answered for: the wrapper cannot tell which
 * one a caller means who has its address from here.  So a part of a split library that looks its
 * own parts up is left alone too.
 */
static void *answer_handle(void *handle, const struct hook_family *family, const struct hook *h)
{
	void *found = resolve_libc_dlsym(handle, h->symbol);

	if (found == h->wrapper)
		return answer_global(family, h);
	if (family->nr_by_copy)
		return answer_copy(family, h, found);
	if (found && found != __atomic_load_n(h->real, __ATOMIC_RELAXED) &&
	    (family->library || is_in_library(family, found)))
		hooks_boot(family, handle);
	return found && found == __atomic_load_n(h->real, __ATOMIC_RELAXED) ? h->wrapper : NULL;
}

/*
 * RTLD_NEXT asks for what stands behind the caller, and libc knows who that is.  Behind the program
 * itself that is us: right as long as there is something behind us.
 */
static void *answer_next(const struct hook_family *family, const struct hook *h)
{
	return answer_global(family, h) == h->wrapper ? NULL : RESOLVE_ABSENT;
}

/* NULL: let libc answer. */
static void *answer(void *handle, const char *symbol)
{
	const struct hook_family *family;
	const struct hook *h;
	void *found;

	find_libc();
	h = symbol ? hook_by_name(symbol, &family) : NULL;
	if (!h)
		return NULL;
	if (handle == RTLD_NEXT)
		found = answer_next(family, h);
	else
		found = handle == RTLD_DEFAULT ? answer_global(family, h)
					       : answer_handle(handle, family, h);
	if (found != RESOLVE_ABSENT)
		dlerror(); /* our own look-ups must not leave an error behind */
	return found;
}

void *resolve_dlsym(void *handle, const char *symbol)
{
	return answer(handle, symbol);
}

/* The driver's symbols have no versions: a version asked for is no reason to answer otherwise. */
void *resolve_dlvsym(void *handle, const char *symbol, const char *version)
{
	(void)version;
	return answer(handle, symbol);
}
