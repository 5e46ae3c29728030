/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h - what enums.def says about the counters of a trace. */
#ifndef ANALYZER_COUNTERS_H
#define ANALYZER_COUNTERS_H

#include <stdbool.h>

#include "ttitrace/format.h"

const char *counter_name(enum tti_counter counter); /* NULL: there is none */
const char *counter_meaning(enum tti_counter counter);
bool counter_is_loss(enum tti_counter counter);
bool counter_is_loss_of_rows(enum tti_counter counter); /* not only of some detail of them */

#endif
