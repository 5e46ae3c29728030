/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_map.h - the ids of a trace -> indexes from 1 on.
 *
 * Our writer counts ids up from 1: those are looked up in an array.  Any others, be they sparse or
 * hostile, go to a hash table.
 */
#ifndef ANALYZER_ID_MAP_H
#define ANALYZER_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint64_t id;
	uint32_t index; /* 0: free */
};

/* All zero is an empty map. */
struct id_map {
	uint32_t *direct; /* by id */
	size_t nr_direct;
	struct id_slot *slots;
	size_t nr_slots; /* power of two */
	size_t nr_used;
};

void id_map_free(struct id_map *m);

/* id must not be in the map; index >= 1.  0 or -ENOMEM. */
int id_map_add(struct id_map *m, uint64_t id, uint32_t index);

uint32_t id_map_find_hashed(const struct id_map *m, uint64_t id);

/* 0: not in the map */
static inline uint32_t id_map_find(const struct id_map *m, uint64_t id)
{
	if (id < m->nr_direct && m->direct[id])
		return m->direct[id];
	return m->nr_used ? id_map_find_hashed(m, id) : 0;
}

#endif
