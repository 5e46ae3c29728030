/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

/* The length of the character at p; 0 where there is none.  The NUL ends every run of bytes. */
static size_t utf8_length(const unsigned char *p)
{
	const size_t n = p[0] < 0x80                   ? 1
			 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
			 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
						       : 4;

	if (p[0] >= 0x80 && (p[0] < 0xc2 || p[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, what is beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static char *utf8_repair(const char *bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *const ret = malloc(3 * strlen(bytes) + 1);
	char *out = ret;

	if (!ret)
		return NULL;
	while (*bytes) {
		const size_t n = utf8_length((const unsigned char *)bytes);

		memcpy(out, n ? bytes : replacement, n ? n : 3);
		out += n ? n : 3;
		bytes += n ? n : 1;
	}
	*out = '\0';
	return ret;
}

json_t *json_text(const char *bytes)
{
	json_t *text = json_string(bytes);
	char *repaired;

	if (text)
		return text;
	repaired = utf8_repair(bytes);
	text = repaired ? json_string(repaired) : NULL;
	free(repaired);
	return text;
}
