/* SPDX-License-Identifier: Apache-2.0 */
#include "presets.h"

#include <string.h>

/* The files as they are, between two labels. */
#define PRESET(id, name)                                                               \
	__asm__(".pushsection .rodata\n"                                               \
		"preset_" #id "_begin: .incbin \"analyzer/presets/" name ".json\"\n"   \
		"preset_" #id "_end:\n"                                                \
		".popsection\n");                                                      \
	extern const char preset_##id##_begin[] __attribute__((visibility("hidden"))); \
	extern const char preset_##id##_end[] __attribute__((visibility("hidden")));
#include "presets.def"
#undef PRESET

static const struct {
	const char *name, *begin, *end;
} presets[] = {
#define PRESET(id, name) { name, preset_##id##_begin, preset_##id##_end },
#include "presets.def"
#undef PRESET
};

bool preset_at(size_t index, struct preset *ret)
{
	if (index >= sizeof(presets) / sizeof(*presets))
		return false;
	*ret = (struct preset){ presets[index].name, presets[index].begin,
				(size_t)(presets[index].end - presets[index].begin) };
	return true;
}

bool preset_by_name(const char *name, struct preset *ret)
{
	for (size_t i = 0; preset_at(i, ret); i++)
		if (!strcmp(ret->name, name))
			return true;
	return false;
}
