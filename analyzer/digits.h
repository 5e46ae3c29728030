/* SPDX-License-Identifier: Apache-2.0 */
/* digits.h - numbers for rows by the million: fprintf takes ten times as long. */
#ifndef ANALYZER_DIGITS_H
#define ANALYZER_DIGITS_H

#include <stdint.h>
#include <stdio.h>

static inline void put_digits(uint64_t value, FILE *out)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	fwrite_unlocked(digits + at, 1, sizeof(digits) - at, out);
}

/* Microseconds with three places. */
static inline void put_us(uint64_t ns, FILE *out)
{
	const unsigned int rest = (unsigned int)(ns % 1000);
	const char places[] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
				(char)('0' + rest % 10) };

	put_digits(ns / 1000, out);
	fwrite_unlocked(places, 1, sizeof(places), out);
}

#endif
