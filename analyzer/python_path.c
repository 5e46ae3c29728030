/* SPDX-License-Identifier: Apache-2.0 */
#include "python_path.h"

#include <string.h>

static const char *const folded_functions[] = {
#define FOLD(function) function,
#define FOLD_FILE(part)
#define SETUP(function)
#include "module_rules.def"
#undef FOLD
#undef FOLD_FILE
#undef SETUP
};

static const char *const folded_files[] = {
#define FOLD(function)
#define FOLD_FILE(part) part,
#define SETUP(function)
#include "module_rules.def"
#undef FOLD
#undef FOLD_FILE
#undef SETUP
};

static const char *const setup_functions[] = {
#define FOLD(function)
#define FOLD_FILE(part)
#define SETUP(function) function,
#include "module_rules.def"
#undef FOLD
#undef FOLD_FILE
#undef SETUP
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

const char *python_function(const struct python_frame *f)
{
	const char *last = f->code ? strrchr(f->code->text, '.') : NULL;

	return last ? last + 1 : f->code ? f->code->text : "";
}

static bool is_among(const char *text, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(text, names[i]))
			return true;
	return false;
}

bool python_name_is_call(const char *name)
{
	const char *last = strrchr(name, '.');
	const char *function = last ? last + 1 : name;

	return !strcmp(function, "_call_impl") || !strcmp(function, "_wrapped_call_impl");
}

bool python_is_call(const struct python_frame *f)
{
	return f->class_name && f->code && python_name_is_call(f->code->text);
}

/*
 * Whether a path has `part`.  Other profilers leave out what stands before a package: there it may
 * begin with what follows the folder of packages.
 */
static bool has_part(const struct name *file, const char *part)
{
	static const char packages[] = "-packages/";
	const char *inside = part;

	if (!file)
		return false;
	if (!strncmp(part, packages, sizeof(packages) - 1))
		inside += sizeof(packages) - 1;
	else if (*part == '/')
		inside++;
	return strstr(file->text, part) ||
	       (inside != part && !strncmp(file->text, inside, strlen(inside)));
}

/* Compilers and their runtimes: what they make runs right away. */
static bool is_machinery(const struct python_frame *f)
{
	return has_part(f->file, "/torch/_");
}

bool python_is_setup(const struct python_frame *f)
{
	return !is_machinery(f) &&
	       is_among(python_function(f), setup_functions, LENGTH(setup_functions));
}

static bool is_in_library(const struct python_frame *f)
{
	for (size_t i = 0; i < LENGTH(folded_files); i++)
		if (has_part(f->file, folded_files[i]))
			return true;
	return false;
}

bool python_is_folded(const struct python_frame *f)
{
	if (is_among(python_function(f), folded_functions, LENGTH(folded_functions)))
		return true;
	if (f->class_name)
		return is_in_library(f) && !python_is_call(f);
	/* Closures are decorators more often than not; their callers tell more. */
	return !f->code || f->code->text[0] == '<' || strchr(f->code->text, '<') ||
	       is_in_library(f);
}
