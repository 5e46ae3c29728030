/* SPDX-License-Identifier: Apache-2.0 */
/* foreign.h - a file of another profiler -> traces. */
#ifndef ANALYZER_FOREIGN_H
#define ANALYZER_FOREIGN_H

#include "import.h"

enum foreign { FOREIGN_unknown, FOREIGN_torch, FOREIGN_nsys, NR_FOREIGN };

enum foreign foreign_by_name(const char *name); /* NR_FOREIGN: there is none */

struct foreign_options {
	enum foreign format; /* unknown: the content says it */
	bool may_replace;
};

struct foreign_result {
	bool is_whole;
	uint64_t position; /* if not: where, and why */
	char why[160];
	uint64_t nr_skipped; /* events without a time */
	struct import_counts counts;
};

/*
 * Writes `output`; where the file has several processes, one each, with ".PID" before its ending.
 * Negative errno in diag where there is nothing to import, or it cannot be written.
 */
int foreign_import(const char *file, const char *output, const struct foreign_options *options,
		   struct foreign_result *ret, struct diag *diag);

#endif
