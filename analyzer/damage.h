/* SPDX-License-Identifier: Apache-2.0 */
/* damage.h - one line of talk about what of a file could not be read. */
#ifndef ANALYZER_DAMAGE_H
#define ANALYZER_DAMAGE_H

#include <stdbool.h>

#include "reader.h"

bool damage_is_any(const struct reader_damage *damage);

/* Prints a line on standard error if there is any. */
void damage_tell(const char *path, const struct reader_damage *damage);

#endif
