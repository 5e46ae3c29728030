/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "command.h"
#include "figures.h"
#include "json_text.h"
#include "record_setup.h"
#include "report.h"

/* As shells say it. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

enum option_type { OPTION_TYPE_TEXT, OPTION_TYPE_NUMBER, OPTION_TYPE_CHOICE };

/* One row of options.def. */
struct record_option {
	enum option_type type;
	const char *variable, *option, *argument, *help;
};

static const struct record_option record_options[] = {
#define OPTION(field, TYPE, def, variable, option, argument, help) \
	{ OPTION_TYPE_##TYPE, variable, option, argument, help },
#include "ttitrace/options.def"
#undef OPTION
};
enum {
#define OPTION(field, TYPE, def, variable, option, argument, help) OPTION_INDEX_##field,
#include "ttitrace/options.def"
#undef OPTION
};
enum { NR_OPTIONS = sizeof(record_options) / sizeof(*record_options) };

enum { OPTION_FIRST = 256, OPTION_JSON = OPTION_FIRST + NR_OPTIONS, OPTION_QUIET };

struct record_arguments {
	char **program; /* and its arguments */
	bool json, quiet;
};

static bool is_word_of(const char *word, const char *words)
{
	const size_t n = strlen(word);

	for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
		if (strcspn(w, "|") == n && !strncmp(w, word, n))
			return true;
	return false;
}

static void check_value(const struct record_option *o, const char *value, struct argp_state *state)
{
	if (o->type == OPTION_TYPE_NUMBER &&
	    (!*value || strspn(value, "0123456789") != strlen(value)))
		argp_error(state, "--%s: '%s' is not a number", o->option, value);
	if (o->type == OPTION_TYPE_CHOICE && !is_word_of(value, o->argument))
		argp_error(state, "--%s: '%s' is not one of %s", o->option, value, o->argument);
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct record_arguments *a = state->input;

	if (key == 'o')
		key = OPTION_FIRST + OPTION_INDEX_output;
	if (key >= OPTION_FIRST && key < OPTION_FIRST + NR_OPTIONS) {
		const struct record_option *o = &record_options[key - OPTION_FIRST];

		check_value(o, arg, state);
		return setenv(o->variable, arg, 1) < 0 ? ENOMEM : 0;
	}
	switch (key) {
	case OPTION_JSON:
		a->json = true;
		return 0;
	case OPTION_QUIET:
		a->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		/* All that follows is the program's. */
		a->program = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which program?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* argp's table from options.def, with the variable named in each help text. */
static void make_option_table(struct argp_option *table, char (*docs)[256])
{
	size_t n = 0;

	for (size_t i = 0; i < NR_OPTIONS; i++) {
		const struct record_option *o = &record_options[i];

		if (!o->option)
			continue;
		snprintf(docs[i], sizeof(docs[i]), "%s (%s)", o->help, o->variable);
		docs[i][0] = (char)toupper((unsigned char)docs[i][0]);
		table[n++] = (struct argp_option){ .name = o->option,
						   .key = OPTION_FIRST + (int)i,
						   .arg = o->argument,
						   .doc = docs[i] };
		if (!strcmp(o->option, "output"))
			table[n++] = (struct argp_option){ .key = 'o', .flags = OPTION_ALIAS };
	}
	table[n++] =
		(struct argp_option){ .name = "json",
				      .key = OPTION_JSON,
				      .doc = "The summary as a JSON object on standard error" };
	table[n++] =
		(struct argp_option){ .name = "quiet", .key = OPTION_QUIET, .doc = "No summary" };
	table[n] = (struct argp_option){ 0 };
}

static const char description[] =
	"Run a program and trace every kernel it launches, in all its processes."
	"\vEach option sets the variable named beside it; the library reads only those, so "
	"LD_PRELOAD=libttitrace.so with the variables does the same.  The exit status is the "
	"program's, 128 + N if signal N ended it, 127 if it was not found, 126 if it cannot be "
	"executed.";

/* The description and the variables that no option sets. */
static void make_description(char *doc, size_t size)
{
	size_t n = (size_t)snprintf(doc, size, "%s", description);

	for (size_t i = 0; i < NR_OPTIONS && n < size; i++)
		if (!record_options[i].option)
			n += (size_t)snprintf(doc + n, size - n, "\n\n%s: %s",
					      record_options[i].variable, record_options[i].help);
}

static void parse(int argc, char **argv, struct record_arguments *ret)
{
	struct argp_option table[NR_OPTIONS + 4];
	char docs[NR_OPTIONS][256];
	char doc[sizeof(description) + 256 * NR_OPTIONS];
	const struct argp argp = {
		.options = table,
		.parser = take_option,
		.args_doc = "[--] PROGRAM [ARGUMENT...]",
		.doc = doc,
	};

	make_option_table(table, docs);
	make_description(doc, sizeof(doc));
	command_parse(&argp, argc, argv, ARGP_IN_ORDER, ret);
}

/* --- the summary ------------------------------------------------------------------------------ */

static void print_losses(const struct run_coverage *c, FILE *out)
{
	for (int k = 0; k < TTI_COUNTER_LIMIT; k++)
		if (c->lost[k])
			fprintf(out, "ttitrace: LOST %s %s: %s\n", figure_count(c->lost[k]).text,
				counter_name(k), counter_meaning(k));
}

static void print_files(const struct run *run, FILE *out)
{
	const size_t shown = run->nr < 8 ? run->nr : 7;

	for (size_t i = 0; i < shown; i++)
		fprintf(out, "ttitrace: %s in %s\n", figure_bytes(run->traces[i]->file_bytes).text,
			run->traces[i]->path);
	if (shown < run->nr)
		fprintf(out, "ttitrace: and %zu more files\n", run->nr - shown);
}

static void print_next(const struct run *run, FILE *out)
{
	fputs("ttitrace: next: ttitrace report", out);
	for (size_t i = 0; i < run->nr && run->nr < 4; i++)
		fprintf(out, " %s", run->traces[i]->path);
	fputc('\n', out);
}

static void print_summary(const struct run *run, FILE *out)
{
	struct run_coverage c;
	struct run_gpu gpu;

	run_coverage(run, &c);
	run_gpu(run, &gpu);
	fprintf(out, "ttitrace: %s launches and %s graph launches in %zu process%s",
		figure_count(c.counted[TTI_COUNTER_LAUNCHES]).text,
		figure_count(c.counted[TTI_COUNTER_GRAPH_LAUNCHES]).text, run->nr,
		run->nr == 1 ? "" : "es");
	if (c.has_device_rows)
		fprintf(out, "; GPU busy %s in %s kernels\n", figure_time(gpu.busy_ns).text,
			figure_count(c.counted[TTI_COUNTER_KERNEL_RECORDS]).text);
	else
		fputs("; no GPU times\n", out);
	print_losses(&c, out);
	if (!c.is_complete)
		fputs("ttitrace: coverage is NOT complete: 'ttitrace check' says why\n", out);
	else if (c.has_device_rows)
		fputs("ttitrace: nothing was lost: every launch has its GPU time\n", out);
	print_files(run, out);
	print_next(run, out);
}

static void print_summary_json(const struct run *run, FILE *out)
{
	struct run_coverage c;
	struct run_gpu gpu;
	json_t *paths = json_array();

	run_coverage(run, &c);
	run_gpu(run, &gpu);
	for (size_t i = 0; i < run->nr; i++)
		json_array_append_new(paths, json_text(run->traces[i]->path));
	json_print(json_pack("{s:o, s:o, s:o, s:o}", "traces", paths, "coverage",
			     report_json_coverage(&c), "losses", report_json_losses(&c), "busy_ns",
			     json_u64(gpu.busy_ns)),
		   0, out);
}

static void summarise(const struct record_arguments *a, const struct record_setup *setup,
		      long begin_s)
{
	struct inputs inputs = { 0 };
	struct run run = { 0 };
	struct classifier *classifier = classifier_new();
	const struct run_setup run_setup = { .classifier = classifier };
	struct diag diag = { .message = "" };

	if (!setup->directory[0]) {
		fputs("ttitrace: the traces are in directories that differ by process\n", stderr);
		classifier_free(classifier);
		return;
	}
	if (inputs_add_run(&inputs, setup->directory, setup->run_id, begin_s, &diag) < 0 ||
	    (inputs.nr && (!classifier || run_load(&inputs, &run_setup, &run, &diag) < 0)))
		fprintf(stderr, "ttitrace: %s\n", diag.message);
	else if (!inputs.nr)
		fputs("ttitrace: no trace was written: no process of the program has used a GPU\n",
		      stderr);
	else if (a->json)
		print_summary_json(&run, stderr);
	else
		print_summary(&run, stderr);
	run_clear(&run);
	classifier_free(classifier);
	inputs_free(&inputs);
}

int cmd_record(int argc, char **argv, struct diag *diag)
{
	struct record_arguments a = { 0 };
	struct record_setup setup = { 0 };
	const long begin_s = time(NULL);
	int r;

	parse(argc, argv, &a);
	r = record_find_library(&setup, diag);
	if (r == 0)
		r = record_set_environment(&setup, diag);
	if (r < 0)
		return r;
	r = child_run(a.program, diag);
	if (r < 0) {
		fprintf(stderr, "ttitrace record: %s\n", diag->message);
		return r == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	if (!a.quiet)
		summarise(&a, &setup, begin_s);
	return r;
}
