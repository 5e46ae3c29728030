/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "frame_symbols.h"
#include "output.h"
#include "run.h"
#include "symbol_file.h"
#include "terminal.h"

enum { OPTION_OUTPUT = 'o', TOLD_MAX = 16 };

struct symbols_options {
	struct inputs inputs;
	const char *path; /* NULL: standard output */
	int err;
	struct diag *diag;
};

struct named_address {
	const struct loaded_object *object;
	uint64_t address; /* in the file */
	const char *symbol;
};

struct named_addresses {
	struct named_address *rows;
	size_t nr, size;
	uint64_t nr_frames, nr_named;
};

static const struct argp_option option_table[] = {
	{ .name = "output",
	  .key = OPTION_OUTPUT,
	  .arg = "FILE",
	  .doc = "Write to FILE instead of standard output" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct symbols_options *o = state->input;

	if (o->err)
		return 0;
	switch (key) {
	case OPTION_OUTPUT:
		o->path = arg;
		return 0;
	case ARGP_KEY_ARG:
		o->err = inputs_add(&o->inputs, arg, o->diag);
		return 0;
	case ARGP_KEY_NO_ARGS:
		o->err = inputs_add_newest(&o->inputs, ".", o->diag);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.args_doc = "[TRACE...]",
	.doc = "Write the names of the functions on the native stacks of traces, to be run where "
	       "the programs and libraries are that were traced: with --symbols the other commands "
	       "take them anywhere.\vA TRACE is a file or a directory with *.ttt files.  Without "
	       "any, the traces of the newest run in the current directory.",
};

static int append(struct named_addresses *a, const struct named_address *row)
{
	if (a->nr == a->size) {
		const size_t size = a->size ? 2 * a->size : 1024;
		struct named_address *rows = realloc(a->rows, size * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		a->rows = rows;
		a->size = size;
	}
	a->rows[a->nr++] = *row;
	return 0;
}

static int collect(struct named_addresses *a, const struct model *m, struct frame_symbols *symbols)
{
	struct frame_names *names = frame_names_new(symbols, m);
	int r = names ? 0 : -ENOMEM;

	for (uint32_t i = 1; r == 0 && i < m->frames.nr; i++) {
		const char *symbol = frame_name(names, i);
		const struct loaded_object *object = frame_object(names, i);
		const struct named_address row = {
			.object = object,
			.address = object ? m->frames.rows[i].address - object->bias : 0,
			.symbol = symbol,
		};

		a->nr_frames++;
		a->nr_named += symbol != NULL;
		if (symbol)
			r = append(a, &row);
	}
	frame_names_free(names);
	return r;
}

static int compare_names(const struct name *a, const struct name *b)
{
	const size_t n = a->size < b->size ? a->size : b->size;
	const int difference = a == b ? 0 : memcmp(a->text, b->text, n);

	return difference ? difference : (a->size > b->size) - (a->size < b->size);
}

/* Named objects have both. */
static int compare_objects(const struct loaded_object *a, const struct loaded_object *b)
{
	const int difference = compare_names(a->path, b->path);

	return difference ? difference : compare_names(a->build_id, b->build_id);
}

static int by_object(const void *a, const void *b)
{
	const struct named_address *x = a, *y = b;
	const int difference = compare_objects(x->object, y->object);

	if (difference)
		return difference;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void print(struct named_addresses *a, FILE *out)
{
	const struct named_address *last = NULL;

	fputs("# ttitrace symbols: object TAB build-id TAB path, then address TAB symbol\n", out);
	if (a->nr)
		qsort(a->rows, a->nr, sizeof(*a->rows), by_object);
	for (const struct named_address *row = a->rows; row < a->rows + a->nr; last = row++) {
		const bool is_new = !last || compare_objects(last->object, row->object) != 0;

		if (is_new)
			symbol_file_write_object(out, row->object->build_id,
						 row->object->path->text);
		if (is_new || last->address != row->address)
			symbol_file_write(out, row->address, row->symbol);
	}
}

static const char *why_text(int why)
{
	return why == -ENOENT ? "not here" : why == -ESTALE ? "of another build" : "unreadable";
}

/* Paths are a stranger's text. */
static void tell_failures(const struct frame_symbols *symbols)
{
	const struct terminal plain = { .unicode = false };
	const char *path;
	size_t index = 0;
	int why;

	for (int i = 0; (path = frame_symbols_next_failure(symbols, &index, &why)); i++) {
		if (i == TOLD_MAX) {
			fputs("  ...\n", stderr);
			return;
		}
		fprintf(stderr, "  %s: ", why_text(why));
		terminal_text(&plain, path, SIZE_MAX, false, stderr);
		fputc('\n', stderr);
	}
}

static void tell(const struct named_addresses *a, const struct frame_symbols *symbols)
{
	const struct frame_objects counts = frame_symbols_objects(symbols), *o = &counts;

	fprintf(stderr, "ttitrace symbols: %" PRIu64 " of %" PRIu64 " frames named", a->nr_named,
		a->nr_frames);
	fprintf(stderr,
		"; objects: %" PRIu64 " read, %" PRIu64 " not here, %" PRIu64
		" of another build, %" PRIu64 " unreadable\n",
		o->read, o->missing, o->refused, o->unreadable);
	tell_failures(symbols);
}

static int write_symbols(const struct symbols_options *o, const struct run *run)
{
	struct frame_symbols *symbols = frame_symbols_new();
	struct named_addresses addresses = { 0 };
	struct output output;
	int r = symbols ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < run->nr; i++)
		r = collect(&addresses, &run->traces[i]->model, symbols);
	if (r < 0) {
		diag_set(o->diag, r, "no memory");
		goto out;
	}
	r = output_open(&output, o->path, o->diag);
	if (r < 0)
		goto out;
	print(&addresses, output.file);
	r = output_close(&output, 0, o->diag);
	tell(&addresses, symbols);
out:
	free(addresses.rows);
	frame_symbols_free(symbols);
	return r;
}

int cmd_symbols(int argc, char **argv, struct diag *diag)
{
	struct symbols_options o = { .diag = diag };
	struct classifier *classifier = classifier_new();
	const struct run_setup setup = { .classifier = classifier };
	struct run run = { 0 };
	int r;

	command_parse(&argp, argc, argv, 0, &o);
	r = classifier ? o.err : diag_set(diag, -ENOMEM, "no memory");
	if (r == 0)
		r = run_load(&o.inputs, &setup, &run, diag);
	if (r == 0)
		r = write_symbols(&o, &run);
	if (r == 0 && run.is_damaged)
		r = EXIT_DAMAGED;
	run_clear(&run);
	classifier_free(classifier);
	inputs_free(&o.inputs);
	return r;
}
