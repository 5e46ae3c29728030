/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "damage.h"
#include "json_text.h"
#include "pager.h"
#include "record_json.h"
#include "record_text.h"

struct dump_options {
	const char *path;
	bool json;
};

static const struct argp_option option_table[] = {
	{ .name = "json", .key = 'j', .doc = "One JSON object a line, one for each record" }, { 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct dump_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->path)
			argp_error(state, "one trace at a time");
		options->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which trace?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.args_doc = "TRACE",
	.doc = "Print every record of a trace, one line each, and the rows of batches below them.",
};

static void dump_frame(const struct dump_options *options, const struct frame *frame,
		       struct batch *batch, struct list_room *room)
{
	struct cursor content = frame->content;
	struct cursor before = content;
	struct record record;
	int r;

	if (!options->json)
		printf("block offset=%" PRIu64 " bytes=%zu compressed_bytes=%zu\n", frame->offset,
		       cursor_left(&content), frame->compressed_bytes);
	while ((r = record_next(&content, &record)) > 0) {
		before = content;
		if (options->json)
			json_print(record_json(record, batch, room), 0, stdout);
		else
			record_print(record, batch, room, stdout);
	}
	if (r < 0 && !options->json)
		raw_print(&before, stdout);
}

static int dump(struct reader *reader, const struct dump_options *options, struct diag *diag)
{
	struct batch *batch = malloc(sizeof(*batch));
	struct list_room room = { 0 };
	struct frame frame;
	int r;

	if (!batch)
		return diag_set(diag, -ENOMEM, "no memory");
	pager_begin();
	if (options->json)
		json_print(header_json(reader_header(reader)), 0, stdout);
	else
		header_print(reader_header(reader), stdout);
	while ((r = reader_next(reader, &frame, diag)) > 0)
		dump_frame(options, &frame, batch, &room);
	list_room_free(&room);
	free(batch);
	return r;
}

int cmd_dump(int argc, char **argv, struct diag *diag)
{
	struct dump_options options = { 0 };
	struct reader *reader;
	int r;

	command_parse(&argp, argc, argv, 0, &options);
	r = reader_open(options.path, &reader, diag);
	if (r < 0)
		return r;
	r = dump(reader, &options, diag);
	if (r == 0) {
		damage_tell(options.path, reader_damage(reader));
		r = damage_is_any(reader_damage(reader)) ? EXIT_DAMAGED : EXIT_FINE;
	}
	reader_close(reader);
	return r;
}
