/* SPDX-License-Identifier: Apache-2.0 */
#include "seed.h"

#include <string.h>
#include <sys/random.h>

uint64_t seed_get(void)
{
	static uint64_t seed;

	/* A seed of 0 is asked for again; without entropy the address space layout must do. */
	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uintptr_t)&seed;
	return seed;
}

uint64_t seed_hash(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t hash = seed_mix(seed_get() ^ size);
	uint64_t word = 0;

	for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = seed_mix(hash + word);
	}
	word = 0;
	if (size) /* nothing may be at no address */
		memcpy(&word, at, size);
	return seed_mix(hash + word);
}
