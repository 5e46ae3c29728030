/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_name.h"

#include <string.h>

/* CUpti_ActivityMemcpyKind */
static const struct {
	const char *cuda, *hip;
} kinds[] = {
	{ "", "" },
	{ "HtoD", "HostToDevice" },
	{ "DtoH", "DeviceToHost" },
	{ "HtoA", "HostToArray" },
	{ "AtoH", "ArrayToHost" },
	{ "AtoA", "ArrayToArray" },
	{ "AtoD", "ArrayToDevice" },
	{ "DtoA", "DeviceToArray" },
	{ "DtoD", "DeviceToDevice" },
	{ "HtoH", "HostToHost" },
	{ "PtoP", "PeerToPeer" },
};

/* CUpti_ActivityMemoryKind */
static const char *const memories[] = { "Unknown", "Pageable", "Pinned",
					"Device",  "Array",    "Managed" };

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static uint64_t memory_kind(const char *text)
{
	for (size_t i = 1; i < LENGTH(memories); i++)
		if (!strncmp(text, memories[i], strlen(memories[i])))
			return i;
	return 0;
}

void copy_name_read(struct tti_str name, struct tti_device_template *t)
{
	char text[128];
	const size_t n = name.size < sizeof(text) - 1 ? name.size : sizeof(text) - 1;
	const char *source, *target;

	memcpy(text, name.data, n);
	text[n] = '\0';
	for (size_t i = 1; i < LENGTH(kinds); i++)
		if (strstr(text, kinds[i].cuda) || strstr(text, kinds[i].hip))
			t->copy_kind = i;
	source = strchr(text, '(');
	target = strstr(text, "-> ");
	if (source && target) {
		t->source_memory = memory_kind(source + 1);
		t->target_memory = memory_kind(target + 3);
	}
}
