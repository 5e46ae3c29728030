/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rules.c - a rule file of the user, and names asked of its rules. */
#include "tests/fuzz/input.h"

#include "analyzer/classify.h"

static const char *const names[] = {
	"",
	"ampere_bf16_s16816gemm_bf16_128x128_ldg8_f2f_stages_32x5_tn",
	"_ZN2at6native29vectorized_elementwise_kernelILi4EEEvv",
	"void cutlass::Kernel<foo::aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa<1>>(int)",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct classifier *const c = classifier_new();
	struct classification found;
	struct diag diag;

	if (!c)
		return 0;
	classifier_add_rules(c, input_file(data, size), &diag);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		classify(c, names[i], &found);
	classifier_free(c);
	return 0;
}
