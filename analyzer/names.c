/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "seed.h"

/* Real runs stay below 10 MB; a small hostile file can decompress to any amount. */
#define NAMES_BYTES_MAX ((size_t)256 << 20)

enum { BUCKETS_FIRST = 1024 };

struct names {
	struct name **buckets;
	size_t nr_buckets; /* power of two */
	size_t nr_names;
	size_t bytes;
};

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->nr_buckets = BUCKETS_FIRST;
	n->buckets = calloc(n->nr_buckets, sizeof(*n->buckets));
	if (!n->buckets) {
		free(n);
		return NULL;
	}
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nr_buckets; i++)
		for (struct name *name = n->buckets[i], *next; name; name = next) {
			next = name->next;
			free(name);
		}
	free(n->buckets);
	free(n);
}

/* Without memory for more buckets the old ones go on, only slower. */
static void grow(struct names *n)
{
	const size_t nr = 2 * n->nr_buckets;
	struct name **buckets = calloc(nr, sizeof(*buckets));

	if (!buckets)
		return;
	for (size_t i = 0; i < n->nr_buckets; i++)
		for (struct name *name = n->buckets[i], *next; name; name = next) {
			next = name->next;
			name->next = buckets[name->hash & (nr - 1)];
			buckets[name->hash & (nr - 1)] = name;
		}
	free(n->buckets);
	n->buckets = buckets;
	n->nr_buckets = nr;
}

const struct name *names_intern(struct names *n, const char *text, size_t size)
{
	const uint64_t hash = seed_hash(text, size);
	struct name *name = n->buckets[hash & (n->nr_buckets - 1)];

	for (; name; name = name->next)
		if (name->hash == hash && name->size == size && !memcmp(name->text, text, size))
			return name;
	if (size > NAMES_BYTES_MAX - n->bytes)
		return NULL;
	name = malloc(sizeof(*name) + size + 1);
	if (!name)
		return NULL;
	if (n->nr_names++ > n->nr_buckets)
		grow(n);
	n->bytes += sizeof(*name) + size < NAMES_BYTES_MAX - n->bytes ? sizeof(*name) + size
								      : NAMES_BYTES_MAX - n->bytes;
	*name = (struct name){ .hash = hash,
			       .size = size,
			       .next = n->buckets[hash & (n->nr_buckets - 1)] };
	memcpy(name->text, text, size);
	name->text[size] = '\0';
	n->buckets[hash & (n->nr_buckets - 1)] = name;
	return name;
}
