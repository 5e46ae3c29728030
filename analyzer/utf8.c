/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <stdint.h>
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

size_t utf8_clean(const char *bytes, size_t size, char *ret)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0;

	for (size_t i = 0; i < size;) {
		const size_t n = character_bytes((const unsigned char *)bytes + i, size - i);

		memcpy(ret + used, n ? bytes + i : replacement, n ? n : 3);
		used += n ? n : 3;
		i += n ? n : 1;
	}
	ret[used] = 0;
	return used;
}
