/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_rules.h - the built-in rules, in the order in which they are asked. */
#ifndef ANALYZER_KERNEL_RULES_H
#define ANALYZER_KERNEL_RULES_H

#include "rule.h"

extern const struct rule kernel_rules[];
extern const size_t nr_kernel_rules;

#endif
