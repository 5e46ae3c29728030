/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module_calls.h - how often each module of the tree ran.
 *
 * Most of what a module launches, it launches once a call: of the numbers of launches of its places
 * in one segment of the run the commonest is taken, of several the smallest, and segments are
 * added. A call that launches nothing is not seen.
 */
#ifndef ANALYZER_MODULE_CALLS_H
#define ANALYZER_MODULE_CALLS_H

#include "modules.h"

/* Adds to the nodes' calls; of a run loaded with_phases.  0 or -ENOMEM. */
int module_calls_count(struct modules *m, const struct profile *p);

#endif
