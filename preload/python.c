/* SPDX-License-Identifier: Apache-2.0 */
#include "python.h"

#include <stdlib.h>

#include "elf_symbol.h"
#include "log.h"

const struct python *_Atomic python;

static struct python found;
static bool is_given_up;

/* What the objects of one interpreter lack is left as it is: the program itself comes first. */
static void take_symbols(const struct dl_phdr_info *object)
{
#define FUNCTION(returns, symbol) \
	if (!found.symbol)        \
		found.symbol = (returns(*)(void))elf_symbol(object, #symbol);
#define DATA(symbol)       \
	if (!found.symbol) \
		found.symbol = elf_symbol(object, #symbol);
#include "python.def"
#undef FUNCTION
#undef DATA
}

static bool has_symbols(void)
{
#define FUNCTION(returns, symbol) &&found.symbol
#define DATA(symbol)              &&found.symbol
	return true
#include "python.def"
		;
#undef FUNCTION
#undef DATA
}

/*
 * The program itself, or a libpython.  A program that is linked with one may hold copies of its
 * types, and those are the ones in use: it is asked first, as the loader does.
 */
static int look_in(struct dl_phdr_info *object, size_t size, void *unused)
{
	const char *name = elf_object_name(object);

	(void)size;
	(void)unused;
	if (!*name || strncmp(name, "libpython3", strlen("libpython3")) == 0)
		take_symbols(object);
	return has_symbols();
}

/* 3.x, or -1. */
static int minor_of(const char *version)
{
	return strncmp(version, "3.", 2) == 0 ? atoi(version + 2) : -1;
}

static const char *fault(void)
{
	const char *reason;

	if (!python_layout_find(minor_of(found.Py_GetVersion()), found._PyRuntime, &found.layout,
				&reason))
		return reason;
	return python_layout_fits(&found.layout, found.PyCode_Type, found.PyUnicode_Type,
				  found.PyType_Type)
		       ? NULL
		       : "is built in another way than its version says";
}

void python_find(void)
{
	const char *reason;
	char version[16];

	if (is_given_up || atomic_load_explicit(&python, memory_order_relaxed))
		return;
	if (!dl_iterate_phdr(look_in, NULL))
		return;
	reason = fault();
	if (!reason) {
		/* release: who sees the pointer sees the layout */
		atomic_store_explicit(&python, &found, memory_order_release);
		return;
	}
	is_given_up = true;
	strncpy(version, found.Py_GetVersion(), sizeof(version) - 1);
	version[sizeof(version) - 1] = '\0';
	version[strcspn(version, " ")] = '\0';
	log_line("no Python paths: Python ", version, " ", reason);
}

void python_give_up(const char *what)
{
	const struct python *p = atomic_exchange(&python, NULL);

	is_given_up = true;
	if (p)
		log_line("no Python paths: ", what);
}
