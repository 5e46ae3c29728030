/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkbench N [JITTER] - a trace of N launches as a diffusion run makes them, on standard output: 250
 * templates in a repeating sequence, durations that jitter, three correlation ids a launch, host
 * rows and device rows in turns of a quarter of a second.  JITTER, in ns, moves the device's begins
 * as if streams overlapped: rows are then out of order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ttitrace/frame.h"

enum { TEMPLATES = 250, TURN = 20000, COLUMNS = tti_nr_columns_host };

static struct tti_buffer content;
static struct tti_scratch scratch;
static ZSTD_CCtx *cctx;
static uint64_t columns[COLUMNS][TTI_BATCH_ROWS_MAX];
static uint64_t jitter_ns;
static uint64_t next_random = 88172645463325252ull;

static uint64_t random_below(uint64_t n)
{
	next_random ^= next_random << 13;
	next_random ^= next_random >> 7;
	next_random ^= next_random << 17;
	return next_random % n;
}

static void end_frame(void)
{
	static uint8_t out[TTI_FRAME_BYTES_MAX];
	const size_t n =
		tti_frame_compress(cctx, out, sizeof(out), &content, content.cuts, content.nr_cuts);

	if (!n || content.full || fwrite(out, 1, n, stdout) != n)
		exit(1);
	tti_buffer_reset(&content);
}

static struct tti_str str(const char *text)
{
	return (struct tti_str){ text, strlen(text) };
}

static void put_definitions(void)
{
	const struct tti_process process = { .pid = 1, .begin_ns = 1, .command = str("bench") };
	char name[64];

	tti_put_record(&content, TTI_RECORD_PROCESS, &process);
	for (uint64_t id = 1; id <= TEMPLATES; id++) {
		const struct tti_kernel kernel = { .id = id, .name = id };
		const struct tti_template host = { .id = id,
						   .op = TTI_OP_LAUNCH,
						   .kernel = id,
						   .grid_x = id,
						   .grid_y = 1,
						   .grid_z = 1 };
		const struct tti_device_template device = { .id = id,
							    .activity = TTI_ACTIVITY_KERNEL,
							    .name = id,
							    .stream = 7,
							    .grid_x = id,
							    .grid_y = 1,
							    .grid_z = 1 };

		snprintf(name, sizeof(name), "sm90_xmma_gemm_f16f16_variant_%d", (int)id);
		tti_put_record(&content, TTI_RECORD_STRING,
			       &(struct tti_string){ .id = id, .text = str(name) });
		tti_put_record(&content, TTI_RECORD_KERNEL, &kernel);
		tti_put_record(&content, TTI_RECORD_TEMPLATE, &host);
		tti_put_record(&content, TTI_RECORD_DEVICE_TEMPLATE, &device);
	}
	end_frame();
}

static void put_columns(uint64_t kind, const void *head, size_t nr_rows)
{
	const uint64_t *pointers[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		pointers[i] = columns[i];
	tti_put_batch(&content, kind, head, pointers, NULL, nr_rows, &scratch);
	end_frame();
}

static void put_turn(size_t nr_rows, uint64_t *launch, uint64_t *host_ns, uint64_t *device_ns)
{
	const uint64_t first = *launch;
	uint64_t template[TURN];

	for (size_t i = 0; i < nr_rows; i++) {
		template[i] = 1 + (first + i) * 7 % TEMPLATES;
		columns[0][i] = template[i];
		columns[1][i] = 1800 + 10 * template[i] % 700 + random_below(200);
		columns[2][i] = *host_ns;
		columns[3][i] = 3 * (first + i) + 5;
		columns[4][i] = 0;
		columns[5][i] = 0;
		*host_ns += columns[1][i] + 3000 + random_below(2000);
	}
	put_columns(TTI_RECORD_HOST, &(struct tti_host){ .tid = 1 }, nr_rows);
	for (size_t i = 0; i < nr_rows; i++) {
		columns[0][i] = template[i];
		columns[1][i] = 1000 + 97 * template[i] + random_below(300);
		columns[2][i] = *device_ns + (jitter_ns ? random_below(jitter_ns) : 0);
		columns[3][i] = 3 * (first + i) + 5;
		columns[4][i] = 0;
		*device_ns += columns[1][i] + 800 + random_below(200);
	}
	put_columns(TTI_RECORD_GPU, &(struct tti_gpu){ .collected_ns = *device_ns }, nr_rows);
	*launch += nr_rows;
}

int main(int argc, char **argv)
{
	const uint64_t nr = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	const struct tti_file_header header = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(header) - 8,
		.magic = { 't', 't', 'i', 't', 'r', 'a', 'c', 'e' },
		.major = TTI_FORMAT_MAJOR,
		.minor = TTI_FORMAT_MINOR,
		.level = 3,
	};
	uint64_t launch = 0, host_ns = 1000, device_ns = 9000;

	jitter_ns = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	content.size = TTI_FRAME_BYTES_MAX;
	content.data = malloc(content.size);
	cctx = ZSTD_createCCtx();
	if (!content.data || !cctx || tti_frame_setup(cctx, header.level) < 0 ||
	    fwrite(&header, sizeof(header), 1, stdout) != 1)
		return 1;
	put_definitions();
	while (launch < nr)
		put_turn(nr - launch < TURN ? nr - launch : TURN, &launch, &host_ns, &device_ns);
	tti_put_record(&content, TTI_RECORD_COUNT,
		       &(struct tti_count){ .counter = TTI_COUNTER_LAUNCHES, .value = nr });
	tti_put_record(&content, TTI_RECORD_FINISH,
		       &(struct tti_finish){ .reason = TTI_ENDING_EXIT, .time_ns = device_ns });
	end_frame();
	ZSTD_freeCCtx(cctx);
	free(content.data);
	return fflush(stdout) ? 1 : 0;
}
