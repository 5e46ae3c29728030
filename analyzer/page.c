/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "page_json.h"

/* The page in two parts, with the data between them: page_text.S, from analyzer/html/. */
extern const char page_text[], page_text_end[];

static const char data_place[] = "@DATA@";

/* What a mail attachment may weigh, less the page itself. */
enum { DATA_BYTES_MAX = 4500000, ATTEMPTS = 7 };

struct limits {
	struct cube_limits cube;
	struct timeline_limits timeline;
	size_t lengths, phases;
};

static const struct limits limits_at_first = {
	.cube = { .groups = 48, .nodes = 3000, .entries = 3000, .rows = 60000 },
	.timeline = { .bins = 16384, .details = 16000, .detail = 6000 },
	.lengths = 8000,
	.phases = 1500,
};

static struct limits smaller(const struct limits *l, unsigned int shift)
{
	return (struct limits){
		.cube = { .groups = l->cube.groups >> shift / 2,
			  .nodes = l->cube.nodes >> shift,
			  .entries = l->cube.entries >> shift,
			  .rows = l->cube.rows >> shift },
		.timeline = { .bins = l->timeline.bins >> shift,
			      .details = l->timeline.details >> shift,
			      .detail = l->timeline.detail >> shift },
		.lengths = l->lengths >> shift,
		.phases = l->phases >> shift,
	};
}

/* --- the data --------------------------------------------------------------------------------- */

/* In the text of a page no tag may begin and no entity, whatever a kernel is called. */
struct writer {
	FILE *out; /* NULL: it is only measured */
	size_t size;
};

static void put(struct writer *w, const char *text, size_t size)
{
	w->size += size;
	if (w->out)
		fwrite(text, 1, size, w->out);
}

static int write_escaped(const char *text, size_t size, void *context)
{
	struct writer *w = context;
	size_t begin = 0;

	for (size_t i = 0; i < size; i++) {
		char escape[8];

		if (text[i] != '<' && text[i] != '>' && text[i] != '&')
			continue;
		put(w, text + begin, i - begin);
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)text[i]);
		put(w, escape, 6);
		begin = i + 1;
	}
	put(w, text + begin, size - begin);
	return 0;
}

/* All but ASCII is escaped, line separators among it. */
static size_t write_json(const json_t *json, FILE *out)
{
	struct writer w = { .out = out };

	json_dump_callback(json, write_escaped, &w,
			   JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	return w.size;
}

static int make_json(const struct analysis *a, const struct report *report,
		     const struct limits *limits, json_t **ret)
{
	const struct cube_source source = {
		.run = &a->run,
		.inputs = &a->inputs,
		.profile = &a->profile,
		.modules = a->modules,
		.phases = &a->phases,
	};
	struct cube cube = { 0 };
	struct timeline timeline = { 0 };
	struct length_bins lengths = { 0 };
	const struct page page = {
		.report = report,
		.source = &source,
		.cube = &cube,
		.timeline = &timeline,
		.lengths = &lengths,
		.peaks = &a->peaks,
		.focus = a->focus,
		.choice = a->is_chosen ? &a->choice : NULL,
		.phases_max = limits->phases,
	};
	int r = cube_make(&cube, &source, &limits->cube);

	if (r == 0)
		r = length_bins_make(&lengths, &source, &cube, limits->lengths);
	if (r < 0)
		diag_set(a->diag, r, "no memory");
	else
		r = timeline_make(&timeline, &source, &cube, a->information, &limits->timeline,
				  a->diag);
	if (r == 0 && cube_move(&cube, timeline.moves, timeline.nr_moves) < 0)
		r = diag_set(a->diag, -ENOMEM, "no memory");
	if (r == 0) {
		*ret = page_json(&page);
		if (!*ret)
			r = diag_set(a->diag, -ENOMEM, "no memory");
	}
	length_bins_clear(&lengths);
	timeline_clear(&timeline);
	cube_clear(&cube);
	return r;
}

/* With less and less detail, until it is small enough. */
static int make_small_json(const struct analysis *a, const struct report *report, json_t **ret)
{
	for (unsigned int i = 0;; i++) {
		const struct limits limits = smaller(&limits_at_first, i);
		const int r = make_json(a, report, &limits, ret);

		if (r < 0 || i == ATTEMPTS - 1 || write_json(*ret, NULL) <= DATA_BYTES_MAX)
			return r;
		json_decref(*ret);
	}
}

/* --- the file --------------------------------------------------------------------------------- */

int page_check(struct diag *diag)
{
	if (&page_text[0] != &page_text_end[0])
		return 0;
	return diag_set(diag, -ENOSYS,
			"this ttitrace was built without D3, which draws the page: install the "
			"package node-d3 and build again");
}

int page_write(const char *path, const struct analysis *a, const struct report *report,
	       struct diag *diag)
{
	const size_t size = (size_t)(page_text_end - page_text);
	const char *place = memmem(page_text, size, data_place, strlen(data_place));
	json_t *json = NULL;
	struct output output;
	int r = page_check(diag);

	if (r == 0)
		r = make_small_json(a, report, &json);
	if (r < 0)
		return r;
	r = output_open(&output, path, diag);
	if (r < 0) {
		json_decref(json);
		return r;
	}
	fwrite(page_text, 1, (size_t)(place - page_text), output.file);
	write_json(json, output.file);
	place += strlen(data_place);
	fwrite(place, 1, (size_t)(page_text_end - place), output.file);
	json_decref(json);
	return output_close(&output, 0, diag);
}
