/* SPDX-License-Identifier: Apache-2.0 */
#include "report_modules.h"

#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "json_text.h"

/* Of the text: what takes less is added up. */
static const double share_min = 0.002;

enum { LABEL_MAX = 512, LEVELS_MAX = 128 };

/* --- JSON ------------------------------------------------------------------------------------- */

static void by_time(const struct module_sums *sums, enum operator ret[NR_OPERATORS])
{
	for (size_t i = 0; i < NR_OPERATORS; i++) {
		size_t k = i;

		for (; k && sums->operators[ret[k - 1]].time_ns < sums->operators[i].time_ns; k--)
			ret[k] = ret[k - 1];
		ret[k] = (enum operator)i;
	}
}

static json_t *flops_json(double flops)
{
	return flops < 9e15 ? json_integer((json_int_t)(flops + 0.5)) : json_real(flops);
}

json_t *report_operators_json(const struct module_sums *sums)
{
	enum operator order[NR_OPERATORS];
	json_t *array = json_array();

	by_time(sums, order);
	for (size_t i = 0; i < NR_OPERATORS; i++) {
		const struct module_work *w = &sums->operators[order[i]];

		if (w->launches)
			json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:o}", "name",
							       operator_name(order[i]), "time_ns",
							       json_u64(w->time_ns), "launches",
							       json_u64(w->launches), "flops",
							       flops_json(w->flops)));
	}
	return array;
}

static const char *sort_name(enum module_sort sort)
{
	static const char *const names[] = {
		[MODULE_root] = "run",        [MODULE_process] = "process",
		[MODULE_missing] = "no path", [MODULE_module] = "module",
		[MODULE_object] = "object",   [MODULE_function] = "function",
		[MODULE_setup] = "set up",
	};

	return names[sort];
}

static json_t *children_json(const struct modules *m, uint32_t parent, size_t depth, size_t level);

static json_t *node_json(const struct modules *m, uint32_t index, size_t depth, size_t level)
{
	const struct module_node *n = modules_node(m, index);
	const uint64_t run_ns = modules_node(m, 0)->total.all.time_ns;
	char label[LABEL_MAX];

	modules_label(m, index, label, sizeof(label));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 json_text(label), "class",
			 n->class_name ? json_bytes(n->class_name->text, n->class_name->size)
				       : json_null(),
			 "sort", sort_name(n->sort), "calls",
			 n->calls ? json_u64(n->calls) : json_null(), "time_ns",
			 json_u64(n->total.all.time_ns), "share",
			 run_ns ? (double)n->total.all.time_ns / (double)run_ns : 0, "launches",
			 json_u64(n->total.all.launches), "flops", flops_json(n->total.all.flops),
			 "self_ns", json_u64(n->own.all.time_ns), "self_launches",
			 json_u64(n->own.all.launches), "operators",
			 report_operators_json(&n->total), "children",
			 children_json(m, index, depth, level + 1));
}

static json_t *children_json(const struct modules *m, uint32_t parent, size_t depth, size_t level)
{
	json_t *array = json_array();

	if ((depth && level >= depth) || level >= LEVELS_MAX)
		return array;
	for (uint32_t i = modules_node(m, parent)->first_child; i; i = modules_node(m, i)->next)
		if (modules_node(m, i)->total.all.launches)
			json_array_append_new(array, node_json(m, i, depth, level));
	return array;
}

json_t *report_modules_json(const struct modules *m, size_t depth)
{
	return children_json(m, 0, depth, 0);
}

/* --- text ------------------------------------------------------------------------------------- */

struct printer {
	const struct modules *modules;
	const struct terminal *terminal;
	size_t depth;
	double run_ns;
	FILE *out;
};

/* Functions that only lead to one node stand on its line: "generate / Pipeline". */
static uint32_t only_child(const struct modules *m, uint32_t index)
{
	const struct module_node *n = modules_node(m, index);
	uint32_t only = 0;

	if (n->sort != MODULE_function || n->own.all.launches)
		return 0;
	for (uint32_t i = n->first_child; i; i = modules_node(m, i)->next) {
		if (!modules_node(m, i)->total.all.launches)
			continue;
		if (only)
			return 0;
		only = i;
	}
	return only;
}

static void print_figures(const struct printer *p, const struct module_sums *total,
			  const struct module_sums *own, uint64_t calls)
{
	enum operator order[NR_OPERATORS];
	const double time_ns = (double)total->all.time_ns;
	char most[40] = "";
	char gflop[24] = "-";

	by_time(total, order);
	if (time_ns > 0)
		snprintf(most, sizeof(most), "%s %.0f%%", operator_name(order[0]),
			 100 * (double)total->operators[order[0]].time_ns / time_ns);
	if (total->all.flops > 0)
		snprintf(gflop, sizeof(gflop), "%.1f", 1e-9 * total->all.flops);
	fprintf(p->out, "%10s %7s %10s %7s %9s %10s  %-18.18s ",
		figure_time(total->all.time_ns).text,
		figure_share(p->run_ns > 0 ? time_ns / p->run_ns : 0).text,
		own->all.launches ? figure_time(own->all.time_ns).text : "-",
		calls ? figure_count(calls).text : "-", figure_count(total->all.launches).text,
		gflop, most);
}

static void print_label(const struct printer *p, const char *label, size_t level)
{
	const size_t used = 80 + 2 * level;
	const size_t columns = p->terminal->columns;

	fprintf(p->out, "%*s", (int)(2 * level), "");
	terminal_text(p->terminal, label, columns > used + 32 ? columns - used : 32, false, p->out);
	fputc('\n', p->out);
}

static void print_children(const struct printer *p, uint32_t parent, size_t level);

static void print_node(const struct printer *p, uint32_t index, size_t level)
{
	char label[LABEL_MAX];
	size_t used = 0;

	modules_label(p->modules, index, label, sizeof(label));
	for (uint32_t child; (child = only_child(p->modules, index)) != 0; index = child) {
		used = strlen(label);
		if (used + 64 > sizeof(label))
			break;
		memcpy(label + used, " / ", 4);
		modules_label(p->modules, child, label + used + 3, sizeof(label) - used - 3);
	}
	print_figures(p, &modules_node(p->modules, index)->total,
		      &modules_node(p->modules, index)->own,
		      modules_node(p->modules, index)->calls);
	print_label(p, label, level);
	print_children(p, index, level + 1);
}

/* Siblings too small for a line of their own. */
struct rest {
	struct module_sums sums;
	size_t nr;
	uint32_t node;     /* one of them */
	bool has_one_name; /* all of them are of one class */
};

static void print_rest(const struct printer *p, const struct rest *rest, size_t level)
{
	const struct module_node *one = modules_node(p->modules, rest->node);
	const struct module_sums own = { 0 };
	char label[LABEL_MAX];

	if (rest->nr == 1) {
		print_node(p, rest->node, level);
		return;
	}
	if (rest->has_one_name)
		snprintf(label, sizeof(label), "%s x %zu", one->label ? one->label->text : "?",
			 rest->nr);
	else
		snprintf(label, sizeof(label), "(%zu smaller)", rest->nr);
	print_figures(p, &rest->sums, &own, 0);
	print_label(p, label, level);
}

static void add_rest(const struct modules *m, struct rest *rest, uint32_t node)
{
	const struct module_node *n = modules_node(m, node);

	rest->has_one_name =
		!rest->nr || (rest->has_one_name && n->label == modules_node(m, rest->node)->label);
	rest->node = node;
	rest->nr++;
	rest->sums.all.time_ns += n->total.all.time_ns;
	rest->sums.all.launches += n->total.all.launches;
	rest->sums.all.flops += n->total.all.flops;
	for (size_t i = 0; i < NR_OPERATORS; i++)
		rest->sums.operators[i].time_ns += n->total.operators[i].time_ns;
}

static void print_children(const struct printer *p, uint32_t parent, size_t level)
{
	struct rest rest = { 0 };

	if ((p->depth && level >= p->depth) || level >= LEVELS_MAX)
		return;
	for (uint32_t i = modules_node(p->modules, parent)->first_child; i;
	     i = modules_node(p->modules, i)->next) {
		const struct module_sums *total = &modules_node(p->modules, i)->total;

		if (!total->all.launches)
			continue;
		if ((double)total->all.time_ns >= share_min * p->run_ns)
			print_node(p, i, level);
		else
			add_rest(p->modules, &rest, i);
	}
	if (rest.nr)
		print_rest(p, &rest, level);
}

void report_modules_text(const struct modules *m, size_t depth, const struct terminal *t, FILE *out)
{
	const struct printer p = {
		.modules = m,
		.terminal = t,
		.depth = depth,
		.run_ns = (double)modules_node(m, 0)->total.all.time_ns,
		.out = out,
	};

	fprintf(out, "\n%s%10s %7s %10s %7s %9s %10s  %-18s %s%s\n", terminal_bold(t), "time",
		"share", "self", "calls", "launches", "GFLOP", "mostly",
		"module, in the order of first calls", terminal_plain(t));
	print_children(&p, 0, 0);
}
