/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - the definitions of one trace, looked up by id.
 *
 * What rows add up to stands with the template they name, so that a report needs no memory per
 * launch.
 */
#ifndef ANALYZER_MODEL_H
#define ANALYZER_MODEL_H

#include <stdbool.h>

#include "attention.h"
#include "call.h"
#include "decode.h"
#include "id_map.h"
#include "names.h"
#include "windows.h"
#include "works.h"

enum problem {
#define PROBLEM(name, what) PROBLEM_##name,
#include "problems.def"
#undef PROBLEM
	NR_PROBLEMS
};

const char *problem_name(enum problem p);
const char *problem_text(enum problem p);

/* A kernel as the driver described it at the launch. */
struct kernel {
	const struct name *name; /* NULL: the driver would not tell */
	struct tti_list layout;  /* offset and size of each parameter, alternating; owned */
};

/* Parameter bytes that were kept. */
struct parameters {
	uint32_t kernel; /* index */
	uint32_t size;
	uint8_t *bytes; /* owned */
};

struct native_frame {
	uint32_t parent;     /* index, 0: outermost */
	uint32_t nr_objects; /* that were known before it */
	uint64_t address;
};

/* An ELF object of the process. */
struct loaded_object {
	uint64_t begin, end, bias;
	const struct name *path, *build_id; /* NULL: beyond what is kept; a build id is bytes */
};

struct python_frame {
	uint32_t parent;                             /* index, 0: outermost */
	const struct name *code, *file, *class_name; /* NULL: not known */
	uint64_t line, self;
};

struct host_template {
	struct tti_template
		definition;        /* all zero at index 0: a row whose template is not defined */
	const struct name *kernel; /* NULL: not a kernel, or its name is not known */
	const struct name *api;
	const struct work *work;                  /* NULL: no work of its own */
	uint32_t last_site;                       /* the one that its last launch was of, 0: none */
	uint8_t step;                             /* enum step: what it means to its neighbours */
	uint32_t kernel_index, call, stack, path; /* indexes, 0: none */
	uint64_t count;                           /* rows that returned success */
	uint64_t failed;
	uint64_t host_ns;
};

struct device_template {
	struct tti_device_template definition;
	const struct name *kernel;
	uint64_t count;
	uint64_t node_count; /* those of count that were graph nodes */
	uint64_t time_ns, min_ns, max_ns;
};

struct graph_node {
	uint64_t node, origin, graph;
	bool is_defined;
	uint32_t site;            /* of the call that created it, 0: not known */
	uint32_t segment;         /* of phases, of that call */
	uint32_t device_template; /* of the last device row */
	uint32_t turn;            /* of the model, when it was last asked for */
	uint64_t nr_rows;
	uint64_t time_ns, min_ns, max_ns;
};

/* What of a trace is to be used: less than all shows what less would be worth. */
enum information {
#define INFORMATION(name, text) INFORMATION_##name,
#include "information.def"
#undef INFORMATION
};

struct info {
	const struct name *key, *value;
};

#define TABLE(type)          \
	struct {             \
		type *rows;  \
		size_t nr;   \
		size_t size; \
	}

struct model {
	struct names *names; /* borrowed */
	struct works *works; /* borrowed */
	enum information information;
	bool has_process, has_finish;
	struct tti_process process; /* its strings are below */
	const struct name *host, *program, *command, *rank, *version;
	struct tti_finish finish;
	TABLE(struct info) infos;
	TABLE(struct tti_device) devices; /* names: those of device_names, same index */
	TABLE(const struct name *) device_names;
	struct id_map string_ids, kernel_ids, template_ids, device_template_ids, context_ids,
		node_ids, exec_ids, graph_ids, call_ids, parameter_ids, frame_ids, code_ids,
		python_frame_ids, symbol_ids; /* symbols: by address */
	/* Indexes from 1 on; 0 is "not defined". */
	TABLE(const struct name *) strings;
	TABLE(struct kernel) kernels;
	TABLE(struct host_template) templates;
	TABLE(struct device_template) device_templates;
	TABLE(struct tti_context) contexts;
	TABLE(struct graph_node) nodes;
	uint32_t node_turn; /* counted up by model_forget_nodes() */
	size_t nodes_kept;  /* by the last one */
	TABLE(struct tti_graph_exec) execs;
	TABLE(struct call) calls;
	TABLE(struct parameters) parameters;
	TABLE(struct native_frame) frames;
	TABLE(const struct name *) symbols; /* what the trace itself calls an address */
	TABLE(struct tti_code) codes;
	TABLE(struct python_frame) python_frames;
	TABLE(struct loaded_object) objects;
	size_t blob_bytes;
	uint64_t nr_threads;
	bool has_counter[TTI_COUNTER_LIMIT];
	uint64_t counters[TTI_COUNTER_LIMIT];
	struct windows windows;
	uint64_t problems[NR_PROBLEMS];
};

int model_init(struct model *m, struct names *names, struct works *works); /* 0 or -ENOMEM */
void model_clear(struct model *m);

/* Takes one record without columns.  0 or -ENOMEM. */
int model_take(struct model *m, uint64_t kind, const union record_fields *fields);

/* The entry of a node, made if there is none; NULL: too many nodes (counted). */
struct graph_node *model_node(struct model *m, uint64_t node);

/*
 * Graphs come and go, and nobody says when they go.  Once so many nodes have come (`true`), those
 * that nobody has asked for since the last time can be forgotten: `settle` is told of each first.
 * 0, -ENOMEM, or what `settle` returned.
 */
bool model_has_many_nodes(const struct model *m);
int model_forget_nodes(struct model *m, int (*settle)(const struct graph_node *node, void *of),
		       void *of);

/* The site of the call that created the node, directly or as what it was cloned from; 0. */
uint32_t model_node_creator(const struct model *m, const struct graph_node *node);

/* The segment of phases that the call was made in; 0. */
uint32_t model_node_segment(const struct model *m, const struct graph_node *node);

/* What a launch was made with, for the decoders; borrows from the model. */
struct launch_facts model_launch_facts(const struct model *m, uint32_t host_template,
				       uint32_t parameters);

/* The value of an info record, or NULL. */
const char *model_info(const struct model *m, const char *key);

#endif
