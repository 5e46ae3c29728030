/* SPDX-License-Identifier: Apache-2.0 */
/* presets.h - the descriptions that come with the command: analyzer/presets/NAME.json. */
#ifndef ANALYZER_PRESETS_H
#define ANALYZER_PRESETS_H

#include <stdbool.h>
#include <stddef.h>

struct preset {
	const char *name;
	const char *text; /* JSON, size bytes */
	size_t size;
};

bool preset_by_name(const char *name, struct preset *ret); /* false: there is none */
bool preset_at(size_t index, struct preset *ret);          /* false: behind the last */

#endif
