/* SPDX-License-Identifier: Apache-2.0 */
/* peaks.h - what a GPU can do at best. */
#ifndef ANALYZER_PEAKS_H
#define ANALYZER_PEAKS_H

#include <stdbool.h>

#include "types.h"

/* What multiplies. */
enum unit { UNIT_fp16, UNIT_tf32, UNIT_fp32, UNIT_fp64, UNIT_fp8, UNIT_int8, NR_UNITS };

struct peaks {
	const char *gpu;            /* the row's word; NULL: not known */
	double flops[NR_UNITS];     /* per second; 0: no such unit */
	double bytes;               /* per second */
	double memory_bytes;        /* how many it has */
	bool is_measured[NR_UNITS]; /* given by the user */
	bool is_measured_bytes;
};

/* By the name of the device, all 0 where no row knows it. */
void peaks_of_device(const char *name, struct peaks *ret);

/* "fp16=800": TFLOP/s, for all devices.  False: not understood. */
bool peaks_set(struct peaks *user, const char *text);
bool peaks_set_bandwidth(struct peaks *user, const char *text); /* GB/s */

/* What the user gave stands for what the table says. */
void peaks_override(struct peaks *p, const struct peaks *user);

const char *unit_name(enum unit u);

/*
 * Which unit multiplies numbers of this type; `kernel` is its readable name: fp32 may run as tf32,
 * and the call does not say so.
 */
enum unit unit_of(enum type t, uint64_t compute, const char *kernel);

/* Seconds that so much takes at best; 0: the peaks are not known. */
double peaks_seconds(const struct peaks *p, enum unit u, double flops, double bytes);

#endif
