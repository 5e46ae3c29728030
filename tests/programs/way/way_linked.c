/* SPDX-License-Identifier: Apache-2.0 */
/* way_linked.c - for programs that are linked with -lcuda. */
#include "tests/programs/way/way.h"

extern const struct driver linked_driver;

const struct driver linked_driver = {
#define FUNCTION(name) name,
#include "tests/programs/way/way.def"
#undef FUNCTION
};
