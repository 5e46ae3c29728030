/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_rules.h"

const struct rule kernel_rules[] = {
#define RULE(in_kind, in_sub, in_how, in_pattern, in_sample) \
	{ .kind = KIND_##in_kind,                            \
	  .sub = in_sub,                                     \
	  .how = RULE_##in_how,                              \
	  .pattern = in_pattern,                             \
	  .sample = in_sample },
#include "kernel_rules.def"
#undef RULE
};

const size_t nr_kernel_rules = sizeof(kernel_rules) / sizeof(*kernel_rules);
