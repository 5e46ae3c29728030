/* SPDX-License-Identifier: Apache-2.0 */
/* varint.h - LEB128 and zigzag. */
#ifndef TTITRACE_VARINT_H
#define TTITRACE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define TTI_VARINT_BYTES_MAX 10

/* Writes at most TTI_VARINT_BYTES_MAX bytes; returns how many. */
static inline size_t tti_varint_put(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

/* Bytes read, or 0: the input ends within the number, or the number exceeds 64 bits. */
static inline size_t tti_varint_get(const uint8_t *in, size_t size, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t n = 0; n < size && n < TTI_VARINT_BYTES_MAX; n++) {
		if (n == TTI_VARINT_BYTES_MAX - 1 && in[n] > 1)
			return 0;
		value |= (uint64_t)(in[n] & 0x7f) << (7 * n);
		if (!(in[n] & 0x80)) {
			*ret_value = value;
			return n + 1;
		}
	}
	return 0;
}

/* Small magnitudes of either sign become small numbers. */
static inline uint64_t tti_zigzag(uint64_t value)
{
	return value << 1 ^ (value >> 63 ? ~0ull : 0);
}

static inline uint64_t tti_unzigzag(uint64_t value)
{
	return value >> 1 ^ (value & 1 ? ~0ull : 0);
}

#endif
