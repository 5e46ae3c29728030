/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "diff.h"
#include "json_text.h"
#include "report.h"

static json_t *real_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* Of B they are as often as A's: then they need not be whole. */
static json_t *number(double value)
{
	return value == floor(value) && value < 9e15 ? json_integer((json_int_t)value)
						     : json_real(value);
}

static json_t *name_json(const struct name *name)
{
	return name ? json_bytes(name->text, name->size) : json_null();
}

static json_t *run_json(const struct diff *d, int side)
{
	const struct run *run = &d->sides[side]->run;
	const struct trace *first = run->traces[0];
	char *command = report_command(first);
	json_t *gpus = json_array(), *value;

	for (size_t i = 0; i < first->model.devices.nr; i++)
		json_array_append_new(gpus, name_json(first->model.device_names.rows[i]));
	value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "command",
			  json_text(command), "gpus", gpus, "processes", json_u64(run->nr),
			  "wall_ns", json_u64(run_wall_ns(run)), "span_ns",
			  json_u64(d->gpu[side].span_ns), "busy_ns", json_u64(d->gpu[side].busy_ns),
			  "idle_ns", json_u64(d->gpu[side].idle_ns), "complete",
			  d->coverage[side].is_complete && d->coverage[side].has_device_rows,
			  "damaged", run->is_damaged);
	free(command);
	return value;
}

static json_t *side_json(const struct comparison_side *side)
{
	return json_pack("{s:o, s:o, s:o}", "time_ns", number(side->sums.time_ns), "launches",
			 number(side->sums.launches), "flops", number(side->sums.flops));
}

static json_t *row_json(const struct comparison_row *row, bool is_kernel)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "name",
			  json_text(diff_label(row, is_kernel)), "a", side_json(&row->sides[0]),
			  "b", side_json(&row->sides[1]), "change_ns",
			  number(comparison_change_ns(row)), "speed_up",
			  real_or_null(comparison_gain(row)), "noise_ns",
			  real_or_null(row->noise_ns), "is_noise", comparison_is_noise(row));

	if (is_kernel)
		json_object_set_new(object, "mangled", name_json(row->label));
	return object;
}

static bool is_empty(const struct comparison_row *row)
{
	return row->sides[0].sums.launches <= 0 && row->sides[1].sums.launches <= 0;
}

static json_t *rows_json(const struct comparison *c, bool is_kernel)
{
	json_t *array = json_array();

	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next)
		if (!is_empty(&c->rows[i]))
			json_array_append_new(array, row_json(&c->rows[i], is_kernel));
	return array;
}

/* A tree may be as deep as a stranger's paths. */
static json_t *tree_json(const struct comparison *c, uint32_t parent, size_t level)
{
	enum { LEVELS_MAX = 128 };
	json_t *array = json_array();

	for (uint32_t i = level < LEVELS_MAX ? c->rows[parent].first_child : 0; i;
	     i = c->rows[i].next) {
		json_t *object;

		if (is_empty(&c->rows[i]))
			continue;
		object = row_json(&c->rows[i], false);
		json_object_set_new(object, "children", tree_json(c, i, level + 1));
		json_array_append_new(array, object);
	}
	return array;
}

static const char *backend_of(const struct comparison_side *side)
{
	return side->most && side->most->assignment.has_attention
		       ? backend_name(side->most->assignment.attention.backend)
		       : NULL;
}

static json_t *attention_json(const struct diff *d)
{
	const struct comparison *c = &d->tables[DIFF_attention];
	json_t *array = json_array();

	for (uint32_t i = c->rows[0].first_child; i; i = c->rows[i].next) {
		json_t *object = row_json(&c->rows[i], false);
		static const char *const names[] = { "a", "b" };

		for (int side = 0; side < 2; side++) {
			json_t *at = json_object_get(object, names[side]);

			json_object_set_new(at, "backend",
					    json_text(backend_of(&c->rows[i].sides[side])));
			json_object_set_new(at, "calls",
					    number(c->rows[i].sides[side].sums.attentions));
		}
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *wall_json(const struct diff_phase *phase, int side)
{
	const struct diff_wall *wall = &phase->walls[side];

	return json_pack("{s:o, s:o, s:o}", "count", json_u64(phase->group->counts[side]),
			 "wall_ns_median", wall->is_known ? number(wall->span_ns) : json_null(),
			 "busy_ns_median", wall->is_known ? number(wall->busy_ns) : json_null());
}

static json_t *phases_json(const struct diff *d)
{
	json_t *array = json_array();

	for (size_t i = 0; i < d->nr_phases; i++)
		json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:f}", "name",
						       name_json(d->phases[i].group->name), "a",
						       wall_json(&d->phases[i], 0), "b",
						       wall_json(&d->phases[i], 1), "weight_of_b",
						       d->phases[i].group->weight));
	return array;
}

static json_t *warnings_json(const struct diff *d)
{
	struct diff_warnings warnings;
	json_t *array = json_array();

	diff_warn(d, &warnings);
	for (size_t i = 0; i < warnings.nr; i++)
		json_array_append_new(array, json_text(warnings.lines[i]));
	return array;
}

json_t *diff_json(const struct diff *d)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "a", run_json(d, 0),
			  "b", run_json(d, 1), "warnings", warnings_json(d), "b_is_scaled",
			  d->tables[DIFF_operators].is_scaled, "total",
			  row_json(&d->tables[DIFF_operators].rows[0], false), "phases",
			  phases_json(d), "operators", rows_json(&d->tables[DIFF_operators], false),
			  "kinds", rows_json(&d->tables[DIFF_kinds], false), "attention",
			  attention_json(d), "kernels", rows_json(&d->tables[DIFF_kernels], true));

	json_object_set_new(object, "amdahl",
			    json_pack("{s:o, s:o, s:o, s:o}", "attention_share",
				      real_or_null(d->attention_share), "attention_speed_up",
				      real_or_null(d->attention_gain), "expected_speed_up",
				      real_or_null(d->attention_expected), "speed_up",
				      real_or_null(d->gain)));
	if (d->has_by)
		json_object_set_new(object, "by",
				    json_pack("{s:s, s:o}", "axis", diff_by_name(&d->by), "rows",
					      d->by.cut == CUT_module
						      ? tree_json(&d->by_table, 0, 0)
						      : rows_json(&d->by_table,
								  d->by.cut == CUT_axis &&
									  d->by.axis ==
										  AXIS_kernel)));
	return object;
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

static void put_csv_row(const struct comparison_row *row, const char *path, bool is_kernel,
			FILE *out)
{
	put_quoted(path ? path : diff_label(row, is_kernel), out);
	for (int side = 0; side < 2; side++)
		fprintf(out, ",%.0f,%.6g,%.0f", row->sides[side].sums.time_ns,
			row->sides[side].sums.launches, row->sides[side].sums.flops);
	fprintf(out, ",%.0f", comparison_change_ns(row));
	fputc(',', out);
	if (isfinite(comparison_gain(row)))
		fprintf(out, "%.6g", comparison_gain(row));
	fputc(',', out);
	if (isfinite(row->noise_ns))
		fprintf(out, "%.0f", row->noise_ns);
	fprintf(out, ",%d\n", comparison_is_noise(row));
}

/* "UNet / DownBlock[0] / Attention"; cut where it is longer. */
static void path_of(const struct comparison *c, uint32_t index, char *ret, size_t size)
{
	uint32_t chain[256];
	size_t nr = 0, used = 0;

	for (; index && nr < sizeof(chain) / sizeof(*chain); index = c->rows[index].parent)
		chain[nr++] = index;
	ret[0] = '\0';
	while (nr-- && used + 4 < size) {
		const int n = snprintf(ret + used, size - used, "%s%s", used ? " / " : "",
				       c->rows[chain[nr]].shown->text);

		used = n < 0 || (size_t)n >= size - used ? size : used + (size_t)n;
	}
}

void diff_csv(const struct diff *d, FILE *out)
{
	const struct comparison *c = d->has_by ? &d->by_table : &d->tables[DIFF_operators];
	const bool is_kernel = d->has_by && d->by.cut == CUT_axis && d->by.axis == AXIS_kernel;
	const bool is_tree = d->has_by && d->by.cut == CUT_module;
	char path[MODULES_PATH_MAX];

	fputs("name,a_ns,a_launches,a_flops,b_ns,b_launches,b_flops,change_ns,speed_up,noise_ns,"
	      "is_noise\n",
	      out);
	/* The whole first. */
	for (uint32_t i = 0; i < c->nr_rows; i++) {
		if (i && is_empty(&c->rows[i]))
			continue;
		if (is_tree)
			path_of(c, i, path, sizeof(path));
		put_csv_row(&c->rows[i], i && is_tree ? path : NULL, i && is_kernel, out);
	}
}
