/* SPDX-License-Identifier: Apache-2.0 */
/* references.h - ids that a trace uses and has not defined before, by field. */
#ifndef ANALYZER_REFERENCES_H
#define ANALYZER_REFERENCES_H

#include <stddef.h>
#include <stdint.h>

#include "diag.h"

enum reference {
#define SPACE(space)
#define DEFINES(NAME, record, space)
#define REFERS(NAME, record, field, space)         REFERENCE_##record##_##field,
#define COLUMN_REFERS(NAME, record, column, space) REFERENCE_##record##_##column,
#include "references.def"
#undef SPACE
#undef DEFINES
#undef REFERS
#undef COLUMN_REFERS
	NR_REFERENCES
};

struct references {
	uint64_t dangling[NR_REFERENCES];
};

const char *reference_record(enum reference r);
const char *reference_field(enum reference r);
const char *reference_space(enum reference r); /* what the id should be of */

/* One pass over the file.  Damage is passed over in silence: others tell it. */
int references_check(const char *path, struct references *ret, struct diag *diag);

#endif
