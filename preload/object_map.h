/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object_map.h - the loaded ELF objects, so that addresses can be named later.
 * Runs in: the writer.
 */
#ifndef PRELOAD_OBJECT_MAP_H
#define PRELOAD_OBJECT_MAP_H

#include <stdint.h>

#define OBJECT_BUILD_ID_MAX 64u
#define OBJECT_PATH_MAX     4096u

struct object_content {
	uint64_t begin, end, bias;
	uint32_t build_id_size;
	uint32_t path_size;
	uint8_t build_id[OBJECT_BUILD_ID_MAX];
	char path[OBJECT_PATH_MAX]; /* the first path_size are stored */
};

/* Interns what has been loaded since the last time (INTERN_OBJECT); a glance if nothing has. */
void object_map_refresh(void);

#endif
