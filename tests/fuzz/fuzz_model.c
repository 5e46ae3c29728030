/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_model.c - a description of an architecture of the user, walked and printed. */
#include "tests/fuzz/input.h"

#include "analyzer/forward_output.h"
#include "analyzer/json_text.h"

enum { LAYERS = 5000 };

static void print(struct architecture *a, const struct forward *f, const struct peaks *peaks)
{
	const struct terminal terminal = { .columns = 80 };

	for (enum cut_of_model by = 0; by < NR_CUTS_OF_MODEL; by++) {
		const struct forward_view view = {
			.architecture = a, .forward = f, .peaks = peaks, .by = by
		};

		forward_text(&view, &terminal, input_sink());
		forward_csv(&view, input_sink());
		json_print(forward_json(&view), 1, input_sink());
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct architecture *a;
	struct forward f;
	struct peaks peaks;
	struct diag diag;
	const struct forward_setup setup = { .peaks = &peaks,
					     .wants_layers = true,
					     .wants_lengths = true };

	peaks_of_device("H200", &peaks);
	if (architecture_load(input_file(data, size), &a, &diag) < 0)
		return 0;
	architecture_limit(a, LAYERS);
	architecture_set(a, "n=3", &diag);
	if (forward_make(&f, a, &setup, &diag) == 0) {
		print(a, &f, &peaks);
		forward_clear(&f);
	}
	architecture_free(a);
	return 0;
}
