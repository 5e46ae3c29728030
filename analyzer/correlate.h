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
	uint64_t nodes_of_bodies; /* of those without a number: see correlate_body() */
	uint64_t copies_without_call;
	uint64_t gave_up; /* pages that stopped waiting for want of memory */
};

struct correlator *correlator_new(void);    /* NULL: no memory */
void correlator_free(struct correlator *c); /* accepts NULL */

/* The device records that came before their host call. */
struct correlated {
	uint32_t device; /* template of the last one; 0: there are none */
	uint32_t nr;
	uint64_t time_ns;
};

/*
 * One host call under an id; id 0 is "none".  `host` is any number of the caller's other than 0.
 * *ret: what this pairs with, of a launch its kernel record, of a copy the copies so far.
 */
void correlate_host(struct correlator *c, uint32_t id, enum host_class class, uint32_t host,
		    struct correlated *ret);

/* One device record.  Returns `host` of the call it pairs with as above, or 0. */
uint32_t correlate_device(struct correlator *c, uint32_t id, enum device_class class,
			  uint32_t template, uint64_t time_ns);

/*
 * A kernel in the body of a loop or a branch of a graph: its record has no number, and how often
 * it runs the device decides.  `ran_bodies` says of a graph launch, by its `host`, whether it was
 * one of a graph with such bodies: then no record of its own is missed.
 */
void correlate_body(struct correlator *c);
void correlator_ask_bodies(struct correlator *c, bool (*ran_bodies)(void *context, uint32_t host),
			   void *context);

/* Nothing more will come: what waits is counted. */
void correlator_finish(struct correlator *c, struct correlation *ret);

#endif
