/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cupti_api.h - the functions of the libcupti in use: the application's own if it has one loaded.
 */
#ifndef PRELOAD_CUPTI_API_H
#define PRELOAD_CUPTI_API_H

#include <stdbool.h>

#include "cupti_newer.h"

struct cupti_api {
#define CUPTI(symbol, needed) __typeof__(symbol) *symbol;
#include "cupti.def"
#undef CUPTI
};

/* Bound once and for all; functions that cupti.def does not call needed may be NULL. */
extern struct cupti_api cupti;

/*
 * Finds libcupti and fills `cupti`.  False: there is none, or it lacks something; *ret_why says
 * it in words, and *ret_path which library it is about.  Not by several threads at once.
 */
bool cupti_bind(const char **ret_path, const char **ret_why);

#endif
