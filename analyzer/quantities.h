/* SPDX-License-Identifier: Apache-2.0 */
/* quantities.h - what the size of a run's problem is, from the shapes of its work. */
#ifndef ANALYZER_QUANTITIES_H
#define ANALYZER_QUANTITIES_H

#include "analysis.h"

enum quantity {
#define QUANTITY(name, what) QUANTITY_##name,
#include "quantities.def"
#undef QUANTITY
	NR_QUANTITIES
};

const char *quantity_name(enum quantity q);
const char *quantity_what(enum quantity q);
enum quantity quantity_by_name(const char *name, size_t size); /* NR_QUANTITIES: there is none */

struct quantities {
	double values[NR_QUANTITIES]; /* 0: the run does not say */
};

/* Of an analysis loaded with phases. */
void quantities_find(const struct analysis *a, struct quantities *ret);

/* Whether all runs have it, and not all the same. */
bool quantity_varies(const struct quantities *runs, size_t nr, enum quantity q);

/* Those that vary and do not follow from others that do; how many.  The first ones are in *ret. */
size_t quantities_that_vary(const struct quantities *runs, size_t nr,
			    enum quantity ret[NR_QUANTITIES]);

#endif
