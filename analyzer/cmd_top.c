/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis.h"
#include "command.h"
#include "report.h"
#include "screen.h"
#include "words.h"

enum { OPTION_BY = 256, OPTION_INTERVAL = 'n', OPTION_COUNT = 'c' };

#define INTERVAL_MIN_S 0.1

struct top_options {
	struct analysis analysis; /* the options; each round has one of its own */
	char **words;             /* traces, folders, process ids */
	size_t nr_words;
	enum axis by;
	double interval_s;
	uint64_t count; /* rounds, 0: until the run is over */
};

static const struct argp_option option_table[] = {
	{ .name = "by", .key = OPTION_BY, .arg = "AXIS", .doc = "One table, by an AXIS" },
	{ .name = "interval",
	  .key = OPTION_INTERVAL,
	  .arg = "SECONDS",
	  .doc = "From one look to the next (2)" },
	{ .name = "count",
	  .key = OPTION_COUNT,
	  .arg = "N",
	  .doc = "End after N looks; default: when the run is over, or at Ctrl-C" },
	{ 0 }
};

static int add_word(struct top_options *o, char *word)
{
	char **words = realloc(o->words, (o->nr_words + 1) * sizeof(*words));

	if (!words)
		return ENOMEM;
	o->words = words;
	o->words[o->nr_words++] = word;
	return 0;
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct top_options *o = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_BY:
		o->by = o->analysis.by = axis_by_name(arg);
		if (o->by == NR_AXES)
			words_refuse(state, "AXIS", arg);
		return 0;
	case OPTION_INTERVAL:
		o->interval_s = strtod(arg, &end);
		if (*end || end == arg || !(o->interval_s >= INTERVAL_MIN_S))
			argp_error(state, "'%s' is no number of seconds from 0.1 on", arg);
		return 0;
	case OPTION_COUNT:
		o->count = strtoull(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	case ARGP_KEY_ARG:
		return add_word(o, arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_evidence_argp }, { 0 } },
	.args_doc = "[PID|TRACE...]",
	.doc = "The report of a run while it is running, from the growing trace, over and over.\vA "
	       "PID is a process that is being recorded, a TRACE a file or a directory with *.ttt "
	       "files.  Without any, the traces of the newest run in the current directory.  Where "
	       "standard output is no terminal, each look is printed below the one before.",
};

/* --- which traces ----------------------------------------------------------------------------- */

static bool is_pid(const char *word)
{
	return *word && !word[strspn(word, "0123456789")] && access(word, F_OK) < 0;
}

/* The traces that a process has open: its own. */
static int add_process(struct inputs *in, const char *pid, struct diag *diag)
{
	static const char ending[] = ".ttt";
	char folder[64], path[4096];
	const struct dirent *entry;
	DIR *dir;
	int r = -ENOENT;

	snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
	dir = opendir(folder);
	if (!dir)
		return diag_set(diag, -ENOENT, "process %s: %s", pid, strerror(errno));
	while ((entry = readdir(dir))) {
		const ssize_t n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);

		if (n < (ssize_t)sizeof(ending))
			continue;
		path[n] = '\0';
		if (!strcmp(path + n - (sizeof(ending) - 1), ending))
			r = inputs_add(in, path, diag);
	}
	closedir(dir);
	return r == -ENOENT ? diag_set(diag, r, "process %s writes no trace", pid) : r;
}

static int find_traces(const struct top_options *o, struct inputs *in, struct diag *diag)
{
	int r = 0;

	if (!o->nr_words)
		return inputs_add_newest(in, ".", diag);
	for (size_t i = 0; i < o->nr_words && r == 0; i++)
		r = is_pid(o->words[i]) ? add_process(in, o->words[i], diag)
					: inputs_add(in, o->words[i], diag);
	return r;
}

/* --- one look --------------------------------------------------------------------------------- */

static bool is_over(const struct run *run)
{
	for (size_t i = 0; i < run->nr; i++)
		if (!run->traces[i]->model.has_finish)
			return false;
	return true;
}

static void print_look(const struct top_options *o, const struct analysis *a, bool over, FILE *out)
{
	struct report report = {
		.run = &a->run,
		.profile = &a->profile,
		.by = o->by,
		.objects = frame_symbols_objects(a->symbols),
		.top = 20,
	};
	struct terminal terminal;
	char now[16];
	const time_t t = time(NULL);
	struct tm tm;

	run_coverage(&a->run, &report.coverage);
	run_gpu(&a->run, &report.gpu);
	terminal_detect(&terminal, o->analysis.ascii);
	strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&t, &tm));
	fprintf(out, "%sttitrace top%s  %s  %s\n", terminal_bold(&terminal),
		terminal_plain(&terminal), now,
		over ? "the run is over" : "running: what is below is not all yet");
	report_text(&report, &terminal, out);
}

/* The traces of now as text; *ret_over: there will be no more.  -ENOENT: there are none yet. */
static int look(const struct top_options *o, FILE *out, bool *ret_over, struct diag *diag)
{
	struct analysis a;
	int r;

	analysis_share(&a, &o->analysis);
	a.diag = diag;
	r = find_traces(o, &a.inputs, diag);
	if (r == 0)
		r = analysis_load(&a, NULL);
	if (r == 0) {
		*ret_over = is_over(&a.run);
		print_look(o, &a, *ret_over, out);
	}
	analysis_clear(&a);
	return r;
}

/* Text of the look in *ret, owned by the caller, also where there was nothing to be seen. */
static int look_as_text(const struct top_options *o, char **ret, bool *ret_over, struct diag *diag)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);
	int r;

	if (!out)
		return diag_set(diag, -ENOMEM, "no memory");
	r = look(o, out, ret_over, diag);
	if (r == -ENOENT)
		fprintf(out, "%s: waiting\n", diag->message);
	if (fclose(out))
		return diag_set(diag, -ENOMEM, "no memory");
	return r;
}

/* Until the run is over, the looks are done, or somebody has enough; the last error. */
static int watch(const struct top_options *o, struct screen *screen, struct diag *diag)
{
	bool over = false;
	int r = 0;

	for (uint64_t i = 1; !over; i++) {
		char *text = NULL;

		r = look_as_text(o, &text, &over, diag);
		if (text && (r == 0 || r == -ENOENT))
			screen_show(screen, text);
		free(text);
		if ((r < 0 && r != -ENOENT) || over || i == o->count ||
		    !screen_wait(screen, o->interval_s))
			break;
	}
	return r;
}

int cmd_top(int argc, char **argv, struct diag *diag)
{
	struct top_options o = { .by = NR_AXES, .interval_s = 2 };
	struct screen screen;
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	o.analysis.has_own_arguments = true;
	command_parse(&argp, argc, argv, 0, &o);
	r = o.analysis.err;
	if (r == 0) {
		screen_begin(&screen);
		r = watch(&o, &screen, diag);
		screen_end(&screen);
	}
	free(o.words);
	analysis_clear(&o.analysis);
	return r < 0 ? r : EXIT_FINE;
}
