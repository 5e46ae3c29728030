/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_import.c - the bytes as a file of another profiler; what becomes of it, through every
 * reader. */
#include "tests/fuzz/input.h"

#include <unistd.h>

#include "analyzer/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct foreign_options options = { .may_replace = true };
	const char *file = input_file(data, size);
	struct foreign_result result;
	struct diag diag;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fuzz_import.%d.ttt", (int)getpid());
	if (foreign_import(file, path, &options, &result, &diag) == 0)
		input_read_trace(path);
	unlink(path);
	return 0;
}
