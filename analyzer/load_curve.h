/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_curve.h - how busy a device was over time, from intervals in any order, in memory that does
 * not depend on their number.  Where intervals overlap within a slot, a millionth of the run, the
 * slot counts as full at most.
 */
#ifndef ANALYZER_LOAD_CURVE_H
#define ANALYZER_LOAD_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct load_curve;

struct load_curve *load_curve_new(uint64_t begin_ns, uint64_t end_ns); /* NULL: no memory */
void load_curve_free(struct load_curve *c);                            /* accepts NULL */
void load_curve_add(struct load_curve *c, uint64_t begin_ns, uint64_t end_ns);

/* Before samples are asked for; nothing is added afterwards. */
void load_curve_end(struct load_curve *c);

/* Sample i of at most `nr`: when it begins and how busy, 0 to 1.  Negative: there are no more. */
double load_curve_at(const struct load_curve *c, size_t i, size_t nr, uint64_t *ret_begin_ns);

#endif
