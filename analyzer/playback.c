/* SPDX-License-Identifier: Apache-2.0 */
#include "playback.h"

#include <errno.h>
#include <stdlib.h>

#include "progress.h"

/* Device rows that wait for their launch, and launches that are remembered for their rows. */
enum { WAITING_MAX = 1 << 20, CHAINS = 1 << 16, LAUNCHES = 1 << 20 };

/* What the device did, or, of host time, a launching call. */
struct heard {
	uint32_t site;            /* 0: not known yet; known of nodes before their launch is */
	uint32_t device_template; /* 0: of host time */
	uint32_t correlation;     /* 0: none */
	uint64_t begin_ns, duration_ns;
};

struct waiting {
	uint32_t next; /* index and 1 of one in the same chain, 0: none */
	struct heard row;
};

struct launch {
	uint32_t correlation, site;
	uint64_t begin_ns;
};

struct playing {
	const struct trace *trace;
	const struct profile *profile;
	const struct player *player;
	struct progress *progress;
	struct id_map items; /* by site and device template */
	struct waiting *waiting;
	size_t nr_waiting, size_waiting;
	uint32_t first_free;     /* index and 1 */
	uint32_t chains[CHAINS]; /* by correlation: index and 1 */
	struct launch launches[LAUNCHES];
};

static uint64_t key_of(uint32_t site, uint32_t device_template)
{
	return (uint64_t)site << 32 | device_template;
}

static int map_items(struct playing *p)
{
	for (size_t i = 0; i < p->profile->nr_items; i++) {
		const struct profile_item *item = &p->profile->items[i];

		if (item->trace == p->trace &&
		    id_map_add(&p->items, key_of(item->site, item->device_template),
			       (uint32_t)(i + 1)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The row of a launch that the sums do not know as its own is there as one of no launch. */
static const struct profile_item *item_of(const struct playing *p, const struct heard *e)
{
	uint32_t index = id_map_find(&p->items, key_of(e->site, e->device_template));

	if (!index && e->device_template)
		index = id_map_find(&p->items, key_of(0, e->device_template));
	return index ? &p->profile->items[index - 1] : NULL;
}

static void play(const struct playing *p, const struct heard *e, uint64_t launch_ns)
{
	const struct played row = {
		.trace = p->trace,
		.item = item_of(p, e),
		.begin_ns = e->begin_ns,
		.duration_ns = e->duration_ns,
		.launch_ns = launch_ns,
	};

	if (row.item)
		p->player->play(p->player->context, &row);
}

/* --- rows that come before their launch ------------------------------------------------------- */

static struct waiting *find_room(struct playing *p)
{
	struct waiting *w;

	if (p->first_free) {
		w = &p->waiting[p->first_free - 1];
		p->first_free = w->next;
		return w;
	}
	if (p->nr_waiting == p->size_waiting) {
		const size_t size = p->size_waiting ? 2 * p->size_waiting : 1024;
		struct waiting *rows =
			size > WAITING_MAX ? NULL : realloc(p->waiting, size * sizeof(*rows));

		if (!rows)
			return NULL;
		p->waiting = rows;
		p->size_waiting = size;
	}
	return &p->waiting[p->nr_waiting++];
}

static void wait_for_launch(struct playing *p, const struct heard *e)
{
	uint32_t *chain = &p->chains[e->correlation % CHAINS];
	struct waiting *w = find_room(p);

	if (!w) {
		play(p, e, 0);
		return;
	}
	*w = (struct waiting){ .next = *chain, .row = *e };
	*chain = (uint32_t)(w - p->waiting) + 1;
}

static void see_launch(struct playing *p, const struct host_row *launch)
{
	uint32_t *link = &p->chains[launch->correlation % CHAINS];

	p->launches[launch->correlation % LAUNCHES] =
		(struct launch){ launch->correlation, launch->site, launch->begin_ns };
	while (*link) {
		struct waiting *w = &p->waiting[*link - 1];
		const uint32_t index = *link;

		if (w->row.correlation != launch->correlation) {
			link = &w->next;
			continue;
		}
		w->row.site = w->row.site ? w->row.site : launch->site;
		play(p, &w->row, launch->begin_ns);
		*link = w->next;
		w->next = p->first_free;
		p->first_free = index;
	}
}

static int see_host(void *context, const struct host_row *h)
{
	struct playing *p = context;
	const struct heard call = {
		.site = h->site,
		.begin_ns = h->begin_ns,
		.duration_ns = h->duration_ns,
	};

	if (!h->class)
		return 0;
	if (p->profile->is_host_time)
		play(p, &call, h->begin_ns);
	else if (h->correlation)
		see_launch(p, h);
	return 0;
}

/* What made a node may be known only later in the file than the node ran. */
static uint32_t site_of_node(const struct playing *p, const struct device_row *d)
{
	const struct model *m = &p->trace->model;
	const uint32_t index = d->node && !d->site ? id_map_find(&m->node_ids, d->node) : 0;

	return index ? model_node_creator(m, &m->nodes.rows[index]) : d->site;
}

static int see_device(void *context, const struct device_row *d)
{
	struct playing *p = context;
	const struct launch *launch = &p->launches[d->correlation % LAUNCHES];
	struct heard row = {
		.site = site_of_node(p, d),
		.device_template = d->template,
		.correlation = d->correlation,
		.begin_ns = d->begin_ns,
		.duration_ns = d->duration_ns,
	};

	if (p->profile->is_host_time)
		return 0;
	if (d->correlation && launch->correlation == d->correlation) {
		row.site = row.site ? row.site : launch->site;
		play(p, &row, launch->begin_ns);
	} else if (!d->correlation) {
		play(p, &row, 0);
	} else {
		wait_for_launch(p, &row);
	}
	return 0;
}

static int see_record(void *context, uint64_t kind, const union record_fields *fields)
{
	(void)context;
	(void)kind;
	(void)fields;
	return 0;
}

static void see_progress(void *context, uint64_t offset)
{
	const struct playing *p = context;

	progress_at(p->progress, offset);
}

static void play_the_rest(const struct playing *p)
{
	for (size_t chain = 0; chain < CHAINS; chain++)
		for (uint32_t i = p->chains[chain]; i; i = p->waiting[i - 1].next)
			play(p, &p->waiting[i - 1].row, 0);
}

/* --- a trace ---------------------------------------------------------------------------------- */

static int play_trace(struct playing *p, const struct run *run, enum information information,
		      struct diag *diag)
{
	const struct trace_observer observer = {
		.host = see_host,
		.device = see_device,
		.record = see_record,
		.progress = see_progress,
		.context = p,
	};
	const struct trace_setup setup = {
		.names = run->names,
		.works = run->works,
		.information = information,
		.with_phases = p->trace->phases != NULL,
		.with_phase_sites = p->trace->pairs.has_sites_of_segments,
		.survey = p->trace->phases ? phase_tracker_survey(p->trace->phases) : NULL,
		.observer = &observer,
	};
	struct trace *again = NULL;
	int r = map_items(p);

	if (r < 0)
		return diag_set(diag, r, "no memory");
	r = trace_scan(p->trace->path, &setup, &again, diag);
	if (r == 0)
		play_the_rest(p);
	trace_free(again);
	return r;
}

int playback(const struct run *run, enum information information, const struct profile *p,
	     const struct player *player, struct diag *diag)
{
	struct progress *progress;
	uint64_t bytes = 0;
	int r = 0;

	for (size_t i = 0; i < run->nr; i++)
		bytes += run->traces[i]->file_bytes;
	progress = progress_new("report", bytes);
	if (!progress)
		return diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < run->nr && r == 0; i++) {
		struct playing *playing = calloc(1, sizeof(*playing));

		if (!playing) {
			r = diag_set(diag, -ENOMEM, "no memory");
			break;
		}
		playing->trace = run->traces[i];
		playing->profile = p;
		playing->player = player;
		playing->progress = progress;
		r = play_trace(playing, run, information, diag);
		progress_add(progress, run->traces[i]->file_bytes);
		id_map_free(&playing->items);
		free(playing->waiting);
		free(playing);
	}
	progress_end(progress);
	return r;
}
