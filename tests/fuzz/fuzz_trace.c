/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace.c - a whole file: header, frames, what is damaged, and the little that gets through.
 */
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input_read_trace(input_file(data, size));
	return 0;
}
