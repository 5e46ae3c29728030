/* SPDX-License-Identifier: Apache-2.0 */
/* works.h - what a kernel, copy or fill is, said once for all its launches. */
#ifndef ANALYZER_WORKS_H
#define ANALYZER_WORKS_H

#include "classify.h"
#include "model.h"

struct work {
	const struct name *mangled; /* NULL: not a kernel */
	const struct name *name;    /* as a programmer writes it */
	const char *kind, *sub, *operator_name;
	const struct rule *rule; /* NULL: none matched, or none was needed */
};                               /* valid as long as its works and their classifier */

struct works;

struct works *works_new(struct names *names,
			const struct classifier *classifier); /* NULL: no memory */
void works_free(struct works *w);                             /* accepts NULL */

/* NULL: no memory */
const struct work *work_of_device(struct works *w, const struct device_template *d);

/* NULL also where the host's call does no work of its own: captured, synchronising, failed. */
const struct work *work_of_host(struct works *w, const struct host_template *h);

#endif
