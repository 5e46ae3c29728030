/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modules.h - the Python paths of a run -> the tree of its modules, objects and functions.
 *
 * Frames of one object below the same parent are one node, whatever wrappers lie between them.
 * Objects of a class below one parent are numbered in the order in which they were first called.
 */
#ifndef ANALYZER_MODULES_H
#define ANALYZER_MODULES_H

#include "profile.h"

enum module_sort {
	MODULE_root,
	MODULE_process, /* one of several */
	MODULE_missing, /* launches without a path */
	MODULE_module,  /* of PyTorch */
	MODULE_object,  /* a pipeline, a scheduler ... */
	MODULE_function,
	MODULE_setup, /* making a model */
};

struct module_work {
	uint64_t time_ns, launches;
	double flops;
};

struct module_sums {
	struct module_work all, operators[NR_OPERATORS];
};

struct module_node {
	enum module_sort sort;
	uint32_t parent, first_child, last_child, next; /* 0: none; always above the parent's */
	uint32_t number;               /* among those of one class below the same parent */
	uint32_t first_same, nr_same;  /* the first of those, which has their count */
	const struct name *class_name; /* NULL: a function */
	const struct name *label;
	uint64_t self;
	struct module_sums own, total; /* after modules_sum() */
	struct profile_cost cost;      /* of total */
	uint64_t calls;                /* of a module, after module_calls_count(); 0: not known */
};

struct modules;

struct modules *modules_new(const struct run *run); /* NULL: no memory */
void modules_free(struct modules *m);               /* accepts NULL */

/* Adds the profile's work to the nodes. */
void modules_sum(struct modules *m, const struct profile *p);

/* More calls of a node. */
void modules_add_calls(struct modules *m, uint32_t node, uint64_t calls);

/* The root is node 0. */
size_t modules_count(const struct modules *m);
const struct module_node *modules_node(const struct modules *m, uint32_t node);
uint32_t modules_of_site(const struct modules *m, const struct trace *t, uint32_t site);

/* "BasicTransformerBlock[3]" */
void modules_label(const struct modules *m, uint32_t node, char *ret, size_t size);
/* "UNet2DConditionModel / CrossAttnDownBlock2D[0] / ..." */
void modules_path(const struct modules *m, uint32_t node, char *ret, size_t size);

enum { MODULES_PATH_MAX = 4096 };

/* Which nodes a regular expression is about: those whose path it matches, and all below them. */
struct module_focus;

/* NULL, and why: not a regular expression, or no memory. */
struct module_focus *module_focus_new(const struct modules *m, const char *pattern,
				      struct diag *diag);
void module_focus_free(struct module_focus *f); /* accepts NULL */
bool module_focus_has(const struct module_focus *f, const struct trace *t, uint32_t site);

#endif
