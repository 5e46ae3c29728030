/* SPDX-License-Identifier: Apache-2.0 */
/* activity.h - CUPTI's records to rows of batch `gpu`.  Runs in: the writer. */
#ifndef PRELOAD_ACTIVITY_H
#define PRELOAD_ACTIVITY_H

#include <stdint.h>

#include "ttitrace/record.h"

struct gpu_rows {
	uint32_t nr_rows;
	uint64_t column[tti_nr_columns_gpu][TTI_BATCH_ROWS_MAX];
};

/* Appends buffers that CUPTI has filled, whole ones, for as long as another one surely fits. */
void activity_collect(struct gpu_rows *rows);

#endif
