/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_module.c - the stand-in driver's modules, libraries and launches.
 *
 * A module image is text: one kernel per line, "NAME SIZE SIZE ..." with the sizes of its
 * parameters.  Names given out by the driver are spoilt when the module goes.
 */
#include "tests/fake/fake_driver.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Never freed: device records outlive modules. */
static const char *symbol_for(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char **symbols;
	static size_t nr;
	size_t i = 0;
	pthread_mutex_lock(&lock);
	while (i < nr && strcmp(symbols[i], name))
		i++;
	if (i == nr) {
		symbols = realloc(symbols, ++nr * sizeof(*symbols));
		symbols[i] = strdup(name);
	}
	const char *symbol = symbols[i];
	pthread_mutex_unlock(&lock);
	return symbol;
}

static void parse_parameters(struct fake_function *f, const char *sizes)
{
	unsigned int offset = 0;
	while (*sizes && f->nr_params < FAKE_MAX_PARAMS) {
		char *end = NULL;
		const unsigned int size = (unsigned int)strtoul(sizes, &end, 10);
		const unsigned int align = size >= 8 ? 8 : size >= 4 ? 4 : 1;
		if (end == sizes)
			return;
		offset = (offset + align - 1) / align * align;
		f->offsets[f->nr_params] = offset;
		f->sizes[f->nr_params++] = size;
		offset += size;
		sizes = end;
	}
}

static struct fake_function *function_new(CUmodule module, const char *line, enum fake_magic magic)
{
	struct fake_function *f = object_new(magic, sizeof(*f));
	const size_t length = strcspn(line, " ");
	f->name = strndup(line, length);
	f->symbol = symbol_for(f->name);
	f->module = module;
	f->registers = 16 + (unsigned int)length % 64;
	f->static_shared_bytes = (unsigned int)length * 16;
	parse_parameters(f, line + length);
	return f;
}

static CUresult module_load(CUmodule *ret_module, const void *image)
{
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS && !image)
		r = CUDA_ERROR_INVALID_VALUE;
	if (r == CUDA_SUCCESS)
		r = capture_forbids();
	if (r != CUDA_SUCCESS)
		return r;
	CUmodule m = object_new(FAKE_MODULE, sizeof(*m));
	m->id = next_id();
	m->image = strdup(image);
	*ret_module = m;
	observer_tell(&(struct fake_event){
		.cbid = 6, .context = context_current(), .module_id = m->id });
	return CUDA_SUCCESS;
}

static void functions_drop(struct fake_function *f, enum fake_magic magic)
{
	while (f) {
		struct fake_function *next = f->next;
		memset(f->name, '?', strlen(f->name));
		object_free(magic, f);
		f = next;
	}
}

static void module_drop(CUmodule m)
{
	observer_tell(&(struct fake_event){
		.cbid = 7, .context = context_current(), .module_id = m->id });
	functions_drop(m->functions, FAKE_FUNCTION);
	functions_drop(m->kernels, FAKE_KERNEL);
	free(m->image);
	object_free(FAKE_MODULE, m);
}

/* The line of `name` in the image. */
static char *image_line(CUmodule m, const char *name)
{
	const size_t length = strlen(name);
	for (const char *line = m->image; *line; line += strcspn(line, "\n"), line += *line != 0) {
		if (!strncmp(line, name, length) && strchr(" \n", line[length]))
			return strndup(line, strcspn(line, "\n"));
	}
	return NULL;
}

/* One handle per name and module. */
static CUresult function_get(struct fake_function **list, CUmodule m, const char *name,
			     enum fake_magic magic, void **ret_handle)
{
	CUresult r = CUDA_ERROR_NOT_FOUND;
	driver_lock();
	struct fake_function *f = *list;
	while (f && strcmp(f->name, name))
		f = f->next;
	char *line = f ? NULL : image_line(m, name);
	if (line) {
		f = function_new(m, line, magic);
		f->next = *list;
		*list = f;
	}
	driver_unlock();
	free(line);
	if (f) {
		*ret_handle = f;
		r = CUDA_SUCCESS;
	}
	return r;
}

ENTRY(cuModuleLoadData, (CUmodule * ret_module, const void *image))
{
	return module_load(ret_module, image);
}

ENTRY(cuModuleLoadDataEx, (CUmodule * ret_module, const void *image, unsigned int nr_options,
			   CUjit_option *options, void **values))
{
	(void)nr_options, (void)options, (void)values;
	return module_load(ret_module, image);
}

ENTRY(cuModuleLoadFatBinary, (CUmodule * ret_module, const void *image))
{
	return module_load(ret_module, image);
}

ENTRY(cuModuleGetFunction, (CUfunction * ret_function, CUmodule m, const char *name))
{
	if (!object_is(m, FAKE_MODULE))
		return CUDA_ERROR_INVALID_HANDLE;
	return function_get(&m->functions, m, name, FAKE_FUNCTION, (void **)ret_function);
}

ENTRY(cuModuleGetLoadingMode, (CUmoduleLoadingMode * mode))
{
	*mode = CU_MODULE_LAZY_LOADING;
	return CUDA_SUCCESS;
}

CUresult do_cuModuleUnload(CUmodule m)
{
	if (!object_is(m, FAKE_MODULE))
		return CUDA_ERROR_INVALID_HANDLE;
	module_drop(m);
	return CUDA_SUCCESS;
}

ENTRY(cuLibraryLoadData, (CUlibrary * ret_library, const void *code, CUjit_option *options,
			  void **values, unsigned int nr_options, CUlibraryOption *library_options,
			  void **library_values, unsigned int nr_library_options))
{
	CUmodule m = NULL;
	(void)options, (void)values, (void)nr_options;
	(void)library_options, (void)library_values, (void)nr_library_options;
	const CUresult r = module_load(&m, code);
	if (r != CUDA_SUCCESS)
		return r;
	*ret_library = object_new(FAKE_LIBRARY, sizeof(**ret_library));
	(*ret_library)->module = m;
	return CUDA_SUCCESS;
}

CUresult do_cuLibraryUnload(CUlibrary l)
{
	if (!object_is(l, FAKE_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	module_drop(l->module);
	object_free(FAKE_LIBRARY, l);
	return CUDA_SUCCESS;
}

ENTRY(cuLibraryGetKernel, (CUkernel * ret_kernel, CUlibrary l, const char *name))
{
	if (!object_is(l, FAKE_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	return function_get(&l->module->kernels, l->module, name, FAKE_KERNEL, (void **)ret_kernel);
}

ENTRY(cuLibraryGetModule, (CUmodule * ret_module, CUlibrary l))
{
	if (!object_is(l, FAKE_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_module = l->module;
	return CUDA_SUCCESS;
}

ENTRY(cuKernelGetFunction, (CUfunction * ret_function, CUkernel k))
{
	if (!object_is(k, FAKE_KERNEL))
		return CUDA_ERROR_INVALID_HANDLE;
	return function_get(&k->f.module->functions, k->f.module, k->f.name, FAKE_FUNCTION,
			    (void **)ret_function);
}

ENTRY(cuFuncLoad, (CUfunction f))
{
	return function_of(f) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

/* cuFunc* calls refuse a CUkernel and cuKernel* calls a CUfunction; launches take both. */

static CUresult parameter_get(const struct fake_function *f, size_t index, size_t *offset,
			      size_t *size)
{
	if (index >= f->nr_params)
		return CUDA_ERROR_INVALID_VALUE;
	*offset = f->offsets[index];
	if (size)
		*size = f->sizes[index];
	return CUDA_SUCCESS;
}

static CUresult attribute_get(const struct fake_function *f, CUfunction_attribute attribute,
			      int *value)
{
	switch (attribute) {
	case CU_FUNC_ATTRIBUTE_NUM_REGS:
		*value = (int)f->registers;
		break;
	case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
		*value = (int)f->static_shared_bytes;
		break;
	case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
		*value = 1024;
		break;
	case CU_FUNC_ATTRIBUTE_PTX_VERSION:
	case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
		*value = 90;
		break;
	default:
		*value = 0;
	}
	return CUDA_SUCCESS;
}

ENTRY(cuFuncGetName, (const char **ret_name, CUfunction f))
{
	if (!object_is(f, FAKE_FUNCTION))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_name = f->f.name;
	return CUDA_SUCCESS;
}

ENTRY(cuKernelGetName, (const char **ret_name, CUkernel k))
{
	if (!object_is(k, FAKE_KERNEL))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_name = k->f.name;
	return CUDA_SUCCESS;
}

ENTRY(cuFuncGetParamInfo, (CUfunction f, size_t index, size_t *offset, size_t *size))
{
	if (!object_is(f, FAKE_FUNCTION))
		return CUDA_ERROR_INVALID_HANDLE;
	return parameter_get(&f->f, index, offset, size);
}

ENTRY(cuKernelGetParamInfo, (CUkernel k, size_t index, size_t *offset, size_t *size))
{
	if (!object_is(k, FAKE_KERNEL))
		return CUDA_ERROR_INVALID_HANDLE;
	return parameter_get(&k->f, index, offset, size);
}

ENTRY(cuFuncGetAttribute, (int *value, CUfunction_attribute attribute, CUfunction f))
{
	if (!object_is(f, FAKE_FUNCTION))
		return CUDA_ERROR_INVALID_HANDLE;
	return attribute_get(&f->f, attribute, value);
}

ENTRY(cuKernelGetAttribute,
      (int *value, CUfunction_attribute attribute, CUkernel k, CUdevice device))
{
	(void)device;
	if (!object_is(k, FAKE_KERNEL))
		return CUDA_ERROR_INVALID_HANDLE;
	return attribute_get(&k->f, attribute, value);
}

ENTRY(cuFuncGetModule, (CUmodule * ret_module, CUfunction f))
{
	if (!object_is(f, FAKE_FUNCTION))
		return CUDA_ERROR_INVALID_HANDLE;
	*ret_module = f->f.module;
	return CUDA_SUCCESS;
}

ENTRY(cuFuncSetAttribute, (CUfunction f, CUfunction_attribute attribute, int value))
{
	(void)attribute, (void)value;
	return function_of(f) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

struct fake_function *function_of(const void *handle)
{
	if (object_is(handle, FAKE_FUNCTION) || object_is(handle, FAKE_KERNEL))
		return (struct fake_function *)handle;
	return NULL;
}

/* Launches. */

/* A sum over all parameter bytes that arrive: it must be the same with and without a tracer. */
static uint64_t bytes_sum(const unsigned char *bytes, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (i + 1) * bytes[i];
	return sum;
}

static CUresult parameters_check(const struct fake_function *f, void **params, void **extra)
{
	const unsigned char *packed = NULL;
	uint64_t sum = 0;
	for (void **e = extra; !params && e && *e != CU_LAUNCH_PARAM_END; e += 2) {
		if (*e == CU_LAUNCH_PARAM_BUFFER_POINTER)
			packed = e[1];
	}
	if (f->nr_params && !params && !packed)
		return CUDA_ERROR_INVALID_VALUE;
	for (unsigned int i = 0; i < f->nr_params; i++)
		sum += bytes_sum(params ? params[i] : packed + f->offsets[i], f->sizes[i]);
	stat_add(FAKE_STAT_parameter_sum, sum);
	return CUDA_SUCCESS;
}

struct shape {
	unsigned int grid[3];
	unsigned int block[3];
	unsigned int shared_bytes;
	unsigned int cluster[3];
};

static bool shape_is_possible(const struct shape *s)
{
	const uint64_t threads = (uint64_t)s->block[0] * s->block[1] * s->block[2];
	return s->grid[0] && s->grid[1] && s->grid[2] && threads && threads <= 1024 &&
	       s->shared_bytes <= 228 << 10;
}

static CUresult launch_checked(CUfunction function, const struct shape *shape, CUstream handle,
			       void **params, void **extra)
{
	const struct fake_function *f = function_of(function);
	CUstream s = NULL;
	CUresult r = driver_ready();
	if (r == CUDA_SUCCESS)
		r = stream_find(handle, &s);
	if (r == CUDA_SUCCESS && !f)
		r = CUDA_ERROR_INVALID_HANDLE;
	if (r == CUDA_SUCCESS && !shape_is_possible(shape))
		r = CUDA_ERROR_INVALID_VALUE;
	if (r == CUDA_SUCCESS)
		r = parameters_check(f, params, extra);
	if (r != CUDA_SUCCESS)
		return r;
	struct fake_work work = { .kind = FAKE_WORK_KERNEL,
				  .name = f->symbol,
				  .shared_bytes = shape->shared_bytes,
				  .static_shared_bytes = f->static_shared_bytes,
				  .registers = f->registers };
	memcpy(work.grid, shape->grid, sizeof(work.grid));
	memcpy(work.block, shape->block, sizeof(work.block));
	memcpy(work.cluster, shape->cluster, sizeof(work.cluster));
	struct fake_call *call = call_current();
	if (call)
		call->symbol = f->symbol;
	stat_add(s->capture ? FAKE_STAT_captured : FAKE_STAT_launches, 1);
	return stream_run(s, &work);
}

static CUresult launch(CUfunction f, const struct shape *shape, CUstream s, void **params,
		       void **extra)
{
	const CUresult r = launch_checked(f, shape, s, params, extra);
	if (r != CUDA_SUCCESS)
		stat_add(FAKE_STAT_refused, 1);
	return r;
}

#ifdef FAKE_CHEAP
static void stay_ns(unsigned int ns)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	const int64_t end = t.tv_sec * 1000000000 + t.tv_nsec + ns;
	while (t.tv_sec * 1000000000 + t.tv_nsec < end)
		clock_gettime(CLOCK_MONOTONIC, &t);
}
#endif

/* A program sets it to what shall happen inside a launch: the driver, too, calls back. */
__attribute__((visibility("default"))) void (*fake_in_launch)(void);

CUresult do_cuLaunchKernel(CUfunction f, unsigned int gx, unsigned int gy, unsigned int gz,
			   unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared,
			   CUstream s, void **params, void **extra)
{
#ifdef FAKE_CHEAP
	/* For the bench: what remains is the price of getting here, and so many nanoseconds. */
	(void)f, (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz;
	(void)s, (void)params, (void)extra;
	if (shared)
		stay_ns(shared);
	return CUDA_SUCCESS;
#endif
	const struct shape shape = { { gx, gy, gz }, { bx, by, bz }, shared, { 0 } };
	if (fake_in_launch)
		fake_in_launch();
	return launch(f, &shape, s, params, extra);
}

CUresult do_cuLaunchKernelEx(const CUlaunchConfig *c, CUfunction f, void **params, void **extra)
{
	struct shape shape = { { c->gridDimX, c->gridDimY, c->gridDimZ },
			       { c->blockDimX, c->blockDimY, c->blockDimZ },
			       c->sharedMemBytes,
			       { 0 } };
	for (unsigned int i = 0; i < c->numAttrs; i++) {
		if (c->attrs[i].id != CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
			continue;
		shape.cluster[0] = c->attrs[i].value.clusterDim.x;
		shape.cluster[1] = c->attrs[i].value.clusterDim.y;
		shape.cluster[2] = c->attrs[i].value.clusterDim.z;
	}
	return launch(f, &shape, c->hStream, params, extra);
}

CUresult do_cuLaunchCooperativeKernel(CUfunction f, unsigned int gx, unsigned int gy,
				      unsigned int gz, unsigned int bx, unsigned int by,
				      unsigned int bz, unsigned int shared, CUstream s,
				      void **params)
{
	const struct shape shape = { { gx, gy, gz }, { bx, by, bz }, shared, { 0 } };
	return launch(f, &shape, s, params, NULL);
}

CUresult do_cuLaunchCooperativeKernelMultiDevice(CUDA_LAUNCH_PARAMS *list, unsigned int n,
						 unsigned int flags)
{
	CUresult r = CUDA_SUCCESS;
	(void)flags;
	for (unsigned int i = 0; i < n && r == CUDA_SUCCESS; i++) {
		const CUDA_LAUNCH_PARAMS *p = &list[i];
		const struct shape shape = { { p->gridDimX, p->gridDimY, p->gridDimZ },
					     { p->blockDimX, p->blockDimY, p->blockDimZ },
					     p->sharedMemBytes,
					     { 0 } };
		r = launch(p->function, &shape, p->hStream, p->kernelParams, NULL);
	}
	return r;
}
