/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace seqlen - attention sequence lengths, over time and as a distribution. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "command.h"
#include "figures.h"
#include "json_text.h"
#include "length_groups.h"
#include "lengths.h"
#include "pager.h"
#include "terminal.h"
#include "words.h"

#define BY "role|phase|module"

enum { OPTION_CSV = 256, OPTION_ROLE, OPTION_TOP, OPTION_BY, OPTION_DEPTH };

struct seqlen_options {
	struct analysis analysis;
	bool csv;
	enum role role; /* NR_ROLES: all */
	bool by_place;  /* modules or phases, as the analysis wants */
	struct length_groups groups;
	size_t top;
	size_t depth; /* of modules, 0: all */
};

static const struct argp_option option_table[] = {
	{ .name = "role", .key = OPTION_ROLE, .arg = "ROLE", .doc = "Only attention of this role" },
	{ .name = "by",
	  .key = OPTION_BY,
	  .arg = BY,
	  .doc = "What sequences are told apart by (role)" },
	{ .name = "depth",
	  .key = OPTION_DEPTH,
	  .arg = "N",
	  .doc = "Levels of modules that --by module tells apart (all)" },
	{ .name = "csv", .key = OPTION_CSV, .doc = "Every attention on a line, in order" },
	{ .name = "top", .key = OPTION_TOP, .arg = "N", .doc = "Rows of the distribution (40)" },
	{ 0 }
};

static enum role role_by_name(const char *name)
{
	enum role r = 0;

	while (r < NR_ROLES && strcmp(role_name(r), name))
		r++;
	return r;
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct seqlen_options *o = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->analysis;
		return 0;
	case OPTION_BY:
		o->analysis.wants_modules = !strcmp(arg, "module");
		o->analysis.wants_phases = !strcmp(arg, "phase");
		o->by_place = o->analysis.wants_modules || o->analysis.wants_phases;
		if (!o->by_place && strcmp(arg, "role") != 0)
			words_refuse(state, BY, arg);
		return 0;
	case OPTION_DEPTH:
		o->depth = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	case OPTION_CSV:
		o->csv = true;
		return 0;
	case OPTION_ROLE:
		o->role = role_by_name(arg);
		if (o->role == NR_ROLES)
			words_refuse(state, "ROLE", arg);
		return 0;
	case OPTION_TOP:
		o->top = strtoul(arg, &end, 10);
		if (*end || end == arg)
			argp_error(state, "'%s' is not a number", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take_option,
	.children = (const struct argp_child[]){ { .argp = &analysis_argp }, { 0 } },
	.args_doc = "[TRACE...]",
	.doc = "Say how long the sequences were that attention worked on: over time, as a "
	       "distribution, by role and backend.\vRoles follow from shapes: one query is decode, "
	       "causal is prefill, other keys than queries are cross, many short sequences "
	       "temporal, an image's side squared and a text length joint, one wide head of an "
	       "image decoder vae, the rest self.",
};

/* Moves the rows of one role to the front. */
static void keep_role(struct lengths *l, enum role role)
{
	size_t nr = 0;

	if (role == NR_ROLES)
		return;
	for (size_t i = 0; i < l->nr; i++)
		if (length_role(&l->rows[i]) == role)
			l->rows[nr++] = l->rows[i];
	l->nr = nr;
}

static double seconds_since_begin(const struct length *l)
{
	return 1e-9 * ((double)l->begin_ns - (double)l->trace->first_ns);
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void print_csv(const struct lengths *l, FILE *out)
{
	fputs("pid,order,seconds,role,backend,exactness,b,h,h_kv,s_q,s_k,d,d_v,causal,type,kernel_"
	      "ns\n",
	      out);
	for (size_t i = 0; i < l->nr; i++) {
		const struct length *row = &l->rows[i];
		const struct attention *a = length_attention(row);

		fprintf(out,
			"%" PRIu64 ",%zu,%.9f,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d,%s,%" PRIu64 "\n",
			row->trace->model.process.pid, i, seconds_since_begin(row),
			role_name(length_role(row)), backend_name(a->backend),
			exactness_name(a->exactness), a->b, a->h, a->h_kv, a->s_q, a->s_k, a->d,
			a->d_v, a->causal, type_name(a->type), row->mean_ns);
	}
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *call_json(const struct length *row)
{
	const struct attention *a = length_attention(row);

	return json_pack("{s:o, s:f, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid",
			 json_u64(row->trace->model.process.pid), "seconds",
			 seconds_since_begin(row), "role", role_name(length_role(row)), "backend",
			 backend_name(a->backend), "exactness", exactness_name(a->exactness), "b",
			 json_u64(a->b), "h", json_u64(a->h), "s_q", json_u64(a->s_q), "s_k",
			 json_u64(a->s_k), "d", json_u64(a->d), "d_v", json_u64(a->d_v), "mean_ns",
			 json_u64(row->mean_ns));
}

static json_t *spans_json(const struct span *span)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "calls", json_u64(span->calls), "shortest",
			 json_u64(span->shortest), "longest", json_u64(span->longest),
			 "level_ratio",
			 span->level_ratio > 0 ? json_real(span->level_ratio) : json_null(), "span",
			 span->shortest ? json_real((double)span->longest / (double)span->shortest)
					: json_null());
}

static json_t *role_json(const struct lengths *l, enum role role)
{
	struct span span;
	json_t *object = json_pack("{s:s}", "role", role_name(role));

	lengths_span(l, role, &span);
	json_object_update_new(object, spans_json(&span));
	return object;
}

/* A module's is its path, which `path` has room for. */
static const char *group_name(const struct seqlen_options *o, const struct length_group *group,
			      char path[MODULES_PATH_MAX])
{
	if (group->name)
		return group->name;
	modules_path(o->analysis.modules, group->node, path, MODULES_PATH_MAX);
	return path;
}

static json_t *groups_json(const struct seqlen_options *o)
{
	json_t *rows = json_array();
	char path[MODULES_PATH_MAX];

	for (size_t i = 0; i < o->groups.nr; i++) {
		const struct length_group *group = &o->groups.rows[i];
		json_t *row = json_pack("{s:o}", "name", json_text(group_name(o, group, path)));

		json_object_update_new(row, spans_json(&group->span));
		json_array_append_new(rows, row);
	}
	return json_pack("{s:s, s:o}", "axis", o->analysis.wants_modules ? "module" : "phase",
			 "rows", rows);
}

static json_t *distribution_row_json(const struct profile_row *row)
{
	const struct attention *a = &row->assignment->attention;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "role",
			 role_name(row->assignment->role), "backend", backend_name(a->backend),
			 "exactness", exactness_name(a->exactness), "b", json_u64(a->b), "h",
			 json_u64(a->h), "s_q", json_u64(a->s_q), "s_k", json_u64(a->s_k), "d",
			 json_u64(a->d), "calls", json_u64(row->attentions), "launches",
			 json_u64(row->launches), "time_ns", json_u64(row->time_ns));
}

static bool is_shown(const struct profile_row *row, enum role role)
{
	return row->assignment->op == OPERATOR_attention && row->assignment->has_attention &&
	       (role == NR_ROLES || row->assignment->role == role);
}

static void print_json(const struct seqlen_options *o, const struct lengths *l, FILE *out)
{
	const struct profile_table *table = &o->analysis.profile.axes[AXIS_attention];
	json_t *calls = json_array(), *spans = json_array(), *distribution = json_array();
	json_t *object;
	struct span span;

	for (size_t i = 0; i < l->nr; i++)
		json_array_append_new(calls, call_json(&l->rows[i]));
	for (enum role r = 0; r < NR_ROLES; r++) {
		lengths_span(l, r, &span);
		if (span.calls)
			json_array_append_new(spans, role_json(l, r));
	}
	for (size_t i = 0; i < table->nr; i++)
		if (is_shown(&table->rows[i], o->role))
			json_array_append_new(distribution, distribution_row_json(&table->rows[i]));
	object = json_pack("{s:o, s:o, s:o, s:o}", "roles", spans, "distribution", distribution,
			   "calls", calls, "calls_left_out", json_u64(l->nr_left_out));
	if (o->by_place)
		json_object_set_new(object, "by", groups_json(o));
	json_print(object, 1, out);
}

/* --- text ------------------------------------------------------------------------------------- */

enum { LEVELS_MAX = 24, BUCKETS_MAX = 120, BAR = 24 };

/* Rows are lengths, powers of two apart; columns are calls in order. */
struct chart {
	uint64_t cells[LEVELS_MAX][BUCKETS_MAX];
	uint64_t most;
	unsigned int lowest, highest;
	size_t nr_buckets;
};

static unsigned int level_of(uint64_t length)
{
	const unsigned int level = length ? 63 - (unsigned int)__builtin_clzll(length) : 0;

	return level < LEVELS_MAX ? level : LEVELS_MAX - 1;
}

/* One query at a time works on keys that grow. */
static uint64_t keys_of_decode(const struct length *l)
{
	return length_role(l) == ROLE_decode ? length_attention(l)->s_k : 0;
}

static uint64_t queries_of(const struct length *l)
{
	return length_attention(l)->s_q;
}

static void make_chart(struct chart *c, const struct lengths *l, size_t columns,
		       uint64_t (*length_of)(const struct length *))
{
	*c = (struct chart){ .lowest = LEVELS_MAX };
	c->nr_buckets = l->nr < columns ? l->nr : columns;
	if (c->nr_buckets > BUCKETS_MAX)
		c->nr_buckets = BUCKETS_MAX;
	for (size_t i = 0; i < l->nr; i++) {
		const uint64_t length = length_of(&l->rows[i]);
		const unsigned int level = level_of(length);
		uint64_t *cell = &c->cells[level][i * c->nr_buckets / l->nr];

		if (!length)
			continue;
		(*cell)++;
		c->most = *cell > c->most ? *cell : c->most;
		c->lowest = level < c->lowest ? level : c->lowest;
		c->highest = level > c->highest ? level : c->highest;
	}
}

static void print_chart(const struct lengths *l, const struct terminal *t, const char *what,
			uint64_t (*length_of)(const struct length *), FILE *out)
{
	static const char marks[] = " .:*#";
	struct chart *c = malloc(sizeof(*c));

	if (!c)
		return;
	make_chart(c, l, t->columns > 30 ? t->columns - 20 : 60, length_of);
	if (c->most)
		fprintf(out, "\n%s%s over calls, first to last%s\n", terminal_bold(t), what,
			terminal_plain(t));
	for (unsigned int level = c->highest + 1; c->most && level-- > c->lowest;) {
		fprintf(out, "%8llu ", 1ull << level);
		for (size_t i = 0; i < c->nr_buckets; i++) {
			const uint64_t n = c->cells[level][i];

			fputc(marks[n ? 1 + 3 * (n - 1) / (c->most > 1 ? c->most - 1 : 1) : 0],
			      out);
		}
		fputc('\n', out);
	}
	free(c);
}

static void print_span(const struct span *span, FILE *out)
{
	fprintf(out, " %9s %9" PRIu64 " %9" PRIu64, figure_count(span->calls).text, span->shortest,
		span->longest);
	if (span->level_ratio > 0)
		fprintf(out, " %8.2fx %8.2fx", span->level_ratio,
			(double)span->longest / (double)span->shortest);
	else
		fprintf(out, " %9s %9s", "-", "-");
}

static void print_roles(const struct lengths *l, const struct terminal *t, FILE *out)
{
	fprintf(out, "\n%s%-16s %9s %9s %9s %9s %9s%s\n", terminal_bold(t), "role", "calls",
		"shortest", "longest", "level", "span", terminal_plain(t));
	for (enum role r = 0; r < NR_ROLES; r++) {
		struct span span;

		lengths_span(l, r, &span);
		if (!span.calls)
			continue;
		fprintf(out, "%-16s", role_name(r));
		print_span(&span, out);
		fputc('\n', out);
	}
}

enum { PATH_MIN = 140 };

/* The end of a path says most. */
static const char *end_of(const char *path, size_t columns)
{
	const size_t length = strlen(path);
	const char *at = length > columns ? path + length - columns : path;

	/* From the next name on. */
	if (at != path && strstr(at, " / "))
		at = strstr(at, " / ") + 3;
	return at;
}

static void print_groups(const struct seqlen_options *o, const struct terminal *t, FILE *out)
{
	const size_t columns = t->columns > 52 + PATH_MIN ? t->columns - 52 : PATH_MIN;
	char path[MODULES_PATH_MAX];

	fprintf(out, "\n%s %9s %9s %9s %9s %9s  %s%s\n", terminal_bold(t), "calls", "shortest",
		"longest", "level", "span", o->analysis.wants_modules ? "module" : "phase",
		terminal_plain(t));
	for (size_t i = 0; i < o->groups.nr && i < o->top; i++) {
		print_span(&o->groups.rows[i].span, out);
		fputs("  ", out);
		terminal_text(t, end_of(group_name(o, &o->groups.rows[i], path), columns), columns,
			      false, out);
		fputc('\n', out);
	}
	if (o->top < o->groups.nr)
		fprintf(out, "and %s more (--top)\n", figure_count(o->groups.nr - o->top).text);
}

static void print_distribution(const struct seqlen_options *o, const struct terminal *t, FILE *out)
{
	const struct profile *p = &o->analysis.profile;
	const struct profile_table *table = &p->axes[AXIS_attention];
	uint64_t calls = 0;
	size_t shown = 0, nr = 0;

	for (size_t i = 0; i < table->nr; i++)
		if (is_shown(&table->rows[i], o->role)) {
			calls += table->rows[i].attentions;
			nr++;
		}
	fprintf(out, "\n%s%-10s %-9s %7s %7s %9s %5s %9s %-*s %10s%s\n", terminal_bold(t), "role",
		"backend", "queries", "keys", "batch", "size", "calls", BAR, "share of calls",
		"time", terminal_plain(t));
	for (size_t i = 0; i < table->nr && shown < o->top; i++) {
		const struct profile_row *row = &table->rows[i];
		const struct attention *a = &row->assignment->attention;
		char batch[48];

		if (!is_shown(row, o->role))
			continue;
		snprintf(batch, sizeof(batch), "%" PRIu64 "x%" PRIu64, a->b, a->h);
		fprintf(out, "%-10.10s %-9s %7" PRIu64 " %7" PRIu64 " %9s %5" PRIu64 " %9s ",
			role_name(row->assignment->role), backend_name(a->backend), a->s_q, a->s_k,
			batch, a->d, figure_count(row->attentions).text);
		terminal_bar(t, calls ? (double)row->attentions / (double)calls : 0, BAR, out);
		fprintf(out, " %10s%s\n", figure_time(row->time_ns).text,
			a->exactness == EXACTNESS_upper_bound ? " (lengths are at most)" : "");
		shown++;
	}
	if (shown < nr)
		fprintf(out, "and %s more (--top)\n", figure_count(nr - shown).text);
}

static void print_text(const struct seqlen_options *o, const struct lengths *l)
{
	const uint64_t *n = o->analysis.profile.attentions;
	struct terminal t;
	FILE *out;

	terminal_detect(&t, o->analysis.ascii);
	out = terminal_open(&t);
	fprintf(out, "Attention %s calls; of all, %s exact, %s upper bounds, %s not known\n",
		figure_count(l->nr).text, figure_count(n[EXACTNESS_exact]).text,
		figure_count(n[EXACTNESS_upper_bound]).text,
		figure_count(n[EXACTNESS_unknown]).text);
	if (l->nr_left_out)
		fprintf(out, "Note      %s later calls are only in the distribution\n",
			figure_count(l->nr_left_out).text);
	if (!l->nr)
		goto out;
	if (o->by_place)
		print_groups(o, &t, out);
	else
		print_roles(l, &t, out);
	print_distribution(o, &t, out);
	print_chart(l, &t, "queries", queries_of, out);
	print_chart(l, &t, "keys of decode", keys_of_decode, out);
out:
	terminal_close(out);
}

int cmd_seqlen(int argc, char **argv, struct diag *diag)
{
	struct seqlen_options o = { .role = NR_ROLES, .top = 40 };
	struct lengths lengths = { 0 };
	int r = analysis_init(&o.analysis, diag);

	if (r < 0)
		return r;
	command_parse(&argp, argc, argv, 0, &o);
	r = analysis_load(&o.analysis, "seqlen");
	if (r == 0 && lengths_make(&lengths, &o.analysis.run, &o.analysis.profile) < 0)
		r = diag_set(diag, -ENOMEM, "no memory");
	if (r == 0)
		keep_role(&lengths, o.role);
	if (r == 0 && o.by_place &&
	    length_groups_make(&o.groups, &o.analysis, &lengths, o.depth) < 0)
		r = diag_set(diag, -ENOMEM, "no memory");
	if (r == 0) {
		pager_begin();
		if (o.analysis.json)
			print_json(&o, &lengths, stdout);
		else if (o.csv)
			print_csv(&lengths, stdout);
		else
			print_text(&o, &lengths);
		r = analysis_exit_code(&o.analysis);
	}
	length_groups_clear(&o.groups);
	lengths_clear(&lengths);
	analysis_clear(&o.analysis);
	return r;
}
