/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to numbers: the cursor, records, and every column transform against the encoder. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/decode.h"
#include "ttitrace/encode.h"

static struct tti_buffer buffer;
static struct tti_scratch scratch;
static struct batch *batch;
static uint64_t columns[tti_nr_columns_host][TTI_BATCH_ROWS_MAX];
static uint64_t next_random = 88172645463325252ull;

static uint64_t random_number(void)
{
	next_random ^= next_random << 13;
	next_random ^= next_random >> 7;
	next_random ^= next_random << 17;
	return next_random;
}

static int set_up(void **state)
{
	(void)state;
	if (!buffer.data) {
		buffer.size = TTI_FRAME_BYTES_MAX;
		buffer.data = malloc(buffer.size);
		batch = malloc(sizeof(*batch));
	}
	tti_buffer_reset(&buffer);
	return buffer.data && batch ? 0 : -1;
}

static int release(void **state)
{
	(void)state;
	free(buffer.data);
	free(batch);
	return 0;
}

static void the_cursor_does_not_pass_the_end(void **state)
{
	const uint8_t bytes[] = { 1, 2, 0x80 };
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_null(cursor_bytes(&c, 3));
	assert_true(c.bad);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_u8(&c), 0);
	c = cursor_make(bytes, sizeof(bytes));
	assert_null(cursor_bytes(&c, UINT64_MAX));
	c = cursor_make(bytes + 2, 1);
	assert_int_equal(cursor_varint(&c), 0);
	assert_true(c.bad);
}

static void varints_beyond_64_bits_are_refused(void **state)
{
	uint8_t bytes[TTI_VARINT_BYTES_MAX];
	struct cursor c;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	bytes[9] = 1;
	c = cursor_make(bytes, sizeof(bytes));
	assert_true(cursor_varint(&c) == UINT64_MAX && !c.bad);
	bytes[9] = 2;
	c = cursor_make(bytes, sizeof(bytes));
	cursor_varint(&c);
	assert_true(c.bad);
}

static struct record only_record(void)
{
	struct cursor content = cursor_make(buffer.data, buffer.used);
	struct record record;

	assert_int_equal(record_next(&content, &record), 1);
	assert_int_equal(cursor_left(&content), 0);
	return record;
}

static void fields_come_back(void **state)
{
	const uint64_t parameters[] = { 0, 8, 8, UINT64_MAX };
	const struct tti_kernel kernel = {
		.id = 7, .name = UINT64_MAX, .ptx_version = 90, .parameters = { parameters, 4 }
	};
	struct list_room room = { 0 };
	union record_fields fields;
	struct record record;
	size_t present;

	(void)state;
	tti_put_record(&buffer, TTI_RECORD_KERNEL, &kernel);
	record = only_record();
	assert_int_equal(record_fields(&record, &fields, &present, &room), 0);
	assert_int_equal(fields.kernel.id, 7);
	assert_true(fields.kernel.name == UINT64_MAX);
	assert_int_equal(fields.kernel.parameters.size, 4);
	assert_memory_equal(fields.kernel.parameters.values, parameters, sizeof(parameters));
	assert_int_equal(present, record.desc->nr_fields);
	list_room_free(&room);
}

static void all_lists_of_a_record_come_back(void **state)
{
	uint64_t numbers[100];
	const struct tti_convolution convolution = { .x = { numbers, 4 },
						     .w = { numbers + 50, 50 },
						     .pointwise = { numbers + 7, 3 } };
	struct list_room room = { 0 };
	union record_fields fields;
	struct record record;
	size_t present;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		numbers[i] = random_number();
	tti_put_record(&buffer, TTI_RECORD_CONVOLUTION, &convolution);
	record = only_record();
	assert_int_equal(record_fields(&record, &fields, &present, &room), 0);
	assert_memory_equal(fields.convolution.x.values, numbers, 4 * 8);
	assert_memory_equal(fields.convolution.w.values, numbers + 50, 50 * 8);
	assert_memory_equal(fields.convolution.pointwise.values, numbers + 7, 3 * 8);
	assert_int_equal(fields.convolution.y.size, 0);
	list_room_free(&room);
}

static void every_cut_of_a_record_is_noticed_or_has_fewer_fields(void **state)
{
	const struct tti_process process = { .pid = 300, .host = { "node", 4 } };
	struct list_room room = { 0 };
	union record_fields fields;
	size_t present;

	(void)state;
	tti_put_record(&buffer, TTI_RECORD_PROCESS, &process);
	for (size_t n = 0; n <= buffer.used; n++) {
		struct cursor content = cursor_make(buffer.data, n);
		struct record record;

		if (record_next(&content, &record) <= 0)
			continue;
		assert_int_equal(n, buffer.used);
	}
	for (size_t n = 0; n + 5 <= buffer.used; n++) {
		struct record record = { .kind = TTI_RECORD_PROCESS,
					 .desc = tti_record_desc(TTI_RECORD_PROCESS),
					 .payload = cursor_make(buffer.data + 5, n) };

		if (record_fields(&record, &fields, &present, &room) == 0)
			assert_true(present <= record.desc->nr_fields);
	}
}

/* The rows of all strips must be those that were encoded. */
static void assert_round_trip(size_t nr_rows, const uint8_t *transforms, uint32_t wanted)
{
	const uint64_t *pointers[tti_nr_columns_host];
	const struct tti_host head = { .tid = 5 };
	struct list_room room = { 0 };
	union record_fields fields;
	struct record record;
	size_t present, done = 0;

	for (size_t i = 0; i < tti_nr_columns_host; i++)
		pointers[i] = columns[i];
	tti_buffer_reset(&buffer);
	tti_put_batch(&buffer, TTI_RECORD_HOST, &head, pointers, transforms, nr_rows, &scratch);
	assert_false(buffer.full);
	record = only_record();
	assert_int_equal(record_fields(&record, &fields, &present, &room), 0);
	assert_int_equal(fields.host.tid, 5);
	assert_int_equal(batch_open(&record, wanted, batch), 0);
	for (size_t n = batch_strip(batch); n; n = batch_strip(batch)) {
		for (size_t i = 0; i < tti_nr_columns_host; i++)
			if (wanted >> i & 1)
				assert_memory_equal(batch->values[i], columns[i] + done,
						    n * sizeof(uint64_t));
		done += n;
	}
	assert_int_equal(done, nr_rows);
}

static void fill_columns(size_t nr_rows, uint64_t mask)
{
	for (size_t c = 0; c < tti_nr_columns_host; c++)
		for (size_t i = 0; i < nr_rows; i++)
			columns[c][i] = random_number() & mask;
}

static void every_transform_comes_back_in_every_column(void **state)
{
	static const size_t sizes[] = { 1, 2, STRIP_ROWS - 1, STRIP_ROWS, STRIP_ROWS + 1, 5000 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
		for (unsigned bits = 1; bits <= 64; bits += 7) {
			uint8_t transforms[tti_nr_columns_host];

			fill_columns(sizes[s], UINT64_MAX >> (64 - bits));
			for (size_t i = 0; i < tti_nr_columns_host; i++)
				transforms[i] = random_number() % TTI_NR_TRANSFORMS;
			if (transforms[0] == TTI_KEYED)
				transforms[0] = TTI_GAP;
			assert_round_trip(sizes[s], transforms, ~0u);
			assert_round_trip(sizes[s], NULL, ~0u);
		}
}

static void a_full_batch_comes_back(void **state)
{
	(void)state;
	fill_columns(TTI_BATCH_ROWS_MAX, UINT64_MAX);
	assert_round_trip(TTI_BATCH_ROWS_MAX, NULL, ~0u);
}

static void columns_that_nobody_wants_do_not_disturb_others(void **state)
{
	(void)state;
	fill_columns(5000, 0xffffff);
	for (uint32_t wanted = 1; wanted < 1u << tti_nr_columns_host; wanted++)
		assert_round_trip(5000, NULL, wanted);
}

static void the_first_column_cannot_be_its_own_key(void **state)
{
	uint8_t bytes[] = { 1, TTI_KEYED << 4 };
	const struct record record = { .kind = TTI_RECORD_HOST,
				       .desc = tti_record_desc(TTI_RECORD_HOST),
				       .payload = cursor_make(bytes, sizeof(bytes)) };

	(void)state;
	assert_int_equal(batch_open(&record, ~0u, batch), -EBADMSG);
	bytes[1] = TTI_PLAIN << 4;
	assert_int_equal(batch_open(&record, ~0u, batch), 0);
}

static void random_bytes_are_no_batch_that_reads_beyond_them(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct record record = { .kind = TTI_RECORD_GPU,
					 .desc = tti_record_desc(TTI_RECORD_GPU) };
		const size_t n = random_number() % sizeof(bytes);
		uint8_t *copy = malloc(n + 1); /* so that sanitizers know its end */

		for (size_t k = 0; k < n; k++)
			copy[k] = (uint8_t)(random_number() % (i & 1 ? 8 : 256));
		record.payload = cursor_make(copy, n);
		if (batch_open(&record, ~0u, batch) == 0)
			while (batch_strip(batch))
				;
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cursor_does_not_pass_the_end),
		cmocka_unit_test(varints_beyond_64_bits_are_refused),
		cmocka_unit_test_setup(fields_come_back, set_up),
		cmocka_unit_test_setup(all_lists_of_a_record_come_back, set_up),
		cmocka_unit_test_setup(every_cut_of_a_record_is_noticed_or_has_fewer_fields,
				       set_up),
		cmocka_unit_test_setup(every_transform_comes_back_in_every_column, set_up),
		cmocka_unit_test_setup(a_full_batch_comes_back, set_up),
		cmocka_unit_test_setup(columns_that_nobody_wants_do_not_disturb_others, set_up),
		cmocka_unit_test_setup(the_first_column_cannot_be_its_own_key, set_up),
		cmocka_unit_test_setup(random_bytes_are_no_batch_that_reads_beyond_them, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
