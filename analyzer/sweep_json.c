/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "json_text.h"
#include "sweep.h"

static json_t *real_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count_json(double value)
{
	return value == floor(value) && value < 9e15 ? json_integer((json_int_t)value)
						     : json_real(value);
}

static json_t *quantities_json(const struct quantities *q)
{
	json_t *object = json_object();

	for (enum quantity i = 0; i < NR_QUANTITIES; i++)
		json_object_set_new(object, quantity_name(i),
				    q->values[i] > 0 ? count_json(q->values[i]) : json_null());
	return object;
}

static json_t *point_json(const struct sweep_point *p)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:s}", "path", json_text(p->path), "x",
			 count_json(p->x), "found", quantities_json(&p->quantities), "backend",
			 backend_name(p->backend), "gpu", json_text(p->gpu), "complete",
			 p->is_complete, "timing", p->is_host_time ? "host" : "device");
}

static json_t *fit_json(const struct fit *f)
{
	if (!f->nr)
		return json_null();
	return json_pack("{s:o, s:f, s:f, s:o, s:o, s:o}", "points", json_u64(f->nr), "exponent",
			 f->exponent, "log_constant", f->constant, "half_width_95",
			 real_or_null(f->half_width), "worst_residual", real_or_null(f->worst),
			 "exponent_of_last_two", real_or_null(f->last_two));
}

static json_t *prediction_json(const struct prediction *p)
{
	if (!(p->x > 0))
		return json_null();
	return json_pack("{s:o, s:f, s:f, s:f}", "x", count_json(p->x), "measured_ns", p->measured,
			 "predicted_ns", p->predicted, "error", p->predicted / p->measured - 1);
}

static json_t *values_json(const struct sweep_series *s, size_t row)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->nr; i++) {
		const struct sweep_point *p = s->points[i];
		const double fitted = fit_at(&s->time[row], p->x);

		json_array_append_new(array,
				      json_pack("{s:o, s:o, s:o, s:o, s:o}", "x", count_json(p->x),
						"time_ns", count_json(p->time_ns[row]), "flops",
						count_json(p->flops[row]), "fitted_ns",
						real_or_null(fitted), "residual",
						p->time_ns[row] > 0
							? real_or_null(p->time_ns[row] / fitted - 1)
							: json_null()));
	}
	return array;
}

static bool is_empty(const struct sweep_series *s, size_t row)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->points[i]->time_ns[row] > 0)
			return false;
	return true;
}

static json_t *rows_json(const struct sweep_series *s)
{
	json_t *array = json_array();

	for (size_t row = 0; row < NR_SWEEP_ROWS; row++) {
		char name[48];

		if (row != SWEEP_all && is_empty(s, row))
			continue;
		sweep_row_name(row, name);
		json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", name,
						       "time", fit_json(&s->time[row]), "flops",
						       fit_json(&s->flops[row]), "left_out",
						       prediction_json(&s->last[row]), "points",
						       values_json(s, row)));
	}
	return array;
}

static json_t *pairs_json(const struct sweep_series *s)
{
	struct sweep_pair pairs[SWEEP_PAIRS_MAX];
	const size_t nr = sweep_pairs(s, pairs);
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++) {
		char a[48], b[48];

		sweep_row_name(pairs[i].a, a);
		sweep_row_name(pairs[i].b, b);
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:f, s:f, s:b, s:o, s:b}", "of", a,
						"to", b, "by", pairs[i].is_flops ? "flops" : "time",
						"exponent", pairs[i].fit_a->exponent, "exponent_to",
						pairs[i].fit_b->exponent, "differ",
						pairs[i].is_told, "crossing",
						real_or_null(pairs[i].crossing),
						"is_measured_there", pairs[i].is_within));
	}
	return array;
}

static json_t *series_json(const struct sweep_series *s)
{
	json_t *points = json_array();

	for (size_t i = 0; i < s->nr; i++)
		json_array_append_new(points, point_json(s->points[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(s->name), "points", points,
			 "rows", rows_json(s), "pairs", pairs_json(s));
}

json_t *sweep_json(const struct sweep *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->nr_series; i++)
		json_array_append_new(array, series_json(&s->series[i]));
	return json_pack("{s:o, s:o, s:b, s:b, s:o}", "x", json_text(s->x_name), "x_is",
			 json_text(s->x_what), "x_was_given", !s->x_what, "is_scaled", s->is_scaled,
			 "series", array);
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void put_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		/* Names are a stranger's, and this may go to a terminal. */
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
	}
	fputc('"', out);
}

static void put_row(const struct sweep_series *s, size_t row, FILE *out)
{
	char name[48];

	sweep_row_name(row, name);
	for (size_t i = 0; i < s->nr; i++) {
		const struct sweep_point *p = s->points[i];
		const double fitted = fit_at(&s->time[row], p->x);

		put_quoted(s->name ? s->name : "", out);
		fprintf(out, ",%s,%.10g,%.0f,%.0f,", name, p->x, p->time_ns[row], p->flops[row]);
		if (isfinite(fitted))
			fprintf(out, "%.0f,%.6f", fitted, p->time_ns[row] / fitted - 1);
		else
			fputc(',', out);
		fputc(',', out);
		put_quoted(p->path, out);
		fputc('\n', out);
	}
}

void sweep_csv(const struct sweep *s, FILE *out)
{
	fputs("series,row,x,time_ns,flops,fitted_ns,residual,path\n", out);
	for (size_t i = 0; i < s->nr_series; i++)
		for (size_t row = 0; row < NR_SWEEP_ROWS; row++)
			if (row == SWEEP_all || !is_empty(&s->series[i], row))
				put_row(&s->series[i], row, out);
}
