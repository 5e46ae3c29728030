/* SPDX-License-Identifier: Apache-2.0 */
#include "works.h"

#include <stdlib.h>
#include <string.h>

#include "demangle.h"

struct works {
	struct names *names;
	const struct classifier *classifier;
	struct work **rows;
	size_t nr;
	struct id_map ids;       /* by name */
	struct kernel_text text; /* too large for the stack */
};

struct works *works_new(struct names *names, const struct classifier *classifier)
{
	struct works *w = calloc(1, sizeof(*w));

	if (w) {
		w->names = names;
		w->classifier = classifier;
	}
	return w;
}

void works_free(struct works *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->nr; i++)
		free(w->rows[i]);
	free(w->rows);
	id_map_free(&w->ids);
	free(w);
}

static const char *copy_kind_name(uint64_t kind)
{
	static const char *const names[] = {
		"[copy]",
		"[copy host to device]",
		"[copy device to host]",
		"[copy host to array]",
		"[copy array to host]",
		"[copy array to array]",
		"[copy array to device]",
		"[copy device to array]",
		"[copy device to device]",
		"[copy host to host]",
		"[copy peer to peer]",
	};

	return names[kind < sizeof(names) / sizeof(*names) ? kind : 0];
}

static const struct name *intern(struct works *w, const char *text)
{
	return names_intern(w->names, text, strlen(text));
}

/* The work that stands under a name, made if there is none. */
static struct work *find_work(struct works *w, const struct name *key, bool *ret_is_new)
{
	const uint32_t index = id_map_find(&w->ids, (uintptr_t)key);
	struct work **works, *work;

	*ret_is_new = !index;
	if (index)
		return w->rows[index - 1];
	works = realloc(w->rows, (w->nr + 1) * sizeof(*works));
	work = works ? calloc(1, sizeof(*work)) : NULL;
	if (works)
		w->rows = works;
	if (!work)
		return NULL;
	w->rows[w->nr++] = work;
	if (id_map_add(&w->ids, (uintptr_t)key, (uint32_t)w->nr) < 0)
		return NULL;
	return work;
}

static const struct work *kernel_work(struct works *w, const struct name *mangled)
{
	struct classification found;
	char *demangled;
	bool is_new;
	struct work *work;

	if (!mangled)
		mangled = intern(w, "");
	if (!mangled)
		return NULL;
	work = find_work(w, mangled, &is_new);
	if (!work || !is_new)
		return work;
	demangled = demangle(mangled->text);
	if (!demangled)
		return NULL;
	kernel_text_make(&w->text, mangled->text, demangled);
	free(demangled);
	classify_text(w->classifier, &w->text, &found);
	*work = (struct work){
		.mangled = mangled,
		.name = mangled->size ? intern(w, w->text.readable) : intern(w, "(no name)"),
		.kind = found.kind,
		.sub = found.sub,
		.operator_name = found.operator_name,
		.rule = found.rule,
	};
	return work->name ? work : NULL;
}

static const struct work *other_work(struct works *w, const char *text, const char *kind,
				     const char *operator_name)
{
	const struct name *name = intern(w, text);
	bool is_new;
	struct work *work = name ? find_work(w, name, &is_new) : NULL;

	if (work && is_new)
		*work = (struct work){
			.name = name, .kind = kind, .sub = "", .operator_name = operator_name
		};
	return work;
}

const struct work *work_of_device(struct works *w, const struct device_template *d)
{
	switch (d->definition.activity) {
	case TTI_ACTIVITY_KERNEL:
		return kernel_work(w, d->kernel);
	case TTI_ACTIVITY_COPY:
		return other_work(w, copy_kind_name(d->definition.copy_kind), "memcpy", "memory");
	case TTI_ACTIVITY_FILL:
		return other_work(w, "[fill]", "memset", "memory");
	case TTI_ACTIVITY_GRAPH:
		return other_work(w, "[whole graph]", "unknown", "unknown");
	default:
		return other_work(w, "[activity of a newer version]", "unknown", "unknown");
	}
}

const struct work *work_of_host(struct works *w, const struct host_template *h)
{
	if (h->definition.flags & TTI_TEMPLATE_CAPTURED || !h->count)
		return NULL;
	switch (h->definition.op) {
	case TTI_OP_LAUNCH:
		return kernel_work(w, h->kernel);
	case TTI_OP_GRAPH_LAUNCH:
		return other_work(w, "[graph launch]", "graph", "other");
	case TTI_OP_COPY:
		return other_work(w, "[copy]", "memcpy", "memory");
	case TTI_OP_FILL:
		return other_work(w, "[fill]", "memset", "memory");
	default:
		return NULL;
	}
}
