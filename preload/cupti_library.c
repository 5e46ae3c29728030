/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_library.c - Runs in: the thread that first reaches the driver.  Opened RTLD_LOCAL. */
#include "cupti_library.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "hook.h"
#include "library.h"
#include "options.h"

/* CUDA libraries of an application, in the order in which they say most about its toolkit. */
static const char *const toolkit_libraries[] = { "libcudart.so.", "libcublas.so.",
						 "libcublasLt.so.", "libnvrtc.so.",
						 "libcudnn.so." };
#define NR_TOOLKIT_LIBRARIES (sizeof(toolkit_libraries) / sizeof(toolkit_libraries[0]))

/* Where a libcupti stands relative to one of them: a toolkit, and the two layouts of wheels. */
static const char *const places[] = { "", "../extras/CUPTI/lib64/", "../../extras/CUPTI/lib64/",
				      "../../cuda_cupti/lib/" };

struct loaded {
	char toolkit[NR_TOOLKIT_LIBRARIES][1024];
};

static void keep_path(char *out, size_t size, const char *path)
{
	if (strlen(path) < size)
		strcpy(out, path);
}

static int look_at(struct dl_phdr_info *object, size_t size, void *data)
{
	struct loaded *l = data;
	const char *slash = strrchr(object->dlpi_name, '/');
	const char *base = slash ? slash + 1 : object->dlpi_name;

	(void)size;
	for (size_t i = 0; i < NR_TOOLKIT_LIBRARIES; i++)
		if (strncmp(base, toolkit_libraries[i], strlen(toolkit_libraries[i])) == 0)
			keep_path(l->toolkit[i], sizeof(l->toolkit[i]), object->dlpi_name);
	return 0;
}

/* "13", "12": by the runtime that is loaded, else by the driver. */
static const char *toolkit_major(const struct loaded *l)
{
	int version = 0;

	for (size_t i = 0; i < NR_TOOLKIT_LIBRARIES - 1; i++) {
		const char *so = strstr(l->toolkit[i], ".so.");

		if (so && strncmp(so + 4, "12", 2) == 0)
			return "12";
		if (so && strncmp(so + 4, "13", 2) == 0)
			return "13";
	}
	driver.cuDriverGetVersion(&version);
	return version >= 13000 ? "13" : "12";
}

static void *try(char *path, size_t size, const char *directory, size_t directory_size,
		 const char *place, const char *major)
{
	const char *const parts[] = { place, "libcupti.so.", major };
	size_t used = directory_size;

	if (used >= size)
		return NULL;
	memcpy(path, directory, used);
	for (size_t i = 0; i < 3; i++) {
		const size_t n = strlen(parts[i]);

		if (n >= size - used)
			return NULL;
		memcpy(path + used, parts[i], n);
		used += n;
	}
	path[used] = '\0';
	return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

static void *beside_toolkit(const struct loaded *l, const char *major, char *path, size_t size)
{
	void *library = NULL;

	for (size_t i = 0; i < NR_TOOLKIT_LIBRARIES; i++) {
		const char *slash = strrchr(l->toolkit[i], '/');

		for (size_t p = 0; slash && p < sizeof(places) / sizeof(places[0]); p++) {
			library = try(path, size, l->toolkit[i],
				      (size_t)(slash + 1 - l->toolkit[i]), places[p], major);
			if (library)
				return library;
		}
	}
	return NULL;
}

static void *in_cuda_home(const char *major, char *path, size_t size)
{
	const char *home = getenv("CUDA_HOME");
	void *library;

	if (!home || !*home)
		home = "/usr/local/cuda";
	library = try(path, size, home, strlen(home), "/extras/CUPTI/lib64/", major);
	return library ? library : try(path, size, home, strlen(home), "/lib64/", major);
}

static void *by_name(const char *name, char *path, size_t size)
{
	void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);

	if (library)
		keep_path(path, size, name);
	return library;
}

/* Its wrappers' first copy: what dlsym answers for must be what we use. */
static void *first_loaded(char *ret_path, size_t path_bytes)
{
	struct link_map *map;
	void *library;

	if (!library_find(&family_cupti))
		return NULL;
	library = atomic_load(&family_cupti.library->handles[0]);
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0)
		keep_path(ret_path, path_bytes, map->l_name);
	return library;
}

static void *load(char *ret_path, size_t path_bytes)
{
	struct loaded l = { .toolkit = { "" } };
	const char *major;
	void *library;

	if (*options.cupti)
		return by_name(options.cupti, ret_path, path_bytes);
	dl_iterate_phdr(look_at, &l);
	major = toolkit_major(&l);
	library = beside_toolkit(&l, major, ret_path, path_bytes);
	if (!library)
		library = in_cuda_home(major, ret_path, path_bytes);
	if (!library)
		library = try(ret_path, path_bytes, "", 0, "", major);
	return library;
}

void *cupti_library_open(char *ret_path, size_t path_bytes)
{
	void *library = first_loaded(ret_path, path_bytes);

	if (library)
		return library;
	library = load(ret_path, path_bytes);
	if (library)
		library_number(&family_cupti, library);
	return library;
}
