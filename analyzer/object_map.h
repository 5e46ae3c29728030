/* SPDX-License-Identifier: Apache-2.0 */
/* object_map.h - which of a trace's ELF objects lies at an address. */
#ifndef ANALYZER_OBJECT_MAP_H
#define ANALYZER_OBJECT_MAP_H

#include "model.h"

struct object_map;

struct object_map *object_map_new(const struct model *m); /* NULL: no memory; m must outlive it */
void object_map_free(struct object_map *o);               /* accepts NULL */

/*
 * Where one object came to lie over another, a frame is in the last one that was known before it,
 * else in the first one behind.  NULL: in none.
 */
const struct loaded_object *object_map_find(const struct object_map *o, uint64_t address,
					    uint32_t nr_known);

#endif
