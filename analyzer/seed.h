/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed.h - hash tables whose keys come from strangers start from a number they cannot know, so
 * that no trace can be made to collide.
 */
#ifndef ANALYZER_SEED_H
#define ANALYZER_SEED_H

#include <stddef.h>
#include <stdint.h>

uint64_t seed_get(void); /* the same throughout the process */

static inline uint64_t seed_mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0x9e3779b97f4a7c15ull;
	return value ^ value >> 29;
}

uint64_t seed_hash(const void *bytes, size_t size);

#endif
