/* SPDX-License-Identifier: Apache-2.0 */
#include "id_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

enum { DIRECT_FIRST = 1024, DIRECT_MAX = 1 << 20, SLOTS_FIRST = 64 };

void id_map_free(struct id_map *m)
{
	free(m->direct);
	free(m->slots);
	*m = (struct id_map){ 0 };
}

static struct id_slot *find_slot(const struct id_map *m, uint64_t id)
{
	size_t i = seed_mix(id ^ seed_get()) & (m->nr_slots - 1);

	while (m->slots[i].index && m->slots[i].id != id)
		i = (i + 1) & (m->nr_slots - 1);
	return &m->slots[i];
}

uint32_t id_map_find_hashed(const struct id_map *m, uint64_t id)
{
	return find_slot(m, id)->index;
}

static int grow_slots(struct id_map *m)
{
	struct id_map bigger = { .nr_slots = m->nr_slots ? 2 * m->nr_slots : SLOTS_FIRST };

	bigger.slots = calloc(bigger.nr_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->nr_slots; i++)
		if (m->slots[i].index)
			*find_slot(&bigger, m->slots[i].id) = m->slots[i];
	free(m->slots);
	m->slots = bigger.slots;
	m->nr_slots = bigger.nr_slots;
	return 0;
}

static int grow_direct(struct id_map *m, uint64_t id)
{
	size_t n = m->nr_direct ? m->nr_direct : DIRECT_FIRST;
	uint32_t *direct;

	while (n <= id)
		n *= 2;
	direct = realloc(m->direct, n * sizeof(*direct));
	if (!direct)
		return -ENOMEM;
	memset(direct + m->nr_direct, 0, (n - m->nr_direct) * sizeof(*direct));
	m->direct = direct;
	m->nr_direct = n;
	return 0;
}

int id_map_add(struct id_map *m, uint64_t id, uint32_t index)
{
	if (id < DIRECT_MAX) {
		if (id >= m->nr_direct && grow_direct(m, id) < 0)
			return -ENOMEM;
		m->direct[id] = index;
		return 0;
	}
	if (2 * (m->nr_used + 1) > m->nr_slots && grow_slots(m) < 0)
		return -ENOMEM;
	*find_slot(m, id) = (struct id_slot){ .id = id, .index = index };
	m->nr_used++;
	return 0;
}
