/* SPDX-License-Identifier: Apache-2.0 */
#include "python.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "elf_symbol.h"
#include "log.h"

const struct python *_Atomic python;

static struct python found;
static char library[4096]; /* the object that has it; "": the program itself */
static _Atomic bool is_given_up;

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
	if (strlen(object->dlpi_name) >= sizeof(library))
		return 0;
	strcpy(library, object->dlpi_name);
	if (!*name || strncmp(name, "libpython3", strlen("libpython3")) == 0)
		take_symbols(object);
	return has_symbols();
}

/* 3.x, or -1. */
static int minor_of(const char *version)
{
	return strncmp(version, "3.", 2) == 0 ? (int)strtol(version + 2, NULL, 10) : -1;
}

/*
 * An object is among the loaded ones before it is relocated: nothing of it may be touched until
 * the loader is done with it.  Opening it again waits for that, and keeps it from going.
 */
static bool hold_library(void)
{
	const bool is_there = !*library || dlopen(library, RTLD_LAZY | RTLD_NOLOAD);

	if (!is_there)
		dlerror(); /* our own look-ups must not leave an error behind */
	return is_there;
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
	memset(&found, 0, sizeof(found));
	if (!dl_iterate_phdr(look_in, NULL) || !hold_library())
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
