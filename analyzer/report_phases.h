/* SPDX-License-Identifier: Apache-2.0 */
/* report_phases.h - report --by phase: the timeline, rendered. */
#ifndef ANALYZER_REPORT_PHASES_H
#define ANALYZER_REPORT_PHASES_H

#include <jansson.h>

#include "phases.h"
#include "terminal.h"

void report_phases_text(const struct phases *p, size_t top, const struct terminal *t, FILE *out);
json_t *report_phases_json(const struct phases *p);
json_t *report_residual_json(const struct phases *p);

#endif
