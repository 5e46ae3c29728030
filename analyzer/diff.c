/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct tally_cut table_cuts[NR_DIFF_TABLES] = {
	[DIFF_operators] = { .cut = CUT_axis, .axis = AXIS_operator },
	[DIFF_kinds] = { .cut = CUT_axis, .axis = AXIS_kind },
	[DIFF_attention] = { .cut = CUT_attention },
	[DIFF_kernels] = { .cut = CUT_axis, .axis = AXIS_kernel },
};

static int compare(const struct diff *d, const struct tally_cut *cut, struct comparison *ret)
{
	struct tally tallies[2] = { 0 };
	int r = 0;

	for (int side = 0; side < 2 && r == 0; side++)
		r = tally_make(&tallies[side], d->sides[side], cut);
	if (r == 0)
		r = comparison_make(ret, &tallies[0], &tallies[1], d->as_is);
	tally_clear(&tallies[0]);
	tally_clear(&tallies[1]);
	return r;
}

/* --- the tree --------------------------------------------------------------------------------- */

static double shared_ns(const struct comparison *c)
{
	double sum_ns = 0;

	/* Of leaves: what stands above them is shared as soon as one of them is. */
	for (uint32_t i = 1; i < c->nr_rows; i++)
		if (!c->rows[i].first_child && c->rows[i].sides[1].sums.launches > 0)
			sum_ns += c->rows[i].sides[0].sums.time_ns;
	return sum_ns;
}

/*
 * Two programs may call the same model from other functions: then the trees are laid on each other
 * from the first object or module on, whichever brings most of A's time together.
 */
static int compare_modules(struct diff *d)
{
	struct tally_cut cut = d->by;
	double best_ns = 0;
	int r = compare(d, &cut, &d->by_table);

	if (r < 0)
		return r;
	best_ns = shared_ns(&d->by_table);
	for (cut.from = FROM_object; cut.from <= FROM_module; cut.from++) {
		struct comparison other = { 0 };

		if (2 * best_ns >= d->by_table.rows[0].sides[0].sums.time_ns)
			break;
		r = compare(d, &cut, &other);
		if (r < 0)
			return r;
		if (shared_ns(&other) > best_ns) {
			best_ns = shared_ns(&other);
			comparison_clear(&d->by_table);
			d->by_table = other;
			d->by.from = cut.from;
		} else {
			comparison_clear(&other);
		}
	}
	return 0;
}

/* --- phases ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), by_value);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

static int measure_wall(const struct phases *phases, const struct name *name, struct diff_wall *ret)
{
	double *spans = calloc(2 * phases->nr + 1, sizeof(*spans));
	double *busy = spans + phases->nr;
	size_t nr = 0;

	*ret = (struct diff_wall){ .is_known = false };
	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < phases->nr; i++) {
		const struct phase *p = &phases->rows[i];

		if (!p->is_gpu_time || p->end_ns < p->begin_ns ||
		    strcmp(p->name->text, name->text) != 0)
			continue;
		spans[nr] = (double)(p->end_ns - p->begin_ns);
		busy[nr++] = (double)p->busy_ns;
	}
	if (nr)
		*ret = (struct diff_wall){ .span_ns = median(spans, nr),
					   .busy_ns = median(busy, nr),
					   .is_known = true };
	free(spans);
	return 0;
}

static int find_phases(struct diff *d)
{
	const struct comparison *c = &d->tables[DIFF_operators];
	int r = 0;

	d->phases = calloc(c->nr_groups, sizeof(*d->phases));
	if (!d->phases)
		return -ENOMEM;
	/* The first group is what is of no phase. */
	for (size_t i = 1; i < c->nr_groups && r == 0; i++) {
		struct diff_phase *phase = &d->phases[d->nr_phases++];

		phase->group = &c->groups[i];
		for (int side = 0; side < 2 && r == 0; side++)
			r = measure_wall(&d->sides[side]->phases, c->groups[i].name,
					 &phase->walls[side]);
	}
	return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

const struct comparison_row *diff_operator(const struct diff *d, enum operator op)
{
	const struct comparison *c = &d->tables[DIFF_operators];

	for (uint32_t i = 1; i < c->nr_rows; i++)
		if (!strcmp(c->rows[i].label->text, operator_name(op)))
			return &c->rows[i];
	return NULL;
}

static void judge_attention(struct diff *d)
{
	const struct comparison_row *all = &d->tables[DIFF_operators].rows[0];
	const struct comparison_row *attention = diff_operator(d, OPERATOR_attention);

	d->gain = comparison_gain(all);
	d->attention_gain = attention ? comparison_gain(attention) : NAN;
	d->attention_share = attention && all->sides[0].sums.time_ns > 0
				     ? attention->sides[0].sums.time_ns / all->sides[0].sums.time_ns
				     : NAN;
	d->attention_expected = comparison_amdahl(d->attention_share, d->attention_gain);
}

/* A trace without launches has neither. */
static bool has_host_time(const struct diff *d, int side)
{
	return d->sides[side]->profile.is_host_time && d->sides[side]->profile.launches;
}

int diff_make(struct diff *d, struct diag *diag)
{
	int r = 0;

	for (int side = 0; side < 2; side++) {
		run_coverage(&d->sides[side]->run, &d->coverage[side]);
		run_gpu(&d->sides[side]->run, &d->gpu[side]);
	}
	if (has_host_time(d, 0) != has_host_time(d, 1))
		return diag_set(diag, -EINVAL,
				"%c has no GPU times and %c has: they cannot be compared",
				has_host_time(d, 0) ? 'A' : 'B', has_host_time(d, 0) ? 'B' : 'A');
	for (int i = 0; i < NR_DIFF_TABLES && r == 0; i++)
		r = compare(d, &table_cuts[i], &d->tables[i]);
	if (r == 0)
		r = find_phases(d);
	if (r == 0 && d->has_by)
		r = d->by.cut == CUT_module ? compare_modules(d) : compare(d, &d->by, &d->by_table);
	if (r < 0)
		return diag_set(diag, r, "no memory");
	judge_attention(d);
	return 0;
}

void diff_clear(struct diff *d)
{
	for (int i = 0; i < NR_DIFF_TABLES; i++)
		comparison_clear(&d->tables[i]);
	if (d->has_by)
		comparison_clear(&d->by_table);
	free(d->phases);
}

/* --- names ------------------------------------------------------------------------------------ */

const char *diff_label(const struct comparison_row *row, bool is_kernel)
{
	const struct profile_item *most =
		row->sides[0].most ? row->sides[0].most : row->sides[1].most;

	return is_kernel && most ? most->assignment.work->name->text : row->shown->text;
}

const char *diff_by_name(const struct tally_cut *by)
{
	switch (by->cut) {
	case CUT_axis:
		return axis_name(by->axis);
	case CUT_attention:
		return axis_name(AXIS_attention);
	case CUT_role:
		return "role";
	case CUT_phase:
		return "phase";
	case CUT_module:
		return "module";
	}
	return NULL;
}

/* --- warnings --------------------------------------------------------------------------------- */

static void warn(struct diff_warnings *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct diff_warnings *w, const char *fmt, ...)
{
	va_list args;

	if (w->nr == DIFF_WARNINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(w->lines[w->nr++], DIFF_WARNING_SIZE, fmt, args);
	va_end(args);
}

static const char *gpu_of(const struct run *run)
{
	for (size_t i = 0; i < run->nr; i++)
		for (size_t k = 0; k < run->traces[i]->model.devices.nr; k++)
			if (run->traces[i]->model.device_names.rows[k])
				return run->traces[i]->model.device_names.rows[k]->text;
	return "not known";
}

static const char *info_of(const struct run *run, const char *key)
{
	const char *value = model_info(&run->traces[0]->model, key);

	return value ? value : "not known";
}

static void warn_of_setting(const struct diff *d, struct diff_warnings *w)
{
	static const char *const keys[] = { "driver.version", "driver.cuda_version" };
	const struct run *a = &d->sides[0]->run, *b = &d->sides[1]->run;

	if (strcmp(gpu_of(a), gpu_of(b)) != 0)
		warn(w, "not the same GPU: %.80s and %.80s", gpu_of(a), gpu_of(b));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(info_of(a, keys[i]), info_of(b, keys[i])) != 0)
			warn(w, "%s differs: %.80s and %.80s", keys[i], info_of(a, keys[i]),
			     info_of(b, keys[i]));
	if (a->nr != b->nr)
		warn(w, "A has %zu processes, B %zu", a->nr, b->nr);
}

static void warn_of_work(const struct diff *d, struct diff_warnings *w)
{
	const struct comparison *c = &d->tables[DIFF_operators];

	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		const double a = c->rows[i].sides[0].sums.flops, b = c->rows[i].sides[1].sums.flops;

		/* One side may have no library calls to count. */
		if (a > 0 && b > 0 && fabs(a - b) > 1e-3 * a)
			warn(w, "not the same work: %s has %.1f GFLOP in A and %.1f in B",
			     c->rows[i].shown->text, 1e-9 * a, 1e-9 * b);
	}
}

void diff_warn(const struct diff *d, struct diff_warnings *ret)
{
	ret->nr = 0;
	for (int side = 0; side < 2; side++) {
		if (d->sides[side]->run.is_damaged)
			warn(ret, "%c is damaged: what is whole of it was compared", 'A' + side);
		else if (d->coverage[side].has_device_rows && !d->coverage[side].is_complete)
			warn(ret, "%c is not complete (ttitrace check says what is missing)",
			     'A' + side);
		if (!d->sides[side]->profile.launches)
			warn(ret, "%c has no launches%s", 'A' + side,
			     d->is_cut ? " in what --focus or --phase leave" : "");
	}
	if (has_host_time(d, 0) || has_host_time(d, 1))
		warn(ret, "no GPU times in these traces: times are the host's in the launching "
			  "calls");
	warn_of_setting(d, ret);
	warn_of_work(d, ret);
}
