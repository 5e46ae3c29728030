/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "figures.h"
#include "forward_output.h"

enum { NAME = 26, PATH = 44 };

static void label(const struct terminal *t, const char *text, FILE *out)
{
	fprintf(out, "%s%-10s%s", terminal_bold(t), text, terminal_plain(t));
}

/* "6.74 G", "1.2 T": of numbers and FLOPs. */
static struct figure scaled(double v)
{
	static const char *const units[] = { "", " k", " M", " G", " T", " P", " E" };
	struct figure f;
	size_t i = 0;

	for (; v >= 1000 && i + 1 < sizeof(units) / sizeof(*units); i++)
		v /= 1000;
	snprintf(f.text, sizeof(f.text),
		 v < 10    ? "%.3g%s"
		 : v < 100 ? "%.1f%s"
			   : "%.0f%s",
		 v, units[i]);
	return f;
}

static const char *const byte_units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

static struct figure memory(double v)
{
	struct figure f;
	size_t i = 0;

	for (; v >= 1024 && i + 1 < sizeof(byte_units) / sizeof(*byte_units); i++)
		v /= 1024;
	snprintf(f.text, sizeof(f.text), i ? "%.1f %s" : "%.0f %s", v, byte_units[i]);
	return f;
}

static void print_best(double seconds, FILE *out)
{
	fprintf(out, " %10s",
		seconds > 0 ? figure_time((uint64_t)(1e9 * seconds + 0.5)).text : "-");
}

static const char *bound_of(const struct forward_sum *s)
{
	if (s->seconds <= 0)
		return "";
	return s->seconds_flops >= s->seconds_bytes ? " compute" : " memory";
}

/* --- on top ----------------------------------------------------------------------------------- */

static void print_parameters(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const char *name, *separator = "";
	double value;

	label(t, "With", out);
	for (size_t i = 0; (name = architecture_parameter_at(v->architecture, i, &value)); i++) {
		if (isnan(value) || architecture_is_derived(v->architecture, name))
			continue;
		fprintf(out, "%s%s %.10g", separator, name, value);
		separator = ", ";
	}
	fputc('\n', out);
}

static void print_memory(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;

	label(t, "Memory", out);
	fprintf(out, "weights %s", memory(f->weight_bytes).text);
	fprintf(out, ", activations up to %s", memory(f->activation_bytes).text);
	if (f->cache_bytes > 0)
		fprintf(out, ", keys and values up to %s", memory(f->cache_bytes).text);
	fputc('\n', out);
	if (f->similarity.largest <= 0)
		return;
	label(t, "", out);
	fprintf(out, "similarity matrices: the largest %s", memory(f->similarity.largest).text);
	for (size_t i = 0; i < f->nr_parts; i++) {
		const struct similarity *s = &f->parts[i].similarity;

		if (s->pass > 0) {
			fprintf(out, "; %s %s a pass", f->parts[i].name, memory(s->pass).text);
			fprintf(out, " (%s a head)", memory(s->pass_head).text);
		}
	}
	fputc('\n', out);
}

static void print_lengths(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;
	uint64_t least = UINT64_MAX, most = 0;

	for (size_t i = 0; i < f->nr_levels; i++) {
		const uint64_t s_q = f->levels[i].attention.s_q;

		least = s_q < least ? s_q : least;
		most = s_q > most ? s_q : most;
	}
	if (!most)
		return;
	label(t, "Lengths", out);
	fprintf(out, "%" PRIu64 " to %" PRIu64 " queries: x%.4g over the whole\n", least, most,
		(double)most / (double)least);
}

static void print_gpu(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;
	const struct peaks *p = v->peaks;
	const double fused = forward_memory(f, false), baseline = forward_memory(f, true);

	if (!p)
		return;
	label(t, "GPU", out);
	fprintf(out, "%s: %.0f TFLOP/s fp16, %.2f TB/s, %.0f GB; at best", p->gpu,
		1e-12 * p->flops[UNIT_fp16], 1e-12 * p->bytes, 1e-9 * p->memory_bytes);
	print_best(f->all.seconds, out);
	fprintf(out, " with %s attention\n", v->is_baseline ? "baseline" : "fused");
	if (fused > p->memory_bytes) {
		label(t, "", out);
		fprintf(out, "%sdoes not fit: weights, activations and caches take %s%s\n",
			terminal_warn(t), memory(fused).text, terminal_plain(t));
	} else if (baseline > p->memory_bytes) {
		label(t, "", out);
		fprintf(out,
			"%sbaseline attention cannot run: with scores and probabilities written "
			"out %s are needed at once%s\n",
			terminal_warn(t), memory(baseline).text, terminal_plain(t));
	}
}

static void print_top(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;
	const char *note = architecture_note(v->architecture);

	label(t, "Model", out);
	terminal_text(t, architecture_name(v->architecture), SIZE_MAX, false, out);
	if (*note) {
		fputs(": ", out);
		terminal_text(t, note, SIZE_MAX, false, out);
	}
	fputc('\n', out);
	print_parameters(v, t, out);
	label(t, "Weights", out);
	fprintf(out, "%s numbers, each once however often it is used\n", scaled(f->weights).text);
	label(t, "Work", out);
	fprintf(out, "%sFLOP", scaled(f->all.flops).text);
	fprintf(out, ", at least %s moved\n", memory(f->all.bytes).text);
	label(t, "Intensity", out);
	fprintf(out, "traffic: %.1f FLOP a byte moved; capacity: %.0f FLOP a byte of weights\n",
		forward_traffic_intensity(&f->all), forward_capacity_intensity(f));
	print_memory(v, t, out);
	print_lengths(v, t, out);
	print_gpu(v, t, out);
}

/* --- tables ----------------------------------------------------------------------------------- */

static void heading(const struct forward_view *v, const struct terminal *t, const char *name,
		    int width, FILE *out)
{
	fprintf(out, "\n%s%-*s %9s %12s %12s %8s", terminal_bold(t), width, name, "calls", "GFLOP",
		"min MB", "FLOP/B");
	if (v->peaks)
		fprintf(out, " %10s %s", "at best", "bound");
	fprintf(out, "%s\n", terminal_plain(t));
}

static void print_sum(const struct forward_view *v, const struct forward_sum *s, FILE *out)
{
	fprintf(out, " %9.0f %12.3f %12.1f %8.1f", s->calls, 1e-9 * s->flops, 1e-6 * s->bytes,
		forward_traffic_intensity(s));
	if (v->peaks) {
		print_best(s->seconds, out);
		fputs(bound_of(s), out);
	}
	fputc('\n', out);
}

static void print_operators(const struct forward_view *v, const struct forward_sum *sums,
			    const char *indent, const struct terminal *t, FILE *out)
{
	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		char name[64];

		if (sums[op].calls <= 0)
			continue;
		snprintf(name, sizeof(name), "%s%s", indent, operator_name(op));
		terminal_text(t, name, NAME, true, out);
		print_sum(v, &sums[op], out);
	}
}

static void print_parts(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;
	char name[128];

	heading(v, t, "part and operator", NAME, out);
	for (size_t i = 0; i < f->nr_parts; i++) {
		if (f->parts[i].all.calls <= 0)
			continue;
		snprintf(name, sizeof(name), "%.60s, %.0f times", f->parts[i].name,
			 f->parts[i].times);
		terminal_text(t, name, NAME, true, out);
		print_sum(v, &f->parts[i].all, out);
		print_operators(v, f->parts[i].sums, "  ", t, out);
	}
	terminal_text(t, "all", NAME, true, out);
	print_sum(v, &f->all, out);
}

static void print_levels(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;

	if (!f->nr_levels)
		return;
	fprintf(out, "\n%s%-20s %-15s %8s %10s %6s %4s %4s %8s %12s %10s %10s%s\n",
		terminal_bold(t), "attention of", "role", "queries", "keys", "batch", "head",
		"size", "calls", "GFLOP", "scores", v->peaks ? "at best" : "", terminal_plain(t));
	for (size_t i = 0; i < f->nr_levels; i++) {
		const struct forward_level *l = &f->levels[i];
		const struct attention *a = &l->attention;
		char keys[48];

		snprintf(keys, sizeof(keys),
			 l->s_k_last > a->s_k ? "%" PRIu64 "-%" PRIu64 : "%" PRIu64, a->s_k,
			 l->s_k_last);
		terminal_text(t, f->parts[l->part].name, 20, true, out);
		fprintf(out,
			" %-15s %8" PRIu64 " %10s %6" PRIu64 " %4" PRIu64 " %4" PRIu64
			" %8.0f %12.3f %10s",
			role_name(l->role), a->s_q, keys, a->b, a->h, a->d, l->sum.calls,
			1e-9 * l->sum.flops, memory(l->similarity).text);
		if (v->peaks)
			print_best(l->sum.seconds, out);
		fputc('\n', out);
	}
}

static void print_layers(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	const struct forward *f = v->forward;
	size_t part = SIZE_MAX;

	for (size_t i = 0; i < f->nr_layers; i++) {
		const struct forward_layer *l = &f->layers[i];

		if (l->part != part) {
			char name[128];

			part = l->part;
			snprintf(name, sizeof(name), "%.100s, first pass", f->parts[part].name);
			heading(v, t, name, PATH, out);
		}
		terminal_text(t, l->path, PATH, true, out);
		print_sum(v, &l->sum, out);
	}
}

void forward_text(const struct forward_view *v, const struct terminal *t, FILE *out)
{
	print_top(v, t, out);
	switch (v->by) {
	case CUT_BY_layer:
		print_layers(v, t, out);
		break;
	case CUT_BY_operator:
		heading(v, t, "operator", NAME, out);
		print_operators(v, v->forward->sums, "", t, out);
		terminal_text(t, "all", NAME, true, out);
		print_sum(v, &v->forward->all, out);
		break;
	case CUT_BY_level:
		print_levels(v, t, out);
		break;
	default:
		print_parts(v, t, out);
		print_levels(v, t, out);
	}
}

/* --- sweep ------------------------------------------------------------------------------------ */

double forward_attention_bytes(const struct forward *f, bool is_baseline)
{
	double bytes = 0;

	for (size_t i = 0; i < f->nr_levels; i++)
		bytes += is_baseline ? f->levels[i].bytes_baseline : f->levels[i].bytes_fused;
	return bytes;
}

double forward_sweep_crossing(const struct forward_sweep *s)
{
	for (size_t i = 1; i < s->nr; i++) {
		const struct forward_sum *a = s->points[i - 1].forward.sums;
		const struct forward_sum *b = s->points[i].forward.sums;
		const double below =
			log(a[OPERATOR_attention].flops / a[OPERATOR_convolution].flops);
		const double above =
			log(b[OPERATOR_attention].flops / b[OPERATOR_convolution].flops);
		const double from = log(s->points[i - 1].x), to = log(s->points[i].x);

		if (isfinite(below) && isfinite(above) && isfinite(from) && below < 0 && above >= 0)
			return exp(from + (to - from) * -below / (above - below));
	}
	return NAN;
}

static void print_exponent(double y0, double y1, double x0, double x1, FILE *out)
{
	if (y0 > 0 && y1 > 0 && x0 > 0 && x1 > x0)
		fprintf(out, " %6.2f", log(y1 / y0) / log(x1 / x0));
	else
		fprintf(out, " %6s", "");
}

static void print_point(const struct forward_sweep *s, size_t i, bool has_peaks, FILE *out)
{
	static const enum operator shown[] = { OPERATOR_convolution, OPERATOR_linear,
					       OPERATOR_attention };
	const struct forward_point *p = &s->points[i], *before = i ? p - 1 : p;
	const struct forward_sum *sums = p->forward.sums;

	fprintf(out, "%10.6g", p->x);
	for (size_t k = 0; k < sizeof(shown) / sizeof(*shown); k++) {
		fprintf(out, " %12.1f", 1e-9 * sums[shown[k]].flops);
		print_exponent(before->forward.sums[shown[k]].flops, sums[shown[k]].flops,
			       before->x, p->x, out);
	}
	fprintf(out, " %6.1f%%",
		p->forward.all.flops > 0
			? 100 * sums[OPERATOR_attention].flops / p->forward.all.flops
			: 0);
	fprintf(out, " %11s", memory(forward_attention_bytes(&p->forward, true)).text);
	fprintf(out, " %11s", memory(forward_attention_bytes(&p->forward, false)).text);
	fprintf(out, " %11s", memory(p->forward.similarity.largest).text);
	if (has_peaks)
		print_best(p->forward.all.seconds, out);
	fputc('\n', out);
}

void forward_sweep_text(const struct forward_view *v, const struct forward_sweep *s,
			const struct terminal *t, FILE *out)
{
	const double crossing = forward_sweep_crossing(s);
	bool too_large = false;

	label(t, "Model", out);
	terminal_text(t, architecture_name(v->architecture), SIZE_MAX, false, out);
	fprintf(out, "\n\n%s%10s %12s %6s %12s %6s %12s %6s %7s %11s %11s %11s %10s%s\n",
		terminal_bold(t), s->name, "convolution", "grows", "linear", "grows", "attention",
		"grows", "share", "baseline", "fused", "scores", v->peaks ? "at best" : "",
		terminal_plain(t));
	for (size_t i = 0; i < s->nr; i++)
		print_point(s, i, v->peaks != NULL, out);
	fputs("\nGFLOP of all passes; grows: the exponent since the line above; share: of "
	      "attention in FLOPs;\nbaseline, fused: bytes that attention moves; scores: the "
	      "largest similarity matrix of one attention\n",
	      out);
	if (isfinite(crossing))
		fprintf(out, "Attention has more FLOPs than convolution from %s %.4g on\n", s->name,
			crossing);
	for (size_t i = 0; i < s->nr && v->peaks; i++) {
		const struct forward *f = &s->points[i].forward;

		if (too_large || forward_memory(f, true) <= v->peaks->memory_bytes)
			continue;
		too_large = true;
		fprintf(out,
			"Baseline attention cannot run on this GPU from %s %.6g on: %s are "
			"needed at once\n",
			s->name, s->points[i].x, memory(forward_memory(f, true)).text);
	}
}
