/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.c - Runs in: the application's thread, on dlsym and the first call from each place.
 * May take the loader's lock; keeps errno.
 */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "resolve.h"
#include "text.h"

static bool is_named(const struct hook_family *family, const char *path)
{
	const char *base = text_base_name(path);

	for (const char *const *s = family->sonames; *s; s++)
		if (strncmp(base, *s, strlen(*s)) == 0)
			return true;
	return false;
}

struct search {
	const char *soname;
	char path[4096];
};

static int is_wanted(struct dl_phdr_info *object, size_t size, void *data)
{
	struct search *s = data;

	(void)size;
	if (strncmp(text_base_name(object->dlpi_name), s->soname, strlen(s->soname)) != 0 ||
	    strlen(object->dlpi_name) >= sizeof(s->path))
		return 0;
	strcpy(s->path, object->dlpi_name);
	return 1;
}

uint32_t library_number(const struct hook_family *family, void *handle)
{
	for (uint32_t i = 0; i < LIBRARY_COPIES; i++) {
		void *seen = NULL;

		if (atomic_compare_exchange_strong(&family->library->handles[i], &seen, handle) ||
		    seen == handle) {
			/* Whoever comes second may be faster: both store the same pointers. */
			hooks_boot_copy(family, handle, i);
			return i;
		}
	}
	return LIBRARY_COPIES;
}

void *library_symbol(const struct hook_family *family, uint32_t copy, const char *symbol)
{
	void *handle = copy < LIBRARY_COPIES ? atomic_load(&family->library->handles[copy]) : NULL;

	return handle ? resolve_real(handle, symbol) : NULL;
}

/* Beyond the last: taken for the first. */
static uint32_t copy_of(const struct hook_family *family, void *handle)
{
	const uint32_t number = library_number(family, handle);

	return number < LIBRARY_COPIES ? number : 0;
}

bool library_find(const struct hook_family *family)
{
	const int saved = errno;

	if (atomic_load_explicit(&family->library->handles[0], memory_order_acquire))
		return true;
	for (const char *const *s = family->sonames; *s; s++) {
		struct search search = { .soname = *s };
		void *handle = NULL;

		if (dl_iterate_phdr(is_wanted, &search))
			handle = dlopen(search.path, RTLD_LAZY | RTLD_NOLOAD);
		if (handle) {
			copy_of(family, handle);
			errno = saved;
			return true;
		}
	}
	errno = saved;
	return false;
}

/* A loaded copy that has what is asked for, or NULL. */
static void *copy_with(const char *name, const struct hook *hook)
{
	void *handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
	void *real = handle ? resolve_real(handle, hook->symbol) : NULL;

	return real && real != hook->wrapper ? handle : NULL;
}

/* What the loader would have bound the object around `caller` to, or NULL. */
static void *needed_by(const struct hook_family *family, const struct hook *hook,
		       const void *caller)
{
	Dl_info info;
	struct link_map *map = NULL;
	const char *strings = NULL;
	void *handle = NULL;

	if (!dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return NULL;
	if (is_named(family, map->l_name))
		handle = copy_with(map->l_name, hook);
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB)
			strings = (const void *)d->d_un.d_ptr;
	for (const ElfW(Dyn) *d = map->l_ld; strings && !handle && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && is_named(family, strings + d->d_un.d_val))
			handle = copy_with(strings + d->d_un.d_val, hook);
	return handle;
}

uint32_t library_copy_first(const struct hook_family *family, uint32_t hook, const void *caller)
{
	const int saved = errno;
	void *handle;
	uint32_t copy;

	/* The first copy is the one that dlsym answers for, whoever calls first. */
	if (!library_find(family))
		return 0;
	handle = needed_by(family, &family->hooks[hook], caller);
	copy = handle ? copy_of(family, handle) : 0;
	/* release: whoever sees the site sees the copy's pointers */
	atomic_store_explicit(library_site(family->library, caller),
			      (uint64_t)(uintptr_t)caller << 8 | copy, memory_order_release);
	errno = saved;
	return copy;
}
