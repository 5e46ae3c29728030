/* SPDX-License-Identifier: Apache-2.0 */
/*
 * correlate.h - which device record belongs to which host call, by correlation id.
 *
 * Either may come first.  What is not paired yet waits in pages of consecutive ids; when an id
 * comes again, as 32 bit ids do, what still waits under it has lost its partner.  Memory follows
 * what is in flight and has a limit: beyond it the oldest stop waiting and are counted.
 */
#ifndef ANALYZER_CORRELATE_H
#define ANALYZER_CORRELATE_H

#include <stdbool.h>
#include <stdint.h>

struct correlator;

/* What a host call expects. */
enum host_class { HOST_LAUNCH = 1, HOST_GRAPH = 2, HOST_COPY = 4 };
/* What a device record is. */
enum device_class { DEVICE_KERNEL = 8, DEVICE_NODE = 16, DEVICE_COPY = 32 };

struct correlation {
	uint64_t matched; /* launches that have their kernel record */
	uint64_t launches_without_record;
	uint64_t graphs_without_record;
	uint64_t copies_without_record; /* legitimate: host to host, no bytes */
	uint64_t kernels_without_launch;
	uint64_t nodes_without_launch;
	uint64_t copies_without_call;
	uint64_t gave_up; /* pages that stopped waiting for want of memory */
};

struct correlator *correlator_new(void);    /* NULL: no memory */
void correlator_free(struct correlator *c); /* accepts NULL */

/*
 * One host call or device record under an id; id 0 is "none".  Returns the template of the partner
 * if this pairs a launch with its kernel record, else 0.
 */
uint32_t correlate_host(struct correlator *c, uint32_t id, enum host_class class,
			uint32_t template);
uint32_t correlate_device(struct correlator *c, uint32_t id, enum device_class class,
			  uint32_t template);

/* Nothing more will come: what waits is counted. */
void correlator_finish(struct correlator *c, struct correlation *ret);

#endif
