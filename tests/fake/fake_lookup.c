/* SPDX-License-Identifier: Apache-2.0 */
/* fake_lookup.c - how programs find the stand-in driver's entry points and error texts. */
#include "tests/fake/fake_driver.h"

#include <stdio.h>
#include <string.h>

extern struct fake_entry __start_fake_entries[];
extern struct fake_entry __stop_fake_entries[];

/* Since which version of CUDA a newer form of an entry point is the one meant by the bare name. */
static const struct {
	const char *name;
	int since;
} since[] = {
	{ "cuCtxCreate_v3", 11040 },
	{ "cuCtxCreate_v4", 12050 },
	{ "cuDeviceGetUuid_v2", 11040 },
	{ "cuGetProcAddress_v2", 12000 },
	{ "cuGraphAddKernelNode_v2", 12000 },
	{ "cuGraphExecUpdate_v2", 12000 },
	{ "cuGraphInstantiate_v2", 11000 },
	{ "cuLaunchKernelEx", 11060 },
	{ "cuStreamBeginCapture_v2", 10010 },
	{ "cuStreamGetCaptureInfo_v2", 11030 },
	{ "cuStreamGetCaptureInfo_v3", 12030 },
};

static int since_of(const char *name)
{
	for (size_t i = 0; i < sizeof(since) / sizeof(since[0]); i++) {
		if (!strcmp(since[i].name, name))
			return since[i].since;
	}
	return 0;
}

static void *entry_find(const char *name)
{
	for (struct fake_entry *e = __start_fake_entries; e < __stop_fake_entries; e++) {
		if (!strcmp(e->name, name))
			return e->address;
	}
	return NULL;
}

static void *variant_find(const char *name, const char *version, bool per_thread)
{
	static const char *const twins[] = { "_ptsz", "_ptds" };
	char full[256];
	void *found = NULL;
	for (size_t i = 0; per_thread && !found && i < 2; i++) {
		snprintf(full, sizeof(full), "%s%s%s", name, version, twins[i]);
		found = entry_find(full);
	}
	snprintf(full, sizeof(full), "%s%s", name, version);
	return found ? found : entry_find(full);
}

/* The newest form that the caller's CUDA version knows.  too_new: there is one, but not for it. */
static void *lookup(const char *name, int version, cuuint64_t flags, bool *too_new)
{
	static const char *const versions[] = { "_v4", "_v3", "_v2", "" };
	const bool per_thread = flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		char full[256];
		void *found = variant_find(name, versions[i], per_thread);
		snprintf(full, sizeof(full), "%s%s", name, versions[i]);
		if (found && version >= since_of(full))
			return found;
		*too_new |= found != NULL;
	}
	return NULL;
}

CUresult do_cuGetProcAddress_v2(const char *name, void **ret_pointer, int version, cuuint64_t flags,
				CUdriverProcAddressQueryResult *status)
{
	bool too_new = false;
	if (!name || !ret_pointer)
		return CUDA_ERROR_INVALID_VALUE;
	*ret_pointer = lookup(name, version, flags, &too_new);
	if (status)
		*status = *ret_pointer ? CU_GET_PROC_ADDRESS_SUCCESS
			  : too_new    ? CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT
				       : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
	/* With a place for the status, not finding is not an error of the call. */
	return *ret_pointer || status ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

CUresult do_cuGetProcAddress(const char *name, void **ret_pointer, int version, cuuint64_t flags)
{
	return do_cuGetProcAddress_v2(name, ret_pointer, version, flags, NULL);
}

ENTRY(cuGetExportTable, (const void **table, const CUuuid *id))
{
	(void)id;
	*table = NULL;
	return CUDA_ERROR_NOT_FOUND;
}

static const struct {
	CUresult code;
	const char *name;
	const char *text;
} errors[] = {
#define ERROR(code, text)         \
	{                         \
		code, #code, text \
	}
	ERROR(CUDA_SUCCESS, "no error"),
	ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
	ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
	ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
	ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
	ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
	ERROR(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
	ERROR(CUDA_ERROR_NOT_READY, "device not ready"),
	ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
	      "operation not permitted when stream is capturing"),
	ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
	      "operation failed due to a previous error during capture"),
#undef ERROR
};

ENTRY(cuGetErrorName, (CUresult code, const char **name))
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code == code) {
			*name = errors[i].name;
			return CUDA_SUCCESS;
		}
	}
	*name = NULL;
	return CUDA_ERROR_INVALID_VALUE;
}

ENTRY(cuGetErrorString, (CUresult code, const char **text))
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code == code) {
			*text = errors[i].text;
			return CUDA_SUCCESS;
		}
	}
	*text = NULL;
	return CUDA_ERROR_INVALID_VALUE;
}
