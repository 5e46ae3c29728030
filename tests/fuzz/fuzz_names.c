/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_names.c - the name of a kernel: demangled, put into one spelling, asked about, shortened. */
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/classify.h"
#include "analyzer/demangle.h"
#include "analyzer/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct classifier *classifier;
	struct classification found;
	char *const name = strndup((const char *)data, size);
	char *demangled, *readable;

	if (!classifier)
		classifier = classifier_new();
	demangled = name ? demangle(name) : NULL;
	if (classifier && demangled) {
		classify(classifier, name, &found);
		readable = report_short_name(demangled);
		free(readable);
	}
	free(demangled);
	free(name);
	return 0;
}
