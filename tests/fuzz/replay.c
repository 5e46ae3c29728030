/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - FILE...: each through the fuzzer it is linked with, for builds without libFuzzer. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/input.h"

static int replay(const char *path)
{
	FILE *const file = fopen(path, "re");
	uint8_t *data = NULL;
	size_t size = 0, n = 0;

	if (!file) {
		perror(path);
		return 1;
	}
	/* Exactly as large as the input, so that a sanitizer sees a read past its end. */
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	data = malloc(size ? size : 1);
	if (data)
		n = fread(data, 1, size, file);
	fclose(file);
	if (!data || n != size) {
		perror(path);
		free(data);
		return 1;
	}
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
