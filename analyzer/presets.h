/* SPDX-License-Identifier: Apache-2.0 */
/* presets.h - the descriptions that come with the command: analyzer/presets/NAME.json. */
#ifndef ANALYZER_PRESETS_H
#define ANALYZER_PRESETS_H

#include <stddef.h>

struct preset {
	const char *name;
	const char *text; /* JSON, size bytes */
	size_t size;
};

const struct preset *preset_by_name(const char *name); /* NULL: there is none */
const struct preset *preset_at(size_t index);          /* NULL: behind the last */

#endif
