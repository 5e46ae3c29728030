/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_tree.h - the work of a run by who called for it: stacks from the outermost frame to the
 * kernel, put together where they begin alike.
 *
 * With both sorts of frames, the native ones stand below the innermost Python frame, from the
 * interpreter inwards.  What runs as part of a graph has the stack of its capture.
 */
#ifndef ANALYZER_CALL_TREE_H
#define ANALYZER_CALL_TREE_H

#include "frame_symbols.h"
#include "profile.h"

enum stacks { STACKS_both, STACKS_native, STACKS_python, NR_STACKS };

enum stacks stacks_by_name(const char *name); /* NR_STACKS: there is none */

struct call_node {
	uint32_t parent;         /* index, 0: outermost; less than its own */
	const struct name *name; /* printable, without ';' */
	uint64_t self_ns, self_launches;
	uint64_t time_ns, launches; /* with all below */
	uint32_t nr_children;
};

struct call_tree {
	struct call_node *nodes; /* 0: the root, without a name */
	size_t nr, size;
	struct id_map children; /* by parent and name */
	struct id_map name_ids;
	uint32_t nr_names;
	uint64_t nr_cut; /* stacks that did not fit and end early */
};

struct call_tree_setup {
	enum stacks stacks;
	bool full_names;
	bool with_lines; /* and inlined functions, where there is debug information */
	struct frame_symbols *symbols;
};

/* 0 or -ENOMEM */
int call_tree_make(struct call_tree *t, const struct run *run, const struct profile *profile,
		   const struct call_tree_setup *setup, struct diag *diag);
void call_tree_clear(struct call_tree *t);

#endif
