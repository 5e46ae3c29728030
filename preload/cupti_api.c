/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_api.c - Runs in: the thread that first needs CUPTI. */
#include "cupti_api.h"

#include "cupti_library.h"
#include "resolve.h"

struct cupti_api cupti;

static char library_path[1024];
static bool is_bound;

static bool bind_all(void *library)
{
	bool complete = true;

#define CUPTI(symbol, needed)                                                \
	cupti.symbol = (__typeof__(symbol) *)resolve_real(library, #symbol); \
	complete &= cupti.symbol || !(needed);
#include "cupti.def"
#undef CUPTI
	return complete;
}

bool cupti_bind(const char **ret_path, const char **ret_why)
{
	void *library;

	*ret_path = library_path;
	*ret_why = "";
	if (is_bound)
		return true;
	library = cupti_library_open(library_path, sizeof(library_path));
	if (library)
		*ret_why = "lacks functions of CUPTI 12 and 13";
	is_bound = library && bind_all(library);
	return is_bound;
}
