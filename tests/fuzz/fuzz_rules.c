/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rules.c - a rule file of the user, and names asked of its rules. */
#include "tests/fuzz/input.h"

#include <stdlib.h>

#include "analyzer/rule_file.h"

static const char *const names[] = {
	"x",
	"ampere_bf16_s16816gemm_bf16_128x128_ldg8_f2f_stages_32x5_tn",
	"_ZN2at6native29vectorized_elementwise_kernelILi4EEEvv",
	"void cutlass::Kernel<foo::aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa<1>>(int)",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rule_matcher *matcher;
	static struct kernel_text text;
	struct rule_list rules = { 0 };
	struct diag diag;

	if (!matcher)
		matcher = rule_matcher_new();
	if (!matcher)
		exit(1);
	rule_file_read(input_file(data, size), &rules, &diag);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		kernel_text_make(&text, names[i], names[i]);
		rule_list_find(&rules, matcher, &text);
	}
	rule_list_clear(&rules);
	return 0;
}
