/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "forward_output.h"

/* Names come from descriptions and file names: whatever they are, a field stays a field. */
static void put_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_sum(const struct forward_sum *s, FILE *out)
{
	fprintf(out, ",%.0f,%.0f,%.0f,%.6g,%.6g\n", s->calls, s->flops, s->bytes,
		forward_traffic_intensity(s), s->seconds);
}

static void put_operators(const char *part, const struct forward_sum *sums, FILE *out)
{
	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		if (sums[op].calls <= 0)
			continue;
		if (part) {
			put_text(part, out);
			fputc(',', out);
		}
		fputs(operator_name(op), out);
		put_sum(&sums[op], out);
	}
}

static void put_levels(const struct forward *f, FILE *out)
{
	fputs("part,role,queries,keys,keys_last,batch,heads,kv_heads,size,value_size,similarity_"
	      "bytes,bytes_baseline,calls,flops,bytes_min,traffic_intensity,seconds_min\n",
	      out);
	for (size_t i = 0; i < f->nr_levels; i++) {
		const struct forward_level *l = &f->levels[i];
		const struct attention *a = &l->attention;

		put_text(f->parts[l->part].name, out);
		fprintf(out,
			",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%.0f,%.0f",
			role_name(l->role), a->s_q, a->s_k, l->s_k_last, a->b, a->h, a->h_kv, a->d,
			a->d_v, l->similarity, l->bytes_baseline);
		put_sum(&l->sum, out);
	}
}

static void put_layers(const struct forward *f, FILE *out)
{
	fputs("part,layer,kind,weights,queries,keys,calls,flops,bytes_min,traffic_intensity,"
	      "seconds_min\n",
	      out);
	for (size_t i = 0; i < f->nr_layers; i++) {
		const struct forward_layer *l = &f->layers[i];

		put_text(f->parts[l->part].name, out);
		fputc(',', out);
		put_text(l->path, out);
		fprintf(out, ",%s,%.0f,%" PRIu64 ",%" PRIu64, layer_kind_name(l->kind), l->weights,
			l->attention.s_q, l->attention.s_k);
		put_sum(&l->sum, out);
	}
}

void forward_csv(const struct forward_view *v, FILE *out)
{
	static const char figures[] = "operator,calls,flops,bytes_min,traffic_intensity,"
				      "seconds_min\n";
	const struct forward *f = v->forward;

	switch (v->by) {
	case CUT_BY_layer:
		put_layers(f, out);
		break;
	case CUT_BY_level:
		put_levels(f, out);
		break;
	case CUT_BY_operator:
		fputs(figures, out);
		put_operators(NULL, f->sums, out);
		break;
	default:
		fprintf(out, "part,%s", figures);
		for (size_t i = 0; i < f->nr_parts; i++)
			put_operators(f->parts[i].name, f->parts[i].sums, out);
	}
}

void forward_sweep_csv(const struct forward_sweep *s, FILE *out)
{
	put_text(s->name, out);
	fputs(",operator,calls,flops,bytes_min,traffic_intensity,seconds_min\n", out);
	for (size_t i = 0; i < s->nr; i++) {
		const struct forward *f = &s->points[i].forward;

		for (enum operator op = 0; op < NR_OPERATORS; op++) {
			if (f->sums[op].calls <= 0)
				continue;
			fprintf(out, "%.10g,%s", s->points[i].x, operator_name(op));
			put_sum(&f->sums[op], out);
		}
	}
}

static void put_rows(const struct agreement *g, const char *trace, const struct agreement_row *rows,
		     size_t nr, bool are_levels, FILE *out)
{
	for (size_t i = 0; i < nr; i++) {
		const struct agreement_row *row = &rows[i];
		const double d = agreement_difference(row);

		put_text(trace, out);
		fputc(',', out);
		put_text(row->phase, out);
		fprintf(out, ",%s,", operator_name(row->op));
		if (are_levels)
			fprintf(out, "%" PRIu64 ",%s", row->s_q, row->is_self ? "true" : "false");
		else
			fputc(',', out);
		for (size_t k = 0; k < NR_AGREEMENT_SIDES; k++)
			fprintf(out, ",%.0f,%.0f", row->sides[k].calls, row->sides[k].flops);
		fputc(',', out);
		if (isfinite(d))
			fprintf(out, "%.6g", d);
		fprintf(out, ",%s,%.6g,%.0f\n", agreement_is_near(g, row) ? "true" : "false",
			row->best_s, row->time_ns);
	}
}

void agreement_csv(const struct agreement *g, const char *trace, bool has_heading, FILE *out)
{
	if (has_heading)
		fputs("trace,phase,operator,queries,is_self,calls,flops,calls_measured,flops_"
		      "measured,"
		      "difference,is_near,seconds_min,time_ns\n",
		      out);
	put_rows(g, trace, g->rows, g->nr_rows, false, out);
	put_rows(g, trace, g->levels, g->nr_levels, true, out);
}
