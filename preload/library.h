/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.h - the copies of a vendor library that a process has loaded.
 *
 * A process may hold several: two versions of cuBLAS, or cuDNN and the parts it is split into,
 * which export the same names.  All their callers bind to our one export, so it passes each call
 * on to the copy that the loader would have bound that caller to: the one its object names in
 * DT_NEEDED.  A caller that names none (it has the address from dlsym) means the first copy:
 * only addresses in that one are exchanged for our wrappers (resolve.c).
 *
 * A library is never loaded here.
 */
#ifndef PRELOAD_LIBRARY_H
#define PRELOAD_LIBRARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hook.h"
#include "sys.h"

#define LIBRARY_COPIES 8u
#define LIBRARY_SITES  512u

struct library {
	_Atomic(void *) handles[LIBRARY_COPIES]; /* of dlopen; [0] is found first */
	/* Return address of a call, times 256, and the copy it goes to.  0: free. */
	_Atomic uint64_t sites[LIBRARY_SITES];
};

/* Fills the first copy, if the library is loaded at all.  False: it is not. */
bool library_find(const struct hook_family *family);

/* Which copy a handle of dlopen is, its pointers filled; LIBRARY_COPIES: beyond the last. */
uint32_t library_number(const struct hook_family *family, void *handle);

/* A symbol in one of the copies; NULL: that copy is not there, or lacks it. */
void *library_symbol(const struct hook_family *family, uint32_t copy, const char *symbol);

/* The copy that hook number `hook`, called from `caller`, is to be passed on to. */
uint32_t library_copy_first(const struct hook_family *family, uint32_t hook, const void *caller);

static inline _Atomic uint64_t *library_site(struct library *l, const void *caller)
{
	return &l->sites[((uint64_t)(uintptr_t)caller * 0x9e3779b97f4a7c15u) >> 55];
}
_Static_assert(LIBRARY_SITES == 1u << (64 - 55), "the shift above");

static inline uint32_t library_copy(const struct hook_family *family, struct library *l,
				    uint32_t hook, const void *caller)
{
	/* acquire: pairs with the release that follows the filling of the copy's pointers */
	const uint64_t site = atomic_load_explicit(library_site(l, caller), memory_order_acquire);

	if (likely(site >> 8 == (uint64_t)(uintptr_t)caller))
		return site & 0xff;
	return library_copy_first(family, hook, caller);
}

#endif
