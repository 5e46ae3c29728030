/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the well-formed character that begins here; 0: there is none. */
static size_t character_bytes(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t n = s[0] < 0x80   ? 1
			 : s[0] < 0xc0 ? 0
			 : s[0] < 0xe0 ? 2
			 : s[0] < 0xf0 ? 3
			 : s[0] < 0xf8 ? 4
				       : 0;
	uint32_t code = n == 1 ? s[0] : n ? s[0] & (0xff >> (n + 1)) : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

json_t *json_bytes(const char *bytes, size_t size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *text = malloc(3 * size + 1);
	size_t used = 0;
	json_t *value;

	for (size_t i = 0; text && i < size;) {
		const size_t n = character_bytes((const unsigned char *)bytes + i, size - i);

		memcpy(text + used, n ? bytes + i : replacement, n ? n : 3);
		used += n ? n : 3;
		i += n ? n : 1;
	}
	value = text ? json_stringn(text, used) : NULL;
	free(text);
	return value;
}

json_t *json_text(const char *text)
{
	return text ? json_bytes(text, strlen(text)) : json_null();
}

json_t *json_u64(uint64_t value)
{
	char digits[24];

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	return json_string(digits);
}

void json_print(json_t *value, int indent, FILE *out)
{
	const size_t flags = indent ? JSON_INDENT((size_t)indent) | JSON_REAL_PRECISION(6)
				    : JSON_COMPACT | JSON_REAL_PRECISION(6);

	json_dumpf(value, out, flags | JSON_ENCODE_ANY);
	fputc('\n', out);
	json_decref(value);
}
