/* SPDX-License-Identifier: Apache-2.0 */
/* nsys_sqlite.h - Nsight Systems' SQLite export. */
#ifndef ANALYZER_NSYS_SQLITE_H
#define ANALYZER_NSYS_SQLITE_H

#include "foreign.h"

/* Like foreign_import(), of a file that is such an export. */
int nsys_import(const char *file, const char *output, const struct foreign_options *options,
		struct foreign_result *ret, struct diag *diag);

#endif
