/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void sweep_row_name(size_t row, char ret[48])
{
	if (row == SWEEP_all)
		snprintf(ret, 48, "all");
	else if (row < SWEEP_roles)
		snprintf(ret, 48, "%s", operator_name((enum operator)(row - SWEEP_operators)));
	else
		snprintf(ret, 48, "attention/%s", role_name((enum role)(row - SWEEP_roles)));
}

double sweep_value(const struct sweep_point *p, size_t row, bool is_flops)
{
	return is_flops ? p->flops[row] : p->time_ns[row];
}

/* --- points ----------------------------------------------------------------------------------- */

static uint64_t count_phases(const struct phases *p, const char *name)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->nr; i++)
		n += !strcmp(p->rows[i].name->text, name);
	return n;
}

static uint64_t reference_count(const struct sweep_reference *r, const char *name)
{
	for (size_t i = 0; i < r->nr; i++)
		if (!strcmp(r->groups[i].name, name))
			return r->groups[i].count;
	return 0;
}

static int add_reference(struct sweep_reference *r, const struct phases *p)
{
	enum { NAMES_MAX = 256 };

	r->groups = calloc(NAMES_MAX, sizeof(*r->groups));
	if (!r->groups)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr && r->nr < NAMES_MAX; i++) {
		const char *name = p->rows[i].name->text;

		if (reference_count(r, name))
			continue;
		r->groups[r->nr].name = strdup(name);
		if (!r->groups[r->nr].name)
			return -ENOMEM;
		r->groups[r->nr++].count = count_phases(p, name);
	}
	return 0;
}

/* How often the phases of each name count; by index and 1. */
static double *weigh_phases(const struct sweep *s, const struct phases *p)
{
	double *weights = calloc(p->nr + 1, sizeof(*weights));
	const struct name *last = NULL;
	double weight = 1;

	if (!weights)
		return NULL;
	weights[0] = 1;
	for (size_t i = 0; i < p->nr; i++) {
		/* Those of one name mostly stand side by side. */
		if (p->rows[i].name != last) {
			const char *name = p->rows[i].name->text;
			const uint64_t n = s->as_is ? 0 : reference_count(&s->reference, name);

			last = p->rows[i].name;
			weight = n ? (double)n / (double)count_phases(p, name) : 1;
		}
		weights[i + 1] = weight;
	}
	return weights;
}

struct adding {
	struct sweep_point *point;
	const struct analysis *analysis;
	const double *weights;
	double by_backend[NR_BACKENDS];
};

static void add_to_row(struct sweep_point *p, size_t row, const struct profile_part *part,
		       double weight)
{
	const struct assignment *a = &part->item->assignment;

	p->time_ns[row] += weight * (double)part->time_ns;
	if (a->has_cost)
		p->flops[row] += weight * (double)part->launches * a->cost.flops;
}

static int add_part(void *context, const struct profile_part *part)
{
	struct adding *adding = context;
	struct sweep_point *p = adding->point;
	const struct analysis *a = adding->analysis;
	const struct assignment *as = &part->item->assignment;
	const uint32_t phase =
		a->phases.nr ? phases_of_segment(&a->phases, part->item->trace, part->segment) : 0;
	const double weight = adding->weights[phase];

	add_to_row(p, SWEEP_all, part, weight);
	add_to_row(p, SWEEP_operators + as->op, part, weight);
	if (as->op != OPERATOR_attention || !as->has_attention)
		return 0;
	add_to_row(p, SWEEP_roles + as->role, part, weight);
	if (as->role != ROLE_vae)
		adding->by_backend[as->attention.backend] += weight * (double)part->time_ns;
	return 0;
}

static int add_work(struct sweep_point *p, const struct analysis *a, const double *weights)
{
	struct adding adding = { .point = p, .analysis = a, .weights = weights };
	const int r = profile_each_part(&a->profile, add_part, &adding);

	for (enum backend b = 0; b < NR_BACKENDS; b++)
		if (adding.by_backend[b] > adding.by_backend[p->backend])
			p->backend = b;
	return r;
}

static void see_run(struct sweep_point *p, const struct run *run)
{
	const struct model *m = &run->traces[0]->model;
	struct run_coverage coverage;

	run_coverage(run, &coverage);
	p->is_complete = coverage.is_complete && !run->is_damaged;
	snprintf(p->gpu, sizeof(p->gpu), "%s",
		 m->device_names.nr && m->device_names.rows[0] ? m->device_names.rows[0]->text
							       : "not known");
}

int sweep_add(struct sweep *s, const struct analysis *a, const char *path, const char *series)
{
	struct sweep_point *points = realloc(s->points, (s->nr + 1) * sizeof(*points));
	struct sweep_point *p;
	double *weights;
	int r;

	if (!points)
		return -ENOMEM;
	s->points = points;
	p = &points[s->nr];
	*p = (struct sweep_point){ .path = strdup(path),
				   .series = series ? strdup(series) : NULL,
				   .is_host_time = a->profile.is_host_time };
	s->nr++;
	if (!p->path || (series && !p->series))
		return -ENOMEM;
	if (s->nr == 1 && add_reference(&s->reference, &a->phases) < 0)
		return -ENOMEM;
	weights = weigh_phases(s, &a->phases);
	if (!weights)
		return -ENOMEM;
	for (size_t i = 0; i <= a->phases.nr; i++)
		s->is_scaled |= weights[i] != 1;
	r = add_work(p, a, weights);
	quantities_find(a, &p->quantities);
	see_run(p, &a->run);
	free(weights);
	return r;
}

/* --- x ---------------------------------------------------------------------------------------- */

static void range_text(const struct sweep *s, enum quantity q, char *ret, size_t size)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < s->nr; i++) {
		const double value = s->points[i].quantities.values[q];

		least = value < least ? value : least;
		most = value > most ? value : most;
	}
	snprintf(ret, size, "%s (%.6g..%.6g)", quantity_name(q), least, most);
}

static int refuse_many(const struct sweep *s, const enum quantity *found, size_t nr,
		       struct diag *diag)
{
	char text[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < nr && used + 64 < sizeof(text); i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", i ? ", " : "");
		range_text(s, found[i], text + used, sizeof(text) - used);
		used = strlen(text);
	}
	return diag_set(diag, -EINVAL, "more than one thing varies: %s; choose one with --x NAME",
			text);
}

static int use_quantity(struct sweep *s, enum quantity q)
{
	snprintf(s->x_name, sizeof(s->x_name), "%s", quantity_name(q));
	s->x_what = quantity_what(q);
	for (size_t i = 0; i < s->nr; i++)
		s->points[i].x = s->points[i].quantities.values[q];
	return 0;
}

static int find_x(struct sweep *s, struct diag *diag)
{
	struct quantities *runs = calloc(s->nr, sizeof(*runs));
	enum quantity found[NR_QUANTITIES];
	size_t nr;

	if (!runs)
		return diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < s->nr; i++)
		runs[i] = s->points[i].quantities;
	nr = quantities_that_vary(runs, s->nr, found);
	free(runs);
	if (nr == 1)
		return use_quantity(s, found[0]);
	if (nr)
		return refuse_many(s, found, nr, diag);
	return diag_set(diag, -EINVAL,
			"nothing that was looked for varies from trace to trace (image size, "
			"frames, batch, steps, text, tokens); give it with --x NAME=V1,V2,...");
}

static int choose_x(struct sweep *s, const char *name, struct diag *diag)
{
	const enum quantity q = quantity_by_name(name, strlen(name));

	if (q == NR_QUANTITIES)
		return diag_set(diag, -EINVAL,
				"--x %s: not image, frames, batch, steps, text or tokens; what is "
				"not in the traces is given as --x %s=V1,V2,...",
				name, name);
	for (size_t i = 0; i < s->nr; i++)
		if (!(s->points[i].quantities.values[q] > 0))
			return diag_set(diag, -EINVAL, "%s: does not say its %s", s->points[i].path,
					quantity_name(q));
	return use_quantity(s, q);
}

/* As many values as points, or as points of each series. */
static int give_x(struct sweep *s, const char *text, const char *values, struct diag *diag)
{
	double *given = calloc(s->nr + 1, sizeof(*given));
	size_t nr = 0;
	int r = 0;

	if (!given)
		return diag_set(diag, -ENOMEM, "no memory");
	snprintf(s->x_name, sizeof(s->x_name), "%.*s", (int)(values - 1 - text), text);
	for (const char *at = values; r == 0; at++) {
		char *end;
		const double value = strtod(at, &end);

		if (end == at || (*end && *end != ',') || !(value > 0) || !isfinite(value))
			r = diag_set(diag, -EINVAL, "--x %s: '%s' is no number above 0", text, at);
		else if (nr == s->nr)
			r = diag_set(diag, -EINVAL, "--x %s: more values than traces (%zu)", text,
				     s->nr);
		else
			given[nr++] = value;
		at = end;
		if (!*at)
			break;
	}
	if (r == 0 && s->nr % nr)
		r = diag_set(diag, -EINVAL, "--x %s: %zu values for %zu traces", text, nr, s->nr);
	for (size_t i = 0; r == 0 && i < s->nr; i++)
		s->points[i].x = given[i % nr];
	free(given);
	return r;
}

static int find_values(struct sweep *s, const char *x, struct diag *diag)
{
	const char *equals = x ? strchr(x, '=') : NULL;

	if (!x)
		return find_x(s, diag);
	return equals ? give_x(s, x, equals + 1, diag) : choose_x(s, x, diag);
}

/* --- series ----------------------------------------------------------------------------------- */

static bool is_named(const struct sweep *s)
{
	bool any = false;

	for (size_t i = 0; i < s->nr; i++)
		any |= s->points[i].series != NULL;
	return any;
}

/* Two backends at one place, as before and after flash attention. */
static bool differs_in_backend(const struct sweep *s)
{
	for (size_t i = 0; i < s->nr; i++)
		for (size_t k = 0; k < i; k++)
			if (s->points[i].x == s->points[k].x &&
			    s->points[i].backend != s->points[k].backend)
				return true;
	return false;
}

static int name_points(struct sweep *s, enum sweep_group group)
{
	if (group == GROUP_none ||
	    (group == GROUP_found && (is_named(s) || !differs_in_backend(s))))
		return 0;
	for (size_t i = 0; i < s->nr; i++) {
		free(s->points[i].series);
		s->points[i].series = strdup(backend_name(s->points[i].backend));
		if (!s->points[i].series)
			return -ENOMEM;
	}
	return 0;
}

static int by_x(const void *a, const void *b)
{
	const struct sweep_point *x = *(const struct sweep_point *const *)a;
	const struct sweep_point *y = *(const struct sweep_point *const *)b;

	if (x->x != y->x)
		return x->x < y->x ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool has_name(const struct sweep_series *series, const struct sweep_point *p)
{
	return !series->name || !p->series ? !series->name && !p->series
					   : !strcmp(series->name, p->series);
}

static int place_point(struct sweep *s, const struct sweep_point *p)
{
	size_t i = 0;

	while (i < s->nr_series && !has_name(&s->series[i], p))
		i++;
	if (i == s->nr_series) {
		s->series[i] = (struct sweep_series){ .name = p->series,
						      .points = calloc(s->nr, sizeof(void *)) };
		if (!s->series[i].points)
			return -ENOMEM;
		s->nr_series++;
	}
	s->series[i].points[s->series[i].nr++] = p;
	return 0;
}

static int fit_series(struct sweep_series *series)
{
	double *x = calloc(3 * series->nr, sizeof(*x));
	double *time = x + series->nr, *flops = time + series->nr;

	if (!x)
		return -ENOMEM;
	qsort(series->points, series->nr, sizeof(*series->points), by_x);
	for (size_t row = 0; row < NR_SWEEP_ROWS; row++) {
		for (size_t i = 0; i < series->nr; i++) {
			x[i] = series->points[i]->x;
			time[i] = series->points[i]->time_ns[row];
			flops[i] = series->points[i]->flops[row];
		}
		fit_power(x, time, series->nr, &series->time[row]);
		fit_power(x, flops, series->nr, &series->flops[row]);
		fit_predict_last(x, time, series->nr, &series->last[row]);
	}
	free(x);
	return 0;
}

static bool has_range(const struct sweep *s)
{
	for (size_t i = 1; i < s->nr; i++)
		if (s->points[i].x != s->points[0].x)
			return true;
	return false;
}

int sweep_finish(struct sweep *s, const char *x, enum sweep_group group, struct diag *diag)
{
	int r = find_values(s, x, diag);

	if (r < 0)
		return r;
	if (!has_range(s))
		return diag_set(diag, -EINVAL, "%s is the same in all traces (%.6g)", s->x_name,
				s->points[0].x);
	r = name_points(s, group);
	if (r == 0) {
		s->series = calloc(s->nr, sizeof(*s->series));
		r = s->series ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < s->nr && r == 0; i++)
		r = place_point(s, &s->points[i]);
	for (size_t i = 0; i < s->nr_series && r == 0; i++)
		r = fit_series(&s->series[i]);
	return r < 0 ? diag_set(diag, r, "no memory") : 0;
}

void sweep_clear(struct sweep *s)
{
	for (size_t i = 0; i < s->nr_series; i++)
		free(s->series[i].points);
	free(s->series);
	for (size_t i = 0; i < s->nr; i++) {
		free(s->points[i].path);
		free(s->points[i].series);
	}
	free(s->points);
	for (size_t i = 0; i < s->reference.nr; i++)
		free(s->reference.groups[i].name);
	free(s->reference.groups);
	*s = (struct sweep){ 0 };
}

/* --- pairs ------------------------------------------------------------------------------------ */

static bool make_pair(const struct sweep_series *s, size_t a, size_t b, bool is_flops,
		      struct sweep_pair *ret)
{
	const struct fit *fits = is_flops ? s->flops : s->time;
	const double first = s->points[0]->x, last = s->points[s->nr - 1]->x;

	*ret = (struct sweep_pair){
		.a = a, .b = b, .is_flops = is_flops, .fit_a = &fits[a], .fit_b = &fits[b]
	};
	if (!fits[a].nr || !fits[b].nr)
		return false;
	ret->is_told =
		fabs(fits[a].exponent - fits[b].exponent) > fits[a].half_width + fits[b].half_width;
	ret->crossing = fit_crossing(&fits[a], &fits[b]);
	ret->is_within = ret->crossing >= first && ret->crossing <= last;
	return true;
}

size_t sweep_pairs(const struct sweep_series *s, struct sweep_pair ret[SWEEP_PAIRS_MAX])
{
	static const size_t pairs[][2] = {
		{ SWEEP_operators + OPERATOR_attention, SWEEP_operators + OPERATOR_convolution },
		{ SWEEP_roles + ROLE_temporal, SWEEP_roles + ROLE_self },
	};
	size_t nr = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (int is_flops = 0; is_flops < 2; is_flops++)
			nr += make_pair(s, pairs[i][0], pairs[i][1], is_flops, &ret[nr]);
	return nr;
}
