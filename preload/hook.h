/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h - a family of entry points of one vendor library that we stand in front of.
 * hook_family.inc makes one from a table such as hook_cuda.def.
 */
#ifndef PRELOAD_HOOK_H
#define PRELOAD_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOOK_CUDA, HOOK_CUBLAS, HOOK_CUBLASLT, HOOK_CUDNN, HOOK_CUPTI, NR_HOOK_FAMILIES };

struct hook {
	const char *symbol;
	void *wrapper; /* NULL: not exported, we only call it ourselves */
	void **real;   /* what the wrapper calls: in the first copy of the library */
};

struct library;

struct hook_family {
	/* Names of the library, up to NULL; any version may follow.  The first is the one proper.
	 */
	const char *const *sonames;
	const char *prefix; /* of every symbol in it */
	const struct hook *hooks;
	size_t nr_hooks;
	size_t copy_bytes;       /* from a real pointer to the same one of the next copy */
	struct library *library; /* its copies; NULL: there is one, and we may load it */
	/*
	 * Wrappers for those who have an address from dlsym, of each row one for each of the first
	 * nr_by_copy copies: these know which copy is meant.  0: only the first copy is answered
	 * for.
	 */
	void *const *by_copy;
	size_t nr_by_copy;
};

extern const struct hook_family family_cuda, family_cublas, family_cublaslt, family_cudnn,
	family_cupti;

/*
 * Points every wrapper at the vendor's code.  `library` is its dlopen handle, NULL: find it by
 * soname among the loaded ones; the driver is loaded when nobody has.  Runs again when a first
 * attempt found nothing.
 */
void hooks_boot(const struct hook_family *family, void *library);

/* The same for one copy of a library that may be there in several. */
void hooks_boot_copy(const struct hook_family *family, void *library, uint32_t copy);

/* The hook for a symbol and its family, or NULL. */
const struct hook *hook_by_name(const char *symbol, const struct hook_family **ret_family);

/* The hook whose real code stands at `address`, or NULL. */
const struct hook *hook_by_address(const struct hook_family *family, const void *address);

/* An entry point as one number: its family, and its row there.  The driver's are their rows. */
#define HOOK_API(family, row) ((uint32_t)(family) << 16 | (uint32_t)(row))

const char *hook_symbol(uint32_t api);

#endif
