/* SPDX-License-Identifier: Apache-2.0 */
/* record_json.h - records as JSON objects. */
#ifndef ANALYZER_RECORD_JSON_H
#define ANALYZER_RECORD_JSON_H

#include <jansson.h>

#include "decode.h"

json_t *header_json(const struct tti_file_header *header);

/* {"record": name, fields...}; of a batch also "columns": {name: [...]}.  The caller owns it. */
json_t *record_json(struct record record, struct batch *batch, struct list_room *room);

#endif
