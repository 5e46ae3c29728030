/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct options options = {
#define OPTION(field, TYPE, def, variable, option, argument, help) .field = def,
#include "ttitrace/options.def"
#undef OPTION
};

static bool parse_TEXT(const char *text, const char *words, const char **ret_value)
{
	(void)words;
	*ret_value = text;
	return true;
}

static bool parse_NUMBER(const char *text, const char *words, uint64_t *ret_value)
{
	uint64_t value = 0;

	(void)words;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || value > UINT32_MAX)
			return false;
		value = value * 10 + (uint64_t)(*c - '0');
	}
	*ret_value = value;
	return *text != '\0';
}

static bool parse_CHOICE(const char *text, const char *words, uint64_t *ret_value)
{
	const size_t size = strlen(text);
	uint64_t index = 0;

	for (const char *w = words;; index++) {
		const size_t n = strcspn(w, "|");

		if (n == size && memcmp(w, text, n) == 0) {
			*ret_value = index;
			return true;
		}
		if (!w[n])
			return false;
		w += n + 1;
	}
}

void options_read(void)
{
	const char *text;

#define OPTION(field, TYPE, def, variable, option, argument, help)          \
	text = getenv(variable);                                            \
	if (text && *text && !parse_##TYPE(text, argument, &options.field)) \
		log_line(variable "=", text, " is not understood; it is ignored");
#include "ttitrace/options.def"
#undef OPTION
}
