/* SPDX-License-Identifier: Apache-2.0 */
/* report_modules.h - report --by module: the tree, rendered. */
#ifndef ANALYZER_REPORT_MODULES_H
#define ANALYZER_REPORT_MODULES_H

#include <jansson.h>

#include "modules.h"
#include "terminal.h"

/* depth 0: all of it */
void report_modules_text(const struct modules *m, size_t depth, const struct terminal *t,
			 FILE *out);
json_t *report_modules_json(const struct modules *m, size_t depth);

/* [{"name", "time_ns", "launches", "flops"}], most time first. */
json_t *report_operators_json(const struct module_sums *sums);

#endif
