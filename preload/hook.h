/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h - a family of entry points of one vendor library that we stand in front of.
 * hook_family.inc makes one from a table such as hook_cuda.def.
 */
#ifndef PRELOAD_HOOK_H
#define PRELOAD_HOOK_H

#include <stdbool.h>
#include <stddef.h>

struct hook {
	const char *symbol;
	void *wrapper;
	void **real; /* what the wrapper calls */
};

struct hook_family {
	const char *const *sonames; /* the library, newest first, up to NULL */
	const char *prefix;         /* of every symbol in it */
	const struct hook *hooks;
	size_t nr_hooks;
};

extern const struct hook_family family_cuda;

/*
 * Points every wrapper at the vendor's code.  `library` is its dlopen handle, NULL: find it by
 * soname among the loaded ones, and load it when nobody has.  Runs again when a first attempt
 * found nothing.
 */
void hooks_boot(const struct hook_family *family, void *library);

/* The hook for a symbol and its family, or NULL. */
const struct hook *hook_by_name(const char *symbol, const struct hook_family **ret_family);

/* The hook whose real code stands at `address`, or NULL. */
const struct hook *hook_by_address(const struct hook_family *family, const void *address);

#endif
