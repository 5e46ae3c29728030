/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "figures.h"
#include "foreign.h"
#include "words.h"

enum { OPTION_OUTPUT = 'o', OPTION_FORMAT = 256, OPTION_FORCE };

struct import_options {
	struct foreign_options foreign;
	const char *output; /* NULL: beside nothing, in the current directory */
	char **files;
	size_t nr_files;
};

static const struct argp_option option_table[] = {
	{ .name = "output",
	  .key = OPTION_OUTPUT,
	  .arg = "OUT",
	  .doc = "Write to OUT; a directory, or several FILEs: into it, named as without this. "
		 "Default: the FILE's name, ending in .ttt, in the current directory" },
	{ .name = "format",
	  .key = OPTION_FORMAT,
	  .arg = "torch|nsys",
	  .doc = "What FILE is: JSON of torch.profiler or SQLite of Nsight Systems; else its "
		 "content "
		 "says so" },
	{ .name = "force", .key = OPTION_FORCE, .doc = "Replace files that are there already" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct import_options *o = state->input;
	char **files;

	switch (key) {
	case OPTION_OUTPUT:
		o->output = arg;
		return 0;
	case OPTION_FORMAT:
		o->foreign.format = foreign_by_name(arg);
		if (o->foreign.format == NR_FOREIGN)
			words_refuse(state, "torch|nsys", arg);
		return 0;
	case OPTION_FORCE:
		o->foreign.may_replace = true;
		return 0;
	case ARGP_KEY_ARG:
		files = realloc(o->files, (o->nr_files + 1) * sizeof(*files));
		if (!files)
			return ENOMEM;
		o->files = files;
		o->files[o->nr_files++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which file?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.args_doc = "FILE...",
	.doc = "Make traces of those that other profilers recorded.\vA FILE is the JSON that "
	       "torch.profiler exports (plain, gzip or zstd), or the SQLite export of Nsight "
	       "Systems.  All commands work on the result as far as its content reaches; report "
	       "says what it lacks.",
};

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Without what says how it was made: "run.pt.trace.json.gz" -> "run". */
static size_t stem_length(const char *name)
{
	static const char *const endings[] = { ".gz",     ".zst",     ".json", ".trace",   ".pt",
					       ".sqlite", ".sqlite3", ".db",   ".nsys-rep" };
	size_t n = strlen(name), before;

	do {
		before = n;
		for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
			const size_t length = strlen(endings[i]);

			if (n > length && !memcmp(name + n - length, endings[i], length))
				n -= length;
		}
	} while (n != before);
	return n;
}

/* Owned by the caller; NULL: no memory. */
static char *output_path(const struct import_options *o, const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	const bool is_folder = o->output && (o->nr_files > 1 || is_directory(o->output));
	char *path;

	if (o->output && !is_folder)
		return strdup(o->output);
	if (asprintf(&path, "%s%s%.*s.ttt", is_folder ? o->output : "", is_folder ? "/" : "",
		     (int)stem_length(name), name) < 0)
		return NULL;
	return path;
}

static void print_result(const char *file, const struct foreign_result *r)
{
	if (!r->is_whole)
		fprintf(stderr,
			"ttitrace import: %s: %s at byte %" PRIu64
			": what stands before it is imported\n",
			file, r->why, r->position);
	if (r->nr_skipped)
		fprintf(stderr, "ttitrace import: %s: %s events without a time are left out\n",
			file, figure_count(r->nr_skipped).text);
	if (r->counts.ignored)
		fprintf(stderr,
			"ttitrace import: %s: %s definitions and frames beyond what is kept\n",
			file, figure_count(r->counts.ignored).text);
}

static int import_file(const struct import_options *o, const char *file, struct diag *diag)
{
	char *path = output_path(o, file);
	struct foreign_result result;
	int r;

	if (!path)
		return diag_set(diag, -ENOMEM, "no memory");
	r = foreign_import(file, path, &o->foreign, &result, diag);
	if (r == 0)
		print_result(file, &result);
	free(path);
	return r < 0 ? r : result.is_whole ? EXIT_FINE : EXIT_DAMAGED;
}

int cmd_import(int argc, char **argv, struct diag *diag)
{
	struct import_options o = { .output = NULL };
	int code = EXIT_FINE;

	command_parse(&argp, argc, argv, 0, &o);
	for (size_t i = 0; i < o.nr_files; i++) {
		const int r = import_file(&o, o.files[i], diag);

		if (r < 0)
			fprintf(stderr, "ttitrace import: %s\n", diag->message);
		if (r)
			code = EXIT_DAMAGED;
	}
	free(o.files);
	return code;
}
