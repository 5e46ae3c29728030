/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are whole, cut, flipped, hostile: what is whole is read, the rest is counted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/reader.h"
#include "ttitrace/frame.h"

enum { FRAMES = 5 };

static char path[] = "/tmp/ttitrace-test-XXXXXX";
static uint8_t *bytes;
static size_t size;
static size_t frame_at[FRAMES + 1];
static struct reader_damage damage;
static struct diag diag;

static void append(const void *more, size_t n)
{
	bytes = realloc(bytes, size + n);
	memcpy(bytes + size, more, n);
	size += n;
}

static size_t compress(uint8_t *out, size_t out_size, uint8_t *content, size_t n)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	struct tti_buffer *buffer = calloc(1, sizeof(*buffer));
	size_t compressed;

	buffer->data = content;
	buffer->used = n;
	tti_frame_setup(cctx, 3);
	compressed = tti_frame_compress(cctx, out, out_size, buffer, NULL, 0);
	ZSTD_freeCCtx(cctx);
	free(buffer);
	assert_true(compressed > 0);
	return compressed;
}

static void append_frame(size_t content_bytes, unsigned seed)
{
	uint8_t *content = malloc(content_bytes), *out = malloc(2 * content_bytes + 1024);

	srand(seed);
	for (size_t i = 0; i < content_bytes; i++)
		content[i] = (uint8_t)rand();
	append(out, compress(out, 2 * content_bytes + 1024, content, content_bytes));
	free(content);
	free(out);
}

static void append_header(uint16_t major, uint64_t features)
{
	const struct tti_file_header header = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(header) - 8,
		.magic = { 't', 't', 'i', 't', 'r', 'a', 'c', 'e' },
		.major = major,
		.minor = 77,
		.features = features,
	};

	append(&header, sizeof(header));
}

static int set_up(void **state)
{
	const int fd = mkstemp(strcpy(path, "/tmp/ttitrace-test-XXXXXX"));

	(void)state;
	close(fd);
	size = 0;
	append_header(TTI_FORMAT_MAJOR, 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		frame_at[i] = size;
		append_frame(1000 + 100 * i, i);
	}
	frame_at[FRAMES] = size;
	return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	free(bytes);
	bytes = NULL;
	return 0;
}

/* Whole frames in the file, negative errno if it cannot be opened. */
static int read_all(void)
{
	FILE *f = fopen(path, "w");
	struct reader *reader;
	struct frame frame;
	int n = 0, r;

	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
	r = reader_open(path, &reader, &diag);
	if (r < 0)
		return r;
	while ((r = reader_next(reader, &frame, &diag)) > 0)
		n++;
	assert_int_equal(r, 0);
	damage = *reader_damage(reader);
	reader_close(reader);
	return n;
}

static void a_whole_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_all(), FRAMES);
	assert_int_equal(damage.nr_regions, 0);
	assert_int_equal(damage.cut_bytes, 0);
}

static void a_file_that_ends_anywhere_is_read_up_to_there(void **state)
{
	const size_t whole = size;

	(void)state;
	for (size = sizeof(struct tti_file_header); size < whole; size += 7) {
		int expected = 0;

		while (frame_at[expected + 1] <= size)
			expected++;
		assert_int_equal(read_all(), expected);
		assert_int_equal(damage.nr_regions, 0);
		assert_int_equal(damage.cut_bytes, size - frame_at[expected]);
	}
}

static void a_flipped_byte_costs_one_frame(void **state)
{
	(void)state;
	for (size_t at = frame_at[1]; at < frame_at[4]; at += 13) {
		int n;

		bytes[at] ^= 0x10;
		n = read_all();
		bytes[at] ^= 0x10;
		/* A flag of the frame's header may say that nothing is to be compared. */
		assert_true(n == FRAMES - 1 || n == FRAMES);
		assert_int_equal(damage.nr_regions, FRAMES - n);
	}
}

static void rubbish_between_frames_is_skipped(void **state)
{
	static const char rubbish[] = "\x28\xb5\x2f\xfdrubbish\x28\xb5\x2f\xfd\x28\xb5";
	uint8_t *whole = bytes;
	const size_t whole_size = size;

	(void)state;
	bytes = NULL;
	size = 0;
	append(whole, frame_at[2]);
	append(rubbish, sizeof(rubbish));
	append(whole + frame_at[2], whole_size - frame_at[2]);
	free(whole);
	assert_int_equal(read_all(), FRAMES);
	assert_int_equal(damage.nr_regions, 1);
	assert_int_equal(damage.damaged_bytes, sizeof(rubbish));
	assert_int_equal(damage.first_offset, frame_at[2]);
}

static void other_skippable_frames_are_ignored(void **state)
{
	const uint32_t skippable[] = { 0x184D2A57, 8, 1, 2 };

	(void)state;
	append(skippable, sizeof(skippable));
	append_frame(100, 9);
	assert_int_equal(read_all(), FRAMES + 1);
	assert_int_equal(damage.nr_regions, 0);
}

static void a_frame_that_decompresses_to_too_much_is_refused(void **state)
{
	const size_t n = TTI_FRAME_BYTES_MAX + 1;
	uint8_t *zeros = calloc(1, n), *out = malloc(n);

	(void)state;
	append(out, compress(out, n, zeros, n));
	append_frame(100, 9);
	assert_int_equal(read_all(), FRAMES + 1);
	assert_int_equal(damage.nr_regions, 1);
	free(zeros);
	free(out);
}

static void false_beginnings_do_not_hang(void **state)
{
	static const uint8_t beginning[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0xff, 0x00, 0x00, 0x00 };

	enum { N = 100000 };
	uint8_t *many = malloc(N * sizeof(beginning));

	(void)state;
	for (int i = 0; i < N; i++)
		memcpy(many + (size_t)i * sizeof(beginning), beginning, sizeof(beginning));
	append(many, N * sizeof(beginning));
	free(many);
	assert_int_equal(read_all(), FRAMES);
	assert_true(damage.nr_regions + (damage.cut_bytes > 0) == 1);
}

static void what_is_no_trace_is_refused(void **state)
{
	(void)state;
	size = 0;
	assert_int_equal(read_all(), -EBADMSG);
	append("hello", 5);
	assert_int_equal(read_all(), -EBADMSG);
	append_frame(1000, 1);
	assert_int_equal(read_all(), -EBADMSG);
	size = 0;
	append_header(TTI_FORMAT_MAJOR + 1, 0);
	assert_int_equal(read_all(), -EPROTO);
	size = 0;
	append_header(TTI_FORMAT_MAJOR, 1ull << 63);
	assert_int_equal(read_all(), -EPROTO);
}

static void random_files_come_to_an_end(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 300; i++) {
		const size_t at = frame_at[0] + (size_t)rand() % (size - frame_at[0]);
		const size_t n = (size_t)rand() % (size - at);

		for (size_t k = 0; k < n % 50; k++)
			bytes[at + k] = (uint8_t)rand();
		assert_in_range(read_all(), 0, FRAMES);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_whole_file_is_read),
		TEST(a_file_that_ends_anywhere_is_read_up_to_there),
		TEST(a_flipped_byte_costs_one_frame),
		TEST(rubbish_between_frames_is_skipped),
		TEST(other_skippable_frames_are_ignored),
		TEST(a_frame_that_decompresses_to_too_much_is_refused),
		TEST(false_beginnings_do_not_hang),
		TEST(what_is_no_trace_is_refused),
		TEST(random_files_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
