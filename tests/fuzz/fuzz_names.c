/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_names.c - the name of a kernel: demangled, put into one spelling, asked about, shortened. */
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/classify.h"
#include "analyzer/demangle.h"
#include "analyzer/short_name.h"

static void shorten(const char *readable)
{
	char *const name = short_name(readable);

	for (size_t width = 0; name && width < 80; width = 2 * width + 1)
		free(short_name_fit(name, width, "…"));
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct classifier *classifier;
	static struct kernel_text text;
	struct classification found;
	char *const name = strndup((const char *)data, size);
	char *const demangled = name ? demangle(name) : NULL;

	if (!classifier)
		classifier = classifier_new();
	if (classifier && demangled) {
		kernel_text_make(&text, name, demangled);
		classify_text(classifier, &text, &found);
		shorten(text.readable);
		shorten(demangled);
		shorten(name);
	}
	free(demangled);
	free(name);
	return 0;
}
