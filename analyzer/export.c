/* SPDX-License-Identifier: Apache-2.0 */
#include "export.h"

#include <string.h>

#include "export_formats.h"

static const struct export_format formats[] = {
#define EXPORT(name, source, is_binary, makes_file, what) \
	{ #name, what, SOURCE_##source, is_binary, makes_file, export_##name },
#include "exports.def"
#undef EXPORT
};

const struct export_format *export_format_at(size_t index)
{
	return index < sizeof(formats) / sizeof(*formats) ? &formats[index] : NULL;
}

const struct export_format *export_format_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}
