/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_records.c - the content of frames, which checksums keep a fuzzer of whole files away from.
 * The input is the content; "\n--\n" in it begins another frame.
 */
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

#include "ttitrace/frame.h"

static const char separator[] = "\n--\n";

/* Of a buffer that only grows. */
static uint8_t *file_room(size_t size)
{
	static uint8_t *file;
	static size_t file_size;

	if (size > file_size) {
		free(file);
		file = malloc(size);
		file_size = file ? size : 0;
	}
	return file;
}

static ZSTD_CCtx *context(void)
{
	static ZSTD_CCtx *cctx;

	if (!cctx) {
		cctx = ZSTD_createCCtx();
		if (!cctx || tti_frame_setup(cctx, 1) < 0)
			exit(1);
	}
	return cctx;
}

static size_t put_frame(uint8_t *out, const uint8_t *data, size_t size)
{
	const struct tti_buffer content = { .data = (uint8_t *)data, .used = size, .size = size };

	return tti_frame_compress(context(), out, tti_frame_bound(size, 0), &content, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tti_file_header header = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(header) - 8,
		.magic = { 't', 't', 'i', 't', 'r', 'a', 'c', 'e' },
		.major = TTI_FORMAT_MAJOR,
		.minor = TTI_FORMAT_MINOR,
	};
	/* Every separator is at least four bytes of input and begins one frame. */
	uint8_t *const file =
		file_room(sizeof(header) + tti_frame_bound(size, 0) + (size / 4 + 1) * 128);
	size_t used = sizeof(header);

	if (!file)
		return 0;
	memcpy(file, &header, sizeof(header));
	for (;;) {
		const uint8_t *const next = memmem(data, size, separator, 4);
		const size_t n = next ? (size_t)(next - data) : size;

		used += put_frame(file + used, data, n);
		if (!next)
			break;
		data += n + 4;
		size -= n + 4;
	}
	input_read_trace(input_file(file, used));
	return 0;
}
