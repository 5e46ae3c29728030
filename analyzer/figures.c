/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	double size;
	const char *name;
};

static struct figure scaled(double value, const struct unit *units)
{
	struct figure f;

	/* 999.995 would print as 1000.00. */
	while (units[1].name && value < 0.999995 * units->size)
		units++;
	snprintf(f.text, sizeof(f.text), "%.*f %s", units[1].name ? 2 : 0, value / units->size,
		 units->name);
	return f;
}

struct figure figure_time(uint64_t ns)
{
	static const struct unit units[] = {
		{ 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 1, "ns" }, { 0, NULL }
	};

	return scaled((double)ns, units);
}

struct figure figure_bytes(uint64_t bytes)
{
	static const struct unit units[] = {
		{ 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" }, { 1, "bytes" }, { 0, NULL }
	};

	return scaled((double)bytes, units);
}

struct figure figure_seconds(double s)
{
	const double ns = 1e9 * s + 0.5;

	return figure_time(ns < 1 ? 0 : ns < 1e19 ? (uint64_t)ns : (uint64_t)1e19);
}

struct figure figure_count(uint64_t n)
{
	char digits[24];
	struct figure f;
	char *out = f.text;
	const int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return f;
}

struct figure figure_share(double share)
{
	struct figure f;

	snprintf(f.text, sizeof(f.text), "%.1f%%", 100 * share);
	return f;
}
