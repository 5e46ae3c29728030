/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "damage.h"
#include "figures.h"
#include "json_text.h"
#include "pager.h"
#include "references.h"
#include "report.h"
#include "sizes.h"

enum { OPTION_SIZES = 256, OPTION_SYMBOLS, OPTION_JSON, OPTION_ASCII };

struct check_options {
	struct inputs inputs;
	struct frame_symbols *symbols;
	bool json, sizes, ascii;
	int err;
	struct diag *diag;
};

/* What is found about one trace. */
struct check {
	const struct trace *trace;
	struct run run; /* of this trace alone, borrowed */
	struct run_coverage coverage;
	struct profile profile;
	struct references references;
	struct sizes sizes; /* if asked for */
	bool fine;
};

static const struct argp_option option_table[] = {
	{ .name = "sizes",
	  .key = OPTION_SIZES,
	  .doc = "What the bytes are spent on, by record kind and column" },
	{ .name = "symbols",
	  .key = OPTION_SYMBOLS,
	  .arg = "FILE",
	  .doc = "Names of the functions on native stacks, for traces from elsewhere: what "
		 "'ttitrace symbols' wrote there, may be repeated; none: not from the objects on "
		 "this machine either" },
	{ .name = "ascii", .key = OPTION_ASCII, .doc = "No characters beyond ASCII" },
	{ .name = "json", .key = OPTION_JSON, .doc = "One JSON object a trace, one a line" },
	{ 0 }
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct check_options *o = state->input;

	if (o->err)
		return 0;
	switch (key) {
	case OPTION_SIZES:
		o->sizes = true;
		return 0;
	case OPTION_SYMBOLS:
		if (frame_symbols_read(o->symbols, arg, o->diag) < 0)
			argp_error(state, "%s", o->diag->message);
		return 0;
	case OPTION_ASCII:
		o->ascii = true;
		return 0;
	case OPTION_JSON:
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		o->err = inputs_add(&o->inputs, arg, o->diag);
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
	.args_doc = "TRACE...",
	.doc = "Say whether traces are whole, whether their records fit together, how much of the "
	       "run they cover and how much GPU time no rule explains.\vA TRACE is a file or a "
	       "directory with *.ttt files.  Exit status 1: something is damaged, missing or does "
	       "not add up.",
};

/* A newer writer's records are no fault. */
static bool is_fault(enum problem p)
{
	return p != PROBLEM_unknown_record;
}

static bool is_fine(const struct check *c)
{
	const struct model *m = &c->trace->model;

	for (enum problem p = 0; p < NR_PROBLEMS; p++)
		if (m->problems[p] && is_fault(p))
			return false;
	for (enum reference r = 0; r < NR_REFERENCES; r++)
		if (c->references.dangling[r])
			return false;
	return c->coverage.is_complete;
}

static void print_frames(const struct trace *t, FILE *out)
{
	const struct reader_damage *d = &t->damage;

	fprintf(out, "Frames    %" PRIu64 " whole, %" PRIu64 " records, ", t->nr_frames,
		t->nr_records);
	fprintf(out, "%s in the file, %s inside\n", figure_bytes(t->file_bytes).text,
		figure_bytes(t->content_bytes).text);
	if (d->nr_regions)
		fprintf(out,
			"          DAMAGED: %" PRIu64 " bytes in %" PRIu64
			" places, first at %" PRIu64 "\n",
			d->damaged_bytes, d->nr_regions, d->first_offset);
	if (d->cut_bytes)
		fprintf(out, "          CUT: the last %" PRIu64 " bytes are an unfinished frame\n",
			d->cut_bytes);
}

static void print_problems(const struct model *m, const struct references *refs, FILE *out)
{
	bool any = false;

	for (enum reference r = 0; r < NR_REFERENCES; r++) {
		if (!refs->dangling[r])
			continue;
		fprintf(out, "%-10s%" PRIu64 " undefined ids in %s.%s: no such %s before\n",
			any ? "" : "Records", refs->dangling[r], reference_record(r),
			reference_field(r), reference_space(r));
		any = true;
	}
	for (enum problem p = 0; p < NR_PROBLEMS; p++) {
		if (!m->problems[p])
			continue;
		fprintf(out, "%-10s%" PRIu64 " %s\n", any ? "" : "Records", m->problems[p],
			problem_text(p));
		any = true;
	}
	if (!any)
		fputs("Records   all in order\n", out);
}

static void print_mismatches(const struct trace *t, FILE *out)
{
	for (size_t i = 0; i < t->nr_mismatches; i++)
		fprintf(out,
			"          template %" PRIu64 " is joined to device_template %" PRIu64 "\n",
			t->model.templates.rows[t->mismatches[i].host_template].definition.id,
			t->model.device_templates.rows[t->mismatches[i].device_template]
				.definition.id);
}

static void print_unclassified(const struct check *c, const struct terminal *t, FILE *out)
{
	const struct profile_table *kernels = &c->profile.axes[AXIS_kernel];
	const double share =
		c->profile.time_ns ? (double)c->profile.unknown_ns / (double)c->profile.time_ns : 0;
	size_t shown = 0;

	fprintf(out, "Unknown   %s of the time is in kernels that no rule knows\n",
		figure_share(share).text);
	for (size_t i = 0; i < kernels->nr && shown < 10; i++) {
		const struct profile_row *row = &kernels->rows[i];

		if (row->work->rule || row->work->kind[0] != 'u')
			continue;
		fprintf(out, "%18s  ", figure_share(profile_share(&c->profile, row)).text);
		terminal_text(t, row->work->name->text, t->columns - 20, false, out);
		fputc('\n', out);
		shown++;
	}
}

static void print_conflicts(const struct check *c, const struct terminal *t, FILE *out)
{
	const struct profile *p = &c->profile;
	size_t shown = 0;

	if (!p->conflicts)
		return;
	fprintf(out, "Conflicts %s launches, %s: sources name different operators\n",
		figure_count(p->conflicts).text, figure_time(p->conflicts_ns).text);
	for (size_t i = 0; i < p->nr_items && shown < 10; i++) {
		const struct profile_item *item = &p->items[i];
		const struct assignment *a = &item->assignment;

		if (!a->has_conflict)
			continue;
		fprintf(out, "%18s  %s by %s, against %s: ", figure_time(item->time_ns).text,
			operator_name(a->op), evidence_name(a->evidence),
			evidence_name(a->conflicts_with));
		terminal_text(t, a->work->name->text, 40, false, out);
		fputc('\n', out);
		shown++;
	}
}

static void print_sizes(const struct sizes *s, FILE *out)
{
	fprintf(out, "\n%-34s %12s %12s %14s %9s\n", "bytes", "rows", "plain", "compressed",
		"a row");
	for (size_t i = 0; i < s->nr; i++) {
		const struct size_row *r = &s->rows[i];

		fprintf(out, "%s%-*s %12" PRIu64 " %12" PRIu64 " %14" PRIu64 " %9.2f\n",
			r->column ? "  " : "", r->column ? 32 : 34,
			r->column ? r->column : r->record, r->nr, r->bytes, r->compressed_bytes,
			r->nr ? (double)r->compressed_bytes / (double)r->nr : 0);
	}
}

static void print_check(const struct check *c, const struct terminal *t, FILE *out)
{
	fprintf(out, "%s%s%s: %s\n", terminal_bold(t), c->trace->path, terminal_plain(t),
		c->fine ? "fine" : "NOT fine");
	print_frames(c->trace, out);
	print_problems(&c->trace->model, &c->references, out);
	report_text_coverage(&c->run, &c->coverage, t, out);
	print_mismatches(c->trace, out);
	print_unclassified(c, t, out);
	print_conflicts(c, t, out);
	if (c->sizes.rows)
		print_sizes(&c->sizes, out);
}

static json_t *problems_json(const struct model *m)
{
	json_t *array = json_array();

	for (enum problem p = 0; p < NR_PROBLEMS; p++)
		if (m->problems[p])
			json_array_append_new(array, json_pack("{s:s, s:o, s:s}", "problem",
							       problem_name(p), "count",
							       json_u64(m->problems[p]), "meaning",
							       problem_text(p)));
	return array;
}

static json_t *dangling_json(const struct references *refs)
{
	json_t *array = json_array();

	for (enum reference r = 0; r < NR_REFERENCES; r++)
		if (refs->dangling[r])
			json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:o}", "record",
							       reference_record(r), "field",
							       reference_field(r), "of",
							       reference_space(r), "count",
							       json_u64(refs->dangling[r])));
	return array;
}

static json_t *sizes_json(const struct sizes *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->nr; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:o, s:o, s:o, s:o}", "record",
						s->rows[i].record, "column",
						json_text(s->rows[i].column), "rows",
						json_u64(s->rows[i].nr), "bytes",
						json_u64(s->rows[i].bytes), "compressed_bytes",
						json_u64(s->rows[i].compressed_bytes)));
	return array;
}

static json_t *check_json(const struct check *c)
{
	const struct trace *t = c->trace;
	json_t *object =
		json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "path", json_text(t->path), "fine",
			  c->fine, "frames", json_u64(t->nr_frames), "records",
			  json_u64(t->nr_records), "file_bytes", json_u64(t->file_bytes),
			  "damaged_bytes", json_u64(t->damage.damaged_bytes), "cut_bytes",
			  json_u64(t->damage.cut_bytes));

	json_object_set_new(object, "finished", json_boolean(t->model.has_finish));
	json_object_set_new(object, "problems", problems_json(&t->model));
	json_object_set_new(object, "dangling", dangling_json(&c->references));
	json_object_set_new(object, "coverage", report_json_coverage(&c->coverage));
	json_object_set_new(object, "losses", report_json_losses(&c->coverage));
	json_object_set_new(object, "time_ns", json_u64(c->profile.time_ns));
	json_object_set_new(object, "unknown_ns", json_u64(c->profile.unknown_ns));
	json_object_set_new(object, "conflicts", json_u64(c->profile.conflicts));
	json_object_set_new(object, "conflicts_ns", json_u64(c->profile.conflicts_ns));
	if (c->sizes.rows)
		json_object_set_new(object, "sizes", sizes_json(&c->sizes));
	return object;
}

static void print_text(const struct check *c, const struct terminal *t)
{
	FILE *out = terminal_open(t);

	print_check(c, t, out);
	terminal_close(out);
}

static int check_one(const struct check_options *o, struct run *run, struct trace *trace,
		     bool *ret_fine, struct diag *diag)
{
	struct check c = {
		.trace = trace,
		.run = { .names = run->names, .works = run->works, .traces = &trace, .nr = 1 }
	};
	const struct profile_setup setup = { .symbols = o->symbols };
	struct terminal terminal;
	int r = profile_make(&c.profile, &c.run, &setup, diag);

	if (r < 0)
		return r;
	r = references_check(trace->path, &c.references, diag);
	if (r == 0 && o->sizes)
		r = sizes_measure(trace->path, &c.sizes, diag);
	run_coverage(&c.run, &c.coverage);
	c.fine = is_fine(&c);
	*ret_fine &= c.fine;
	terminal_detect(&terminal, o->ascii);
	if (r == 0 && o->json)
		json_print(check_json(&c), 0, stdout);
	else if (r == 0)
		print_text(&c, &terminal);
	sizes_free(&c.sizes);
	profile_clear(&c.profile);
	return r;
}

static int check(const struct check_options *o, struct diag *diag)
{
	struct classifier *classifier = classifier_new();
	const struct run_setup setup = { .classifier = classifier };
	struct run run = { 0 };
	bool fine = true;
	int r;

	if (!classifier)
		return diag_set(diag, -ENOMEM, "no memory");
	r = run_load(&o->inputs, &setup, &run, diag);
	pager_begin();
	for (size_t i = 0; r == 0 && i < run.nr; i++)
		r = check_one(o, &run, run.traces[i], &fine, diag);
	fine &= !run.is_damaged;
	run_clear(&run);
	classifier_free(classifier);
	if (r < 0)
		return r;
	return fine ? EXIT_FINE : EXIT_DAMAGED;
}

int cmd_check(int argc, char **argv, struct diag *diag)
{
	struct check_options o = { .symbols = frame_symbols_new(), .diag = diag };
	int r;

	if (!o.symbols)
		return diag_set(diag, -ENOMEM, "no memory");
	command_parse(&argp, argc, argv, 0, &o);
	r = o.err < 0 ? o.err : check(&o, diag);
	inputs_free(&o.inputs);
	frame_symbols_free(o.symbols);
	return r;
}
