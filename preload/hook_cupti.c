/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cupti.c - CUPTI, as the application calls it.
 * Runs in: the application's thread.
 */
#include "cupti_api.h"
#include "cupti_share.h"
#include "hook.h"
#include "library.h"

/* Whose call it is: the copy of libcupti that it was meant for. */
#define CLIENT ((uint32_t)(lib - real) + 1)

#define SHARED(call)                           \
	const uint32_t client UNUSED = CLIENT; \
	if (share_takes(client - 1))           \
	return call, (void)0
#define SAME(symbol, args)                           \
	if (share_takes(CLIENT - 1) && cupti.symbol) \
	return cupti.symbol args, (void)0

static struct library copies;

static void *const by_copy[];

#define FAMILY       cupti
#define HOOK_DEF     "hook_cupti.def"
#define SONAMES      "libcupti.so"
#define PREFIX       "cupti"
#define ABSENT       CUPTI_ERROR_NOT_SUPPORTED
#define COPIES       LIBRARY_COPIES
#define LIBRARY      &copies
#define COPY_OF(row) library_copy(&family_cupti, &copies, row, __builtin_return_address(0))
#define BY_COPY      by_copy
#define NR_BY_COPY   SHARE_COPIES
#include "hook_family.inc"

/* The same wrappers for who has asked one copy for its address. */
#define WRAP(copy, ret, sym, params, args, before, ...)                           \
	static ret sym##_of_##copy params                                         \
	{                                                                         \
		const struct real *const lib = &real[copy];                       \
		before;                                                           \
		const ret rc = __atomic_load_n(&lib->sym, __ATOMIC_RELAXED) args; \
		__VA_ARGS__;                                                      \
		return rc;                                                        \
	}
#define HOOK(ret, sym, params, args, ...)            \
	WRAP(0, ret, sym, params, args, __VA_ARGS__) \
	WRAP(1, ret, sym, params, args, __VA_ARGS__) \
	WRAP(2, ret, sym, params, args, __VA_ARGS__) \
	WRAP(3, ret, sym, params, args, __VA_ARGS__)
#include HOOK_DEF
#undef HOOK
_Static_assert(SHARE_COPIES == 4, "the copies above");

static void *const by_copy[] = {
#define HOOK(ret, sym, params, args, ...) \
	(void *)sym##_of_0, (void *)sym##_of_1, (void *)sym##_of_2, (void *)sym##_of_3,
#include HOOK_DEF
#undef HOOK
};
