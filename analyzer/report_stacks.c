/* SPDX-License-Identifier: Apache-2.0 */
#include "report_stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "json_text.h"

enum { NUMBERS = 32, INDENT = 2, INDENT_MAX = 40, TEXT_MIN = 40, CHAIN_BYTES_MAX = 4096 };

/* --- branches --------------------------------------------------------------------------------- */

/* A branch is a node that does not simply continue the one above it. */
struct branches {
	const struct call_tree *tree;
	uint32_t *order;        /* branches, most time first */
	uint32_t *any_child;    /* by node */
	uint32_t *first, *next; /* branches to show, by the node they hang from */
	size_t nr;
};

static bool continues(const struct call_node *parent)
{
	return parent->nr_children == 1 && !parent->self_launches;
}

static int by_time(const void *a, const void *b, void *opaque)
{
	const struct call_node *nodes = opaque;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (nodes[x].time_ns != nodes[y].time_ns)
		return nodes[x].time_ns < nodes[y].time_ns ? 1 : -1;
	/* So that what contains another never comes behind it. */
	return x < y ? -1 : x > y;
}

static void branches_clear(struct branches *b)
{
	free(b->order);
	free(b->any_child);
	free(b->first);
	free(b->next);
}

static int branches_make(struct branches *b, const struct call_tree *tree)
{
	*b = (struct branches){
		.tree = tree,
		.order = calloc(tree->nr, sizeof(*b->order)),
		.any_child = calloc(tree->nr, sizeof(*b->any_child)),
		.first = calloc(tree->nr, sizeof(*b->first)),
		.next = calloc(tree->nr, sizeof(*b->next)),
	};
	if (!b->order || !b->any_child || !b->first || !b->next) {
		branches_clear(b);
		return -ENOMEM;
	}
	for (uint32_t i = 1; i < tree->nr; i++) {
		const uint32_t parent = tree->nodes[i].parent;

		b->any_child[parent] = i;
		if (!parent || !continues(&tree->nodes[parent]))
			b->order[b->nr++] = i;
	}
	if (b->nr)
		qsort_r(b->order, b->nr, sizeof(*b->order), by_time, tree->nodes);
	return 0;
}

/* The first `top` of them; those that contain one are among them. */
static void branches_show(struct branches *b, size_t top)
{
	for (size_t i = top < b->nr ? top : b->nr; i-- > 0;) {
		const uint32_t node = b->order[i], parent = b->tree->nodes[node].parent;

		b->next[node] = b->first[parent];
		b->first[parent] = node;
	}
}

struct printer {
	const struct branches *branches;
	const struct terminal *terminal;
	uint32_t *chain; /* nodes of a branch, from the outermost; as many as the tree has */
	FILE *out;
};

static size_t name_columns(const struct printer *p, size_t i)
{
	return p->branches->tree->nodes[p->chain[i]].name->size;
}

/*
 * So that a chain fits, the first `ret_head` names and those from the one returned on are shown:
 * the last one always, the first one and those before the last where there is room.
 */
static size_t find_gap(const struct printer *p, size_t nr, size_t width, size_t *ret_head)
{
	const size_t separator = strlen(" > "), mark = strlen(".. > ");
	size_t all = name_columns(p, 0), end = nr - 1, used;

	for (size_t i = 1; i < nr; i++)
		all += separator + name_columns(p, i);
	*ret_head = 1;
	if (all <= width || nr == 1)
		return 1;
	used = mark + name_columns(p, end);
	*ret_head = used + separator + name_columns(p, 0) <= width;
	if (*ret_head)
		used += separator + name_columns(p, 0);
	while (end > 1 && used + separator + name_columns(p, end - 1) <= width)
		used += separator + name_columns(p, --end);
	return end;
}

static void append_text(char *text, const char *separator, const char *name)
{
	const size_t n = strlen(text);

	if (strlen(separator) + strlen(name) < CHAIN_BYTES_MAX - n)
		stpcpy(stpcpy(text + n, separator), name);
}

static void print_chain(const struct printer *p, size_t nr, size_t width)
{
	const struct call_node *nodes = p->branches->tree->nodes;
	char text[CHAIN_BYTES_MAX] = "";
	size_t head;
	const size_t gap_end = find_gap(p, nr, width, &head);

	if (head)
		append_text(text, "", nodes[p->chain[0]].name->text);
	if (gap_end > head)
		append_text(text, head ? " > " : "", p->terminal->unicode ? "\u2026" : "..");
	for (size_t i = gap_end; i < nr; i++)
		append_text(text, " > ", nodes[p->chain[i]].name->text);
	terminal_text(p->terminal, text[0] ? text : nodes[p->chain[0]].name->text, width, false,
		      p->out);
}

static void print_branch(struct printer *p, uint32_t node, size_t depth)
{
	const struct call_node *nodes = p->branches->tree->nodes;
	const struct call_node *n = &nodes[node];
	const size_t indent = depth * INDENT < INDENT_MAX ? depth * INDENT : INDENT_MAX;
	const size_t columns = p->terminal->columns;
	const size_t width =
		columns > NUMBERS + indent + TEXT_MIN ? columns - NUMBERS - indent : TEXT_MIN;
	size_t nr = 0;

	for (p->chain[nr++] = node; continues(&nodes[node]); p->chain[nr++] = node)
		node = p->branches->any_child[node];
	fprintf(p->out, "%10s %7s %9s  %*s", figure_time(n->time_ns).text,
		figure_share(nodes->time_ns ? (double)n->time_ns / (double)nodes->time_ns : 0).text,
		figure_count(n->launches).text, (int)indent, "");
	print_chain(p, nr, width);
	fputc('\n', p->out);
	for (uint32_t i = p->branches->first[node]; i; i = p->branches->next[i])
		print_branch(p, i, depth + 1);
}

int stacks_text(const struct call_tree *tree, const struct terminal *t, size_t top, FILE *out)
{
	struct branches branches;
	struct printer p = { .branches = &branches, .terminal = t, .out = out };

	p.chain = calloc(tree->nr, sizeof(*p.chain));
	if (!p.chain || branches_make(&branches, tree) < 0) {
		free(p.chain);
		return -ENOMEM;
	}
	branches_show(&branches, top);
	fprintf(out, "\n%s%10s %7s %9s  %s%s\n", terminal_bold(t), "time", "share", "launches",
		"stack: outermost first, a line more where it branches", terminal_plain(t));
	for (uint32_t i = branches.first[0]; i; i = branches.next[i])
		print_branch(&p, i, 0);
	if (top < branches.nr)
		fprintf(out, "and %s more (--top)\n", figure_count(branches.nr - top).text);
	if (tree->nr_cut)
		fprintf(out, "%s frames did not fit: their time is with what called them\n",
			figure_count(tree->nr_cut).text);
	branches_clear(&branches);
	free(p.chain);
	return 0;
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* Nodes from the outermost to this one; returns how many. */
static size_t find_chain(const struct call_tree *tree, uint32_t node, uint32_t *chain)
{
	size_t nr = 0;

	for (uint32_t i = node; i; i = tree->nodes[i].parent)
		nr++;
	for (size_t i = nr; i-- > 0; node = tree->nodes[node].parent)
		chain[i] = node;
	return nr;
}

static json_t *stack_json(const struct call_tree *tree, uint32_t node, uint32_t *chain)
{
	const struct call_node *n = &tree->nodes[node];
	const uint64_t all_ns = tree->nodes[0].time_ns;
	const size_t nr = find_chain(tree, node, chain);
	json_t *frames = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(frames, json_text(tree->nodes[chain[i]].name->text));
	return json_pack("{s:o, s:o, s:f, s:o}", "stack", frames, "time_ns", json_u64(n->self_ns),
			 "share", all_ns ? (double)n->self_ns / (double)all_ns : 0.0, "launches",
			 json_u64(n->self_launches));
}

static int by_self_time(const void *a, const void *b, void *opaque)
{
	const struct call_node *nodes = opaque;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (nodes[x].self_ns != nodes[y].self_ns)
		return nodes[x].self_ns < nodes[y].self_ns ? 1 : -1;
	return x < y ? -1 : x > y;
}

json_t *stacks_json(const struct call_tree *tree)
{
	uint32_t *order = calloc(tree->nr, sizeof(*order));
	uint32_t *chain = calloc(tree->nr, sizeof(*chain));
	json_t *array = order && chain ? json_array() : NULL;
	size_t nr = 0;

	for (uint32_t i = 1; array && i < tree->nr; i++)
		if (tree->nodes[i].self_launches)
			order[nr++] = i;
	if (nr)
		qsort_r(order, nr, sizeof(*order), by_self_time, tree->nodes);
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(array, stack_json(tree, order[i], chain));
	free(order);
	free(chain);
	return array;
}

int stacks_folded(const struct call_tree *tree, FILE *out)
{
	uint32_t *chain = calloc(tree->nr, sizeof(*chain));

	if (!chain)
		return -ENOMEM;
	for (uint32_t i = 1; i < tree->nr && !ferror(out); i++) {
		const size_t nr = tree->nodes[i].self_ns ? find_chain(tree, i, chain) : 0;

		for (size_t k = 0; k < nr; k++)
			fprintf(out, "%s%s", k ? ";" : "", tree->nodes[chain[k]].name->text);
		if (nr)
			fprintf(out, " %" PRIu64 "\n", tree->nodes[i].self_ns);
	}
	free(chain);
	return 0;
}
