/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "forward_output.h"
#include "json_text.h"

/* A count, as exact as a double is. */
static json_t *count_json(double value)
{
	return fabs(value) < 9e18 && value == floor(value) ? json_integer((json_int_t)value)
							   : json_real(value);
}

static json_t *seconds_json(double seconds)
{
	return seconds > 0 ? json_real(seconds) : json_null();
}

static json_t *sum_json(const struct forward_sum *s)
{
	return json_pack("{s:o, s:o, s:o, s:f, s:o}", "calls", count_json(s->calls), "flops",
			 count_json(s->flops), "bytes_min", count_json(s->bytes),
			 "traffic_intensity", forward_traffic_intensity(s), "seconds_min",
			 seconds_json(s->seconds));
}

static json_t *sums_json(const struct forward_sum *sums)
{
	json_t *object = json_object();

	for (enum operator op = 0; op < NR_OPERATORS; op++)
		if (sums[op].calls > 0)
			json_object_set_new(object, operator_name(op), sum_json(&sums[op]));
	return object;
}

static json_t *similarity_json(const struct similarity *s)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "pass_head_bytes", count_json(s->pass_head),
			 "pass_bytes", count_json(s->pass), "largest_bytes", count_json(s->largest),
			 "all_bytes", count_json(s->all));
}

static json_t *parts_json(const struct forward *f)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < f->nr_parts; i++) {
		const struct forward_part *p = &f->parts[i];

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
				  p->name, "phase", p->phase, "type", type_name(p->type), "times",
				  count_json(p->times), "weights", count_json(p->weights),
				  "weight_bytes", count_json(p->weight_bytes), "activation_bytes",
				  count_json(p->activation_bytes), "cache_bytes",
				  count_json(p->cache_bytes), "similarity",
				  similarity_json(&p->similarity), "operators", sums_json(p->sums),
				  "all", sum_json(&p->all)));
	}
	return rows;
}

static json_t *attention_json(const struct attention *a)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "batch", json_u64(a->b),
			 "heads", json_u64(a->h), "kv_heads", json_u64(a->h_kv), "queries",
			 json_u64(a->s_q), "keys", json_u64(a->s_k), "size", json_u64(a->d),
			 "value_size", json_u64(a->d_v), "causal", a->causal);
}

static json_t *levels_json(const struct forward *f)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < f->nr_levels; i++) {
		const struct forward_level *l = &f->levels[i];
		json_t *row = sum_json(&l->sum);

		json_object_update_new(row, attention_json(&l->attention));
		json_object_update_new(row,
				       json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "part",
						 f->parts[l->part].name, "role", role_name(l->role),
						 "keys_last", json_u64(l->s_k_last), "bytes_fused",
						 count_json(l->bytes_fused), "bytes_baseline",
						 count_json(l->bytes_baseline), "similarity_bytes",
						 count_json(l->similarity)));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *layers_json(const struct forward *f)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < f->nr_layers; i++) {
		const struct forward_layer *l = &f->layers[i];
		json_t *row = sum_json(&l->sum);

		json_object_update_new(row,
				       json_pack("{s:s, s:o, s:s, s:s, s:o}", "part",
						 f->parts[l->part].name, "path", json_text(l->path),
						 "kind", layer_kind_name(l->kind), "operator",
						 operator_name(layer_operator(l->kind)), "weights",
						 count_json(l->weights)));
		if (l->kind == LAYER_attention)
			json_object_update_new(row, attention_json(&l->attention));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *parameters_json(struct architecture *a)
{
	json_t *object = json_object();
	const char *name;
	double value;

	for (size_t i = 0; (name = architecture_parameter_at(a, i, &value)); i++)
		if (!isnan(value))
			json_object_set_new(object, name, count_json(value));
	return object;
}

static json_t *gpu_json(const struct forward_view *v)
{
	const struct forward *f = v->forward;
	const struct peaks *p = v->peaks;

	if (!p || !p->gpu)
		return json_null();
	return json_pack("{s:s, s:f, s:f, s:f, s:o, s:o, s:b, s:b}", "name", p->gpu,
			 "fp16_flops_per_s", p->flops[UNIT_fp16], "bytes_per_s", p->bytes,
			 "memory_bytes", p->memory_bytes, "needed_bytes",
			 count_json(forward_memory(f, false)), "needed_bytes_baseline",
			 count_json(forward_memory(f, true)), "fits",
			 forward_memory(f, false) <= p->memory_bytes, "fits_baseline",
			 forward_memory(f, true) <= p->memory_bytes);
}

json_t *forward_json(const struct forward_view *v)
{
	const struct forward *f = v->forward;
	json_t *object = json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "name",
				   json_text(architecture_name(v->architecture)), "note",
				   json_text(architecture_note(v->architecture)), "parameters",
				   parameters_json(v->architecture), "attention",
				   v->is_baseline ? "baseline" : "fused", "gpu", gpu_json(v),
				   "parts", parts_json(f), "levels", levels_json(f), "operators",
				   sums_json(f->sums), "all", sum_json(&f->all));

	json_object_update_new(object,
			       json_pack("{s:o, s:o, s:f, s:f, s:o, s:o, s:o, s:o}", "weights",
					 count_json(f->weights), "weight_bytes",
					 count_json(f->weight_bytes), "traffic_intensity",
					 forward_traffic_intensity(&f->all), "capacity_intensity",
					 forward_capacity_intensity(f), "activation_bytes",
					 count_json(f->activation_bytes), "cache_bytes",
					 count_json(f->cache_bytes), "similarity_largest_bytes",
					 count_json(f->similarity.largest), "similarity_all_bytes",
					 count_json(f->similarity.all)));
	if (v->by == CUT_BY_layer)
		json_object_set_new(object, "layers", layers_json(f));
	return object;
}

json_t *forward_sweep_json(const struct forward_sweep *s)
{
	const double crossing = forward_sweep_crossing(s);
	json_t *rows = json_array();

	for (size_t i = 0; i < s->nr; i++) {
		const struct forward *f = &s->points[i].forward;

		json_array_append_new(rows, json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "x",
						      s->points[i].x, "operators",
						      sums_json(f->sums), "all", sum_json(&f->all),
						      "attention_bytes_baseline",
						      count_json(forward_attention_bytes(f, true)),
						      "attention_bytes_fused",
						      count_json(forward_attention_bytes(f, false)),
						      "similarity_largest_bytes",
						      count_json(f->similarity.largest),
						      "needed_bytes_baseline",
						      count_json(forward_memory(f, true))));
	}
	return json_pack("{s:s, s:o, s:o}", "x", s->name, "points", rows,
			 "attention_exceeds_convolution",
			 isfinite(crossing) ? json_real(crossing) : json_null());
}

/* --- agreement -------------------------------------------------------------------------------- */

static json_t *row_json(const struct agreement *g, const struct agreement_row *row)
{
	const struct agreement_side *p = &row->sides[AGREEMENT_predicted];
	const struct agreement_side *m = &row->sides[AGREEMENT_measured];
	const double d = agreement_difference(row);

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "phase",
			 json_text(row->phase), "operator", operator_name(row->op), "calls",
			 count_json(p->calls), "calls_measured", count_json(m->calls), "flops",
			 count_json(p->flops), "flops_measured", count_json(m->flops), "difference",
			 isfinite(d) ? json_real(d) : json_null(), "is_near",
			 agreement_is_near(g, row), "seconds_min", seconds_json(row->best_s),
			 "time_ns", count_json(row->time_ns));
}

static json_t *order_json(const struct agreement_order *o)
{
	json_t *object =
		json_pack("{s:o, s:o, s:b, s:o}", "predicted", json_u64(o->nr[AGREEMENT_predicted]),
			  "measured", json_u64(o->nr[AGREEMENT_measured]), "is_compared",
			  o->is_compared, "is_equal",
			  o->is_compared ? json_boolean(o->is_equal) : json_null());

	if (o->is_compared && !o->is_equal)
		json_object_set_new(object, "first_different", json_u64(o->first));
	return object;
}

json_t *agreement_json(const struct forward_view *v, const struct agreement *g, const char *trace)
{
	json_t *rows = json_array(), *levels = json_array(), *totals = json_array();

	for (size_t i = 0; i < g->nr_rows; i++)
		json_array_append_new(rows, row_json(g, &g->rows[i]));
	for (enum operator op = 0; op < NR_OPERATORS; op++)
		if (g->totals[op].phase)
			json_array_append_new(totals, row_json(g, &g->totals[op]));
	for (size_t i = 0; i < g->nr_levels; i++) {
		json_t *row = row_json(g, &g->levels[i]);

		json_object_set_new(row, "queries", json_u64(g->levels[i].s_q));
		json_object_set_new(row, "is_self", json_boolean(g->levels[i].is_self));
		json_array_append_new(levels, row);
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:b}", "trace", json_text(trace),
			 "model", json_text(architecture_name(v->architecture)), "parameters",
			 parameters_json(v->architecture), "operators", totals, "phases", rows,
			 "levels", levels, "lengths", order_json(&g->order), "tolerance",
			 g->tolerance, "agrees", agreement_holds(g));
}
