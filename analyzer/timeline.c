/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LANES_MAX = 64, STREAMS_MAX = 256, BINS_MIN = 64, STRETCH_ROWS_MIN = 400 };

struct maker {
	struct timeline *timeline;
	const struct cube_source *source;
	const struct cube *cube;
	const struct timeline_limits *limits;
	uint32_t *detail_of_phase; /* by phase and 1: detail and 1, 0: none */
	uint32_t all;              /* the detail of a short run and 1, 0: none */
	uint32_t stretch, start;   /* of a run without phases: from its middle, from its start */
	uint64_t middle_ns;
	const struct phase **by_begin; /* all phases, trace by trace */
	struct id_map moves;           /* by item and group: index and 1 */
	size_t nr_rows;                /* of all details */
	int r;                         /* negative: no memory */
};

/* --- lanes ------------------------------------------------------------------------------------ */

static void add_lane(struct maker *m, const struct trace *trace, uint64_t device, uint64_t begin_ns,
		     uint64_t end_ns)
{
	struct timeline *t = m->timeline;
	uint32_t index = 0;

	if (t->nr_lanes == LANES_MAX || begin_ns >= end_ns)
		return;
	while (m->source->run->traces[index] != trace)
		index++;
	t->lanes[t->nr_lanes++] = (struct timeline_lane){
		.trace = trace,
		.side = m->cube->side_of_trace[index],
		.device = device,
		.begin_ns = begin_ns,
		.end_ns = end_ns,
		.last_end_ns = begin_ns,
	};
}

static int make_lanes(struct maker *m)
{
	const struct run *run = m->source->run;
	struct timeline *t = m->timeline;
	size_t nr;

	t->lanes = calloc(LANES_MAX, sizeof(*t->lanes));
	t->streams = calloc(STREAMS_MAX, sizeof(*t->streams));
	if (!t->lanes || !t->streams)
		return -ENOMEM;
	for (size_t i = 0; i < run->nr; i++) {
		const struct trace *trace = run->traces[i];

		if (m->source->profile->is_host_time)
			add_lane(m, trace, 0, trace->first_ns, trace->last_ns);
		for (size_t k = 0; k < trace->nr_devices && !m->source->profile->is_host_time; k++)
			add_lane(m, trace, trace->devices[k].ordinal,
				 trace->devices[k].busy->first_ns, trace->devices[k].busy->last_ns);
	}
	nr = t->nr_lanes ? m->limits->bins / t->nr_lanes : 0;
	nr = nr < BINS_MIN ? BINS_MIN : nr;
	for (size_t i = 0; i < t->nr_lanes; i++) {
		struct timeline_lane *lane = &t->lanes[i];
		const uint64_t span_ns = lane->end_ns - lane->begin_ns;

		lane->width_ns = span_ns / nr + 1;
		lane->nr_bins = span_ns / lane->width_ns + 1;
		/* One row more: what fills several bins is added as a difference. */
		lane->bins = calloc((lane->nr_bins + 1) * NR_OPERATORS, 2 * sizeof(*lane->bins));
		if (!lane->bins)
			return -ENOMEM;
	}
	return 0;
}

static struct timeline_lane *find_lane(const struct maker *m, const struct played *row)
{
	const struct timeline *t = m->timeline;

	for (size_t i = 0; i < t->nr_lanes; i++)
		if (t->lanes[i].trace == row->trace &&
		    (m->source->profile->is_host_time || t->lanes[i].device == row->item->device))
			return &t->lanes[i];
	return NULL;
}

static uint32_t find_stream(struct timeline *t, uint32_t lane, const struct profile_item *item)
{
	for (uint32_t i = 0; i < t->nr_streams; i++)
		if (t->streams[i].lane == lane && t->streams[i].context == item->context &&
		    t->streams[i].stream == item->stream)
			return i;
	if (t->nr_streams == STREAMS_MAX)
		return STREAMS_MAX - 1;
	t->streams[t->nr_streams] = (struct timeline_stream){ lane, item->context, item->stream };
	return (uint32_t)t->nr_streams++;
}

/* --- bins ------------------------------------------------------------------------------------- */

static double *bin_of(const struct timeline_lane *lane, size_t bin, enum operator op)
{
	return &lane->bins[bin * NR_OPERATORS + op];
}

/* Behind the bins: by how much full bins begin and end. */
static double *step_of(const struct timeline_lane *lane, size_t bin, enum operator op)
{
	return &lane->bins[(lane->nr_bins + 1 + bin) * NR_OPERATORS + op];
}

static void add_to_bins(struct timeline_lane *lane, const struct played *row)
{
	const enum operator op = row->item->assignment.op;
	const uint64_t width = lane->width_ns;
	uint64_t begin = row->begin_ns, end = row->begin_ns + row->duration_ns;
	size_t first, last;

	begin = begin < lane->begin_ns ? lane->begin_ns : begin;
	end = end > lane->end_ns ? lane->end_ns : end;
	if (end <= begin)
		return;
	begin -= lane->begin_ns;
	end -= lane->begin_ns;
	first = begin / width;
	last = end / width;
	if (first == last) {
		*bin_of(lane, first, op) += (double)(end - begin);
		return;
	}
	*bin_of(lane, first, op) += (double)((first + 1) * width - begin);
	*bin_of(lane, last, op) += (double)(end - last * width);
	*step_of(lane, first + 1, op) += (double)width;
	*step_of(lane, last, op) -= (double)width;
}

static void finish_bins(struct timeline_lane *lane)
{
	for (enum operator op = 0; op < NR_OPERATORS; op++) {
		double level = 0;

		for (size_t i = 0; i < lane->nr_bins; i++) {
			level += *step_of(lane, i, op);
			*bin_of(lane, i, op) += level;
		}
	}
}

/* Rows of several streams come nearly in order; what comes late closes no gap twice. */
static void add_to_gaps(struct timeline_lane *lane, const struct played *row)
{
	const uint64_t from = lane->last_end_ns, end = row->begin_ns + row->duration_ns;

	if (row->begin_ns > from && row->launch_ns) {
		const uint64_t launched = row->launch_ns < from            ? from
					  : row->launch_ns > row->begin_ns ? row->begin_ns
									   : row->launch_ns;

		lane->wait_for_launch_ns += launched - from;
		lane->wait_for_start_ns += row->begin_ns - launched;
	}
	if (end > from && end >= row->begin_ns)
		lane->last_end_ns = end;
}

/* --- what is kept launch by launch ------------------------------------------------------------ */

static int by_length(const void *a, const void *b)
{
	const struct phase *x = *(const struct phase *const *)a,
			   *y = *(const struct phase *const *)b;
	const uint64_t m = x->end_ns - x->begin_ns, n = y->end_ns - y->begin_ns;

	if (m != n)
		return m < n ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool is_of(const struct maker *m, size_t phase, uint32_t side, uint32_t group)
{
	const struct phases *p = m->source->phases;
	const struct run *run = m->source->run;
	uint32_t trace = 0;

	if (m->cube->group_of_phase[phase + 1] != group || !p->rows[phase].launches)
		return false;
	while (run->traces[trace] != p->rows[phase].trace)
		trace++;
	return m->cube->side_of_trace[trace] == side;
}

static uint32_t add_detail(struct maker *m, struct timeline_detail detail)
{
	m->timeline->details[m->timeline->nr_details++] = detail;
	return (uint32_t)m->timeline->nr_details;
}

static void choose_phases(struct maker *m, const struct phase **rows)
{
	const struct phases *p = m->source->phases;

	for (uint32_t side = 0; side < m->cube->nr_sides; side++)
		for (uint32_t group = 1; group < m->cube->nr_groups; group++) {
			const struct phase *median;
			size_t nr = 0;

			for (size_t i = 0; i < p->nr; i++)
				if (is_of(m, i, side, group))
					rows[nr++] = &p->rows[i];
			if (!nr)
				continue;
			qsort(rows, nr, sizeof(const struct phase *), by_length);
			median = rows[nr / 2];
			m->detail_of_phase[median - p->rows + 1] =
				add_detail(m, (struct timeline_detail){
						      .phase = (uint32_t)(median - p->rows + 1),
						      .side = side,
						      .begin_ns = median->begin_ns,
						      .end_ns = median->end_ns,
					      });
		}
}

static void choose_stretch(struct maker *m)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (size_t i = 0; i < m->timeline->nr_lanes; i++) {
		const struct timeline_lane *lane = &m->timeline->lanes[i];

		first = lane->begin_ns < first ? lane->begin_ns : first;
		last = lane->end_ns > last ? lane->end_ns : last;
	}
	m->middle_ns = last > first ? first + (last - first) / 2 : 0;
	m->stretch = add_detail(m, (struct timeline_detail){ .begin_ns = UINT64_MAX });
	m->start = add_detail(m, (struct timeline_detail){ .begin_ns = UINT64_MAX });
}

static int choose_details(struct maker *m)
{
	const size_t nr = m->source->phases->nr;
	const struct phase **rows = calloc(nr + 1, sizeof(const struct phase *));
	const size_t nr_details = m->cube->nr_sides * m->cube->nr_groups + 2;

	m->detail_of_phase = calloc(nr + 1, sizeof(*m->detail_of_phase));
	m->timeline->details = calloc(nr_details, sizeof(*m->timeline->details));
	if (rows && m->detail_of_phase && m->timeline->details) {
		if (m->source->profile->launches <= m->limits->detail)
			m->all = add_detail(m, (struct timeline_detail){ .is_all = true,
									 .begin_ns = UINT64_MAX });
		else if (m->cube->nr_groups > 1)
			choose_phases(m, rows);
		else
			choose_stretch(m);
	}
	free(rows);
	return rows && m->detail_of_phase && m->timeline->details ? 0 : -ENOMEM;
}

static void add_row(struct maker *m, uint32_t index, const struct played *row, uint32_t lane)
{
	struct timeline_detail *d = &m->timeline->details[index - 1];
	const uint64_t end_ns = row->begin_ns + row->duration_ns;

	if (d->nr >= m->limits->detail || m->nr_rows >= m->limits->details) {
		d->nr_left_out++;
		return;
	}
	if (d->nr == d->size) {
		const size_t size = d->size ? 2 * d->size : 256;
		struct timeline_row *rows = realloc(d->rows, size * sizeof(*rows));

		if (!rows) {
			m->r = -ENOMEM;
			return;
		}
		d->rows = rows;
		d->size = size;
	}
	m->nr_rows++;
	d->rows[d->nr++] = (struct timeline_row){
		.item = (uint32_t)(row->item - m->source->profile->items),
		.stream = find_stream(m->timeline, lane, row->item),
		.begin_ns = row->begin_ns,
		.duration_ns = row->duration_ns,
		.launch_ns = row->launch_ns,
	};
	d->side = m->timeline->lanes[lane].side;
	d->begin_ns = row->begin_ns < d->begin_ns ? row->begin_ns : d->begin_ns;
	d->end_ns = end_ns > d->end_ns ? end_ns : d->end_ns;
}

/* --- phases by time --------------------------------------------------------------------------- */

static int by_trace_and_begin(const void *a, const void *b)
{
	const struct phase *x = *(const struct phase *const *)a,
			   *y = *(const struct phase *const *)b;

	if (x->trace != y->trace)
		return (uintptr_t)x->trace < (uintptr_t)y->trace ? -1 : 1;
	return x->begin_ns < y->begin_ns ? -1 : x->begin_ns > y->begin_ns;
}

static int sort_phases(struct maker *m)
{
	const struct phases *p = m->source->phases;

	m->by_begin = calloc(p->nr + 1, sizeof(const struct phase *));
	if (!m->by_begin)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr; i++)
		m->by_begin[i] = &p->rows[i];
	if (p->nr)
		qsort(m->by_begin, p->nr, sizeof(const struct phase *), by_trace_and_begin);
	return 0;
}

/* The phase that ran then, and 1; 0: none. */
static uint32_t phase_at(const struct maker *m, const struct played *row)
{
	const struct phase now = { .trace = row->trace, .begin_ns = row->begin_ns };
	const struct phase *wanted = &now;
	size_t first = 0, last = m->source->phases->nr;

	while (first < last) {
		const size_t middle = first + (last - first) / 2;

		if (by_trace_and_begin(&m->by_begin[middle], &wanted) <= 0)
			first = middle + 1;
		else
			last = middle;
	}
	if (!first || m->by_begin[first - 1]->trace != row->trace ||
	    row->begin_ns >= m->by_begin[first - 1]->end_ns)
		return 0;
	return (uint32_t)(m->by_begin[first - 1] - m->source->phases->rows) + 1;
}

/* A row whose site is that of many phases goes to the one that ran then. */
static void move_row(struct maker *m, const struct played *row, uint32_t item)
{
	struct timeline *t = m->timeline;
	const uint32_t group = m->cube->group_of_phase[phase_at(m, row)];
	const uint64_t key = (uint64_t)item * m->cube->nr_groups + group;
	uint32_t index = group ? id_map_find(&m->moves, key) : 0;

	if (!group)
		return;
	if (!index) {
		if (t->nr_moves == t->size_moves) {
			const size_t size = t->size_moves ? 2 * t->size_moves : 256;
			struct cube_move *moves = realloc(t->moves, size * sizeof(*moves));

			if (!moves) {
				m->r = -ENOMEM;
				return;
			}
			t->moves = moves;
			t->size_moves = size;
		}
		t->moves[t->nr_moves++] = (struct cube_move){ .item = item, .group = group };
		index = (uint32_t)t->nr_moves;
		if (id_map_add(&m->moves, key, index) < 0)
			m->r = -ENOMEM;
	}
	t->moves[index - 1].time_ns += row->duration_ns;
	t->moves[index - 1].launches++;
}

/* --- rows ------------------------------------------------------------------------------------- */

/*
 * The detail a row is for and 1; 0: none.  What is of no phase is shown where it ran: beside the
 * phase, or, in a very long run, in it, when the sums could not keep all phases apart.
 */
static uint32_t detail_of(const struct maker *m, const struct played *row)
{
	const size_t item = (size_t)(row->item - m->source->profile->items);
	const uint32_t phase = m->cube->phase_of_item[item];

	if (m->all || phase)
		return m->all ? m->all : m->detail_of_phase[phase];
	for (uint32_t i = 0; i < m->timeline->nr_details; i++) {
		const struct timeline_detail *d = &m->timeline->details[i];

		if (d->phase && row->begin_ns >= d->begin_ns && row->begin_ns < d->end_ns &&
		    m->source->phases->rows[d->phase - 1].trace == row->trace)
			return i + 1;
	}
	return 0;
}

static void play(void *context, const struct played *row)
{
	struct maker *m = context;
	const uint32_t item = (uint32_t)(row->item - m->source->profile->items);
	struct timeline_lane *lane = find_lane(m, row);
	uint32_t index, detail;

	if (row->trace->pairs.nr_merged && !m->cube->phase_of_item[item])
		move_row(m, row, item);
	if (!lane) {
		m->timeline->nr_left_out++;
		return;
	}
	index = (uint32_t)(lane - m->timeline->lanes);
	add_to_bins(lane, row);
	add_to_gaps(lane, row);
	detail = detail_of(m, row);
	if (detail)
		add_row(m, detail, row, index);
	if (!m->stretch)
		return;
	if (row->begin_ns >= m->middle_ns)
		add_row(m, m->stretch, row, index);
	else
		add_row(m, m->start, row, index);
}

static int by_begin(const void *a, const void *b)
{
	const struct timeline_row *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return 0;
}

/* Of the two stretches one is shown; details of which nothing ran go. */
static void finish_details(struct maker *m)
{
	struct timeline *t = m->timeline;
	size_t nr = 0;

	if (m->stretch) {
		const bool is_long = t->details[m->stretch - 1].nr >= STRETCH_ROWS_MIN;
		struct timeline_detail *other = &t->details[(is_long ? m->start : m->stretch) - 1];

		free(other->rows);
		*other = (struct timeline_detail){ 0 };
	}
	for (size_t i = 0; i < t->nr_details; i++) {
		if (!t->details[i].nr)
			continue;
		qsort(t->details[i].rows, t->details[i].nr, sizeof(*t->details[i].rows), by_begin);
		t->details[nr++] = t->details[i];
	}
	t->nr_details = nr;
}

int timeline_make(struct timeline *t, const struct cube_source *source, const struct cube *cube,
		  enum information information, const struct timeline_limits *limits,
		  struct diag *diag)
{
	struct maker m = { .timeline = t, .source = source, .cube = cube, .limits = limits };
	const struct player player = { .play = play, .context = &m };
	int r;

	*t = (struct timeline){ 0 };
	r = make_lanes(&m);
	if (r == 0)
		r = choose_details(&m);
	if (r == 0)
		r = sort_phases(&m);
	if (r < 0)
		diag_set(diag, r, "no memory");
	else
		r = playback(source->run, information, source->profile, &player, diag);
	if (r == 0 && m.r < 0)
		r = diag_set(diag, m.r, "no memory");
	if (r == 0) {
		for (size_t i = 0; i < t->nr_lanes; i++)
			finish_bins(&t->lanes[i]);
		finish_details(&m);
	}
	free(m.detail_of_phase);
	free(m.by_begin);
	id_map_free(&m.moves);
	return r;
}

void timeline_clear(struct timeline *t)
{
	for (size_t i = 0; i < t->nr_lanes; i++)
		free(t->lanes[i].bins);
	for (size_t i = 0; i < t->nr_details; i++)
		free(t->details[i].rows);
	free(t->lanes);
	free(t->streams);
	free(t->details);
	free(t->moves);
	*t = (struct timeline){ 0 };
}
