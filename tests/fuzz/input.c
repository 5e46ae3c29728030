/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/json_text.h"
#include "analyzer/lengths.h"
#include "analyzer/record_json.h"
#include "analyzer/record_text.h"
#include "analyzer/references.h"
#include "analyzer/report.h"
#include "analyzer/sizes.h"

static void *need(void *memory)
{
	if (!memory)
		_exit(1);
	return memory;
}

const char *input_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		_exit(1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

FILE *input_sink(void)
{
	static FILE *sink;

	if (!sink)
		sink = need(fopen("/dev/null", "w"));
	return sink;
}

static struct classifier *classifier(void)
{
	static struct classifier *c;

	if (!c)
		c = need(classifier_new());
	return c;
}

static void report(const struct run *run)
{
	struct profile profile;
	struct report r = { .run = run, .profile = &profile, .by = NR_AXES, .top = 20 };
	struct terminal terminal;
	struct lengths lengths;
	struct span span;
	struct diag diag;

	if (profile_make(&profile, run, NULL, &diag) < 0)
		return;
	run_coverage(run, &r.coverage);
	run_gpu(run, &r.gpu);
	terminal_detect(&terminal, false);
	report_text(&r, &terminal, input_sink());
	json_print(report_json(&r), 1, input_sink());
	r.full_names = true;
	for (r.by = 0; r.by < NR_AXES; r.by++)
		report_text(&r, &terminal, input_sink());
	if (lengths_make(&lengths, run, &profile) == 0)
		for (enum role role = 0; role < NR_ROLES; role++)
			lengths_span(&lengths, role, &span);
	lengths_clear(&lengths);
	profile_clear(&profile);
}

static void print_frame(const struct frame *frame, struct batch *batch, struct list_room *room)
{
	struct cursor content = frame->content, before = content;
	struct record record;
	int r;

	while ((r = record_next(&content, &record)) > 0) {
		record_print(record, batch, room, input_sink());
		json_print(record_json(record, batch, room), 0, input_sink());
		before = content;
	}
	if (r < 0)
		raw_print(&before, input_sink());
}

static void dump(const char *path)
{
	struct batch *const batch = need(malloc(sizeof(*batch)));
	struct list_room room = { 0 };
	struct reader *reader = NULL;
	struct frame frame;
	struct diag diag;

	if (reader_open(path, &reader, &diag) == 0) {
		header_print(reader_header(reader), input_sink());
		json_print(header_json(reader_header(reader)), 0, input_sink());
		while (reader_next(reader, &frame, &diag) > 0)
			print_frame(&frame, batch, &room);
	}
	reader_close(reader);
	list_room_free(&room);
	free(batch);
}

void input_read_trace(const char *path)
{
	struct names *const names = need(names_new());
	const struct trace_setup setup = {
		.names = names,
		.works = need(works_new(names, classifier())),
	};
	struct references references;
	struct sizes sizes = { 0 };
	struct trace *trace;
	struct diag diag;

	if (trace_scan(path, &setup, &trace, &diag) == 0) {
		const struct run run = {
			.names = names, .works = setup.works, .traces = &trace, .nr = 1
		};

		report(&run);
		trace_free(trace);
	}
	works_free(setup.works);
	names_free(names);
	references_check(path, &references, &diag);
	sizes_measure(path, &sizes, &diag);
	sizes_free(&sizes);
	dump(path);
}
