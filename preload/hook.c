/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.c - look-up by name and address, and the start of a family.
 * Runs in: the application's thread, on dlsym and on the first call through a wrapper.
 */
#include "hook.h"

#include <dlfcn.h>

#include "library.h"
#include "resolve.h"
#include "text.h"

static const struct hook_family *const families[NR_HOOK_FAMILIES] = {
	[HOOK_CUDA] = &family_cuda,         [HOOK_CUBLAS] = &family_cublas,
	[HOOK_CUBLASLT] = &family_cublaslt, [HOOK_CUDNN] = &family_cudnn,
	[HOOK_CUPTI] = &family_cupti,
};

static void *driver_library(const struct hook_family *family)
{
	void *library = NULL;

	for (const char *const *s = family->sonames; *s && !library; s++)
		library = dlopen(*s, RTLD_LAZY | RTLD_NOLOAD);
	for (const char *const *s = family->sonames; *s && !library; s++)
		library = dlopen(*s, RTLD_LAZY);
	return library;
}

/* Several threads may do this at once: they store the same pointers. */
void hooks_boot_copy(const struct hook_family *family, void *library, uint32_t copy)
{
	for (size_t i = 0; i < family->nr_hooks; i++) {
		const struct hook *h = &family->hooks[i];
		void *real = resolve_real(library, h->symbol);

		if (real && real != h->wrapper)
			__atomic_store_n((void **)((char *)h->real + copy * family->copy_bytes),
					 real, __ATOMIC_RELEASE);
	}
}

void hooks_boot(const struct hook_family *family, void *library)
{
	if (family->library) {
		library_find(family);
		return;
	}
	if (!library)
		library = driver_library(family);
	if (library)
		hooks_boot_copy(family, library, 0);
}

const struct hook *hook_by_name(const char *symbol, const struct hook_family **ret_family)
{
	for (size_t f = 0; f < NR_HOOK_FAMILIES; f++) {
		const struct hook_family *family = families[f];

		if (!text_begins(symbol, family->prefix))
			continue;
		for (size_t i = 0; i < family->nr_hooks; i++)
			if (family->hooks[i].wrapper && text_is(family->hooks[i].symbol, symbol)) {
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

const char *hook_symbol(uint32_t api)
{
	return families[api >> 16]->hooks[api & 0xffff].symbol;
}
