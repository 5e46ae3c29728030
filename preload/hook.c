/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.c - look-up by name and address, and the start of a family.
 * Runs in: the application's thread, on dlsym and on the first call through a wrapper.
 */
#include "hook.h"

#include <dlfcn.h>
#include <string.h>

#include "resolve.h"

static const struct hook_family *const families[] = { &family_cuda };

static void *family_library(const struct hook_family *family)
{
	void *library = NULL;

	for (const char *const *s = family->sonames; *s && !library; s++)
		library = dlopen(*s, RTLD_LAZY | RTLD_NOLOAD);
	for (const char *const *s = family->sonames; *s && !library; s++)
		library = dlopen(*s, RTLD_LAZY);
	return library;
}

/* Several threads may do this at once: they store the same pointers. */
void hooks_boot(const struct hook_family *family, void *library)
{
	if (!library)
		library = family_library(family);
	for (size_t i = 0; library && i < family->nr_hooks; i++) {
		const struct hook *h = &family->hooks[i];
		void *real = resolve_real(library, h->symbol);

		if (real && real != h->wrapper)
			__atomic_store_n(h->real, real, __ATOMIC_RELEASE);
	}
}

const struct hook *hook_by_name(const char *symbol, const struct hook_family **ret_family)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		const struct hook_family *family = families[f];

		if (strncmp(symbol, family->prefix, strlen(family->prefix)) != 0)
			continue;
		for (size_t i = 0; i < family->nr_hooks; i++)
			if (strcmp(family->hooks[i].symbol, symbol) == 0) {
				*ret_family = family;
				return &family->hooks[i];
			}
	}
	return NULL;
}

const struct hook *hook_by_address(const struct hook_family *family, const void *address)
{
	for (size_t i = 0; i < family->nr_hooks; i++)
		if (__atomic_load_n(family->hooks[i].real, __ATOMIC_RELAXED) == address)
			return &family->hooks[i];
	return NULL;
}
