/* SPDX-License-Identifier: Apache-2.0 */
/* copy_name.h - "Memcpy HtoD (Pageable -> Device)": copies as profilers of CUDA and HIP name them.
 */
#ifndef ANALYZER_COPY_NAME_H
#define ANALYZER_COPY_NAME_H

#include "ttitrace/record.h"

/* Sets copy_kind, source_memory and target_memory; what the name does not say stays 0. */
void copy_name_read(struct tti_str name, struct tti_device_template *t);

#endif
