/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "utf8.h"

json_t *json_bytes(const char *bytes, size_t size)
{
	char *text = malloc(3 * size + 1);
	json_t *value = text ? json_stringn(text, utf8_clean(bytes, size, text)) : NULL;

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

void json_put_text(const char *text, FILE *out)
{
	const char *from = text;

	putc_unlocked('"', out);
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		fwrite_unlocked(from, 1, (size_t)(text - from), out);
		if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fprintf(out, "\\%c", c);
		from = text + 1;
	}
	fwrite_unlocked(from, 1, (size_t)(text - from), out);
	putc_unlocked('"', out);
}

void json_put_u64(uint64_t value, FILE *out)
{
	if (value <= INT64_MAX) {
		put_digits(value, out);
		return;
	}
	putc_unlocked('"', out);
	put_digits(value, out);
	putc_unlocked('"', out);
}
