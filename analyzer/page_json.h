/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_json.h - what the HTML report shows, as one JSON document of bounded size.
 *
 * What is many is columns: an array for each field, all of one length, rows by index.  Times of
 * sums are nanoseconds; times on a timeline are nanoseconds since the first row of their side.
 */
#ifndef ANALYZER_PAGE_JSON_H
#define ANALYZER_PAGE_JSON_H

#include <jansson.h>

#include "length_bins.h"
#include "report.h"
#include "timeline.h"

struct page {
	const struct report *report;
	const struct cube_source *source;
	const struct cube *cube;
	const struct timeline *timeline;
	const struct length_bins *lengths;
	const struct peaks *peaks;         /* the user's */
	const char *focus;                 /* NULL: all modules */
	const struct phase_choice *choice; /* NULL: all phases */
	size_t phases_max;
};

json_t *page_json(const struct page *page);

#endif
