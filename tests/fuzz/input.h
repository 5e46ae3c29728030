/* SPDX-License-Identifier: Apache-2.0 */
/* input.h - what the fuzzers have in common: bytes as a file, and a file through every reader. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory with these bytes; its path works until the next call. */
const char *input_file(const uint8_t *data, size_t size);

/* /dev/null, to print to. */
FILE *input_sink(void);

/* All that the commands do with a trace. */
void input_read_trace(const char *path);

#endif
