/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One transaction without a journal into a new file, which takes the place of the old one when it
 * is whole.  What launches have in common is a row of `work`, so that a launch is twelve numbers.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database_schema.h"
#include "export_formats.h"
#include "report.h"
#include "ttitrace/ttitrace.h"

enum { WORK_COLUMNS_MAX = SHEET_COLUMNS_MAX + 3, SQL_MAX = 8192 };

struct database {
	const struct export *export;
	sqlite3 *db;
	sqlite3_stmt *launch, *work;
	char *path; /* of the new file */
	uint32_t nr_works;
};

static int fail(const struct database *d)
{
	return diag_set(d->export->diag, -EIO, "%s: %s", d->path,
			d->db ? sqlite3_errmsg(d->db) : "no memory");
}

static int run(const struct database *d, const char *sql)
{
	return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(d);
}

static int prepare(const struct database *d, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) == SQLITE_OK
		       ? 0
		       : fail(d);
}

static int step(const struct database *d, sqlite3_stmt *s)
{
	const int r = sqlite3_step(s);

	sqlite3_reset(s);
	return r == SQLITE_DONE ? 0 : fail(d);
}

/* --- binding ---------------------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

/* Beyond 2^63 - 1 there are only numbers that make no sense. */
static void bind_u64(sqlite3_stmt *s, int at, uint64_t value)
{
	sqlite3_bind_int64(s, at, value > INT64_MAX ? INT64_MAX : (sqlite3_int64)value);
}

static void bind_if(sqlite3_stmt *s, int at, bool is_known, uint64_t value)
{
	if (is_known)
		bind_u64(s, at, value);
	else
		sqlite3_bind_null(s, at);
}

static void bind_cell(sqlite3_stmt *s, int at, const struct cell *cell, enum cell_type type)
{
	if (!cell->is_known) {
		sqlite3_bind_null(s, at);
		return;
	}
	switch (type) {
	case CELL_TEXT:
		bind_text(s, at, cell->text);
		return;
	case CELL_INTEGER:
		bind_u64(s, at, cell->integer);
		return;
	case CELL_REAL:
		sqlite3_bind_double(s, at, cell->real);
		return;
	case CELL_BOOLEAN:
		sqlite3_bind_int(s, at, cell->boolean);
		return;
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

/* The module is a reference here. */
static bool is_of_work(const struct sheet_column *c)
{
	return !c->is_each && strcmp(c->name, "module") != 0;
}

static int add_work(struct database *d, const struct row *row)
{
	const struct sheet *sheet = sheet_at(0);
	const struct subject *s = row->subject;
	struct cell cells[SHEET_COLUMNS_MAX];
	int at = 4;

	sheet_launch(row, cells);
	bind_u64(d->work, 1, s->index);
	bind_u64(d->work, 2, s->trace_index + 1);
	bind_if(d->work, 3, s->module != NULL, s->module_node);
	for (size_t i = 0; i < sheet->nr_columns; i++)
		if (is_of_work(&sheet->columns[i]))
			bind_cell(d->work, at++, &cells[i], sheet->columns[i].type);
	d->nr_works = s->index;
	return step(d, d->work);
}

static int add_launch(void *context, const struct row *row)
{
	struct database *d = context;
	const bool has_host = row->has_host && !row->is_repeat;
	const struct phase *phases = d->export->analysis->phases.rows;

	/* Subjects are numbered as they come. */
	if (row->subject->index > d->nr_works && add_work(d, row) < 0)
		return -EIO;
	bind_u64(d->launch, 1, row->number);
	bind_u64(d->launch, 2, row->subject->index);
	bind_if(d->launch, 3, row->has_host, row->tid);
	bind_if(d->launch, 4, has_host, row->host_begin_ns);
	bind_if(d->launch, 5, has_host, row->host_ns);
	bind_if(d->launch, 6, row->has_gpu, row->gpu_begin_ns);
	bind_if(d->launch, 7, row->has_gpu, row->gpu_ns);
	bind_if(d->launch, 8, row->has_host, row->result);
	bind_if(d->launch, 9, row->launch != 0, row->launch);
	bind_if(d->launch, 10, row->node != 0, row->node);
	bind_if(d->launch, 11, row->correlation != 0, row->correlation);
	bind_if(d->launch, 12, row->phase != NULL,
		row->phase ? (uint64_t)(row->phase - phases) + 1 : 0);
	return step(d, d->launch);
}

/* A statement for a few rows: its values are bound in turn. */
static int add_once(const struct database *d, const char *sql,
		    void (*bind)(sqlite3_stmt *s, const void *context), const void *context)
{
	sqlite3_stmt *s;
	int r = prepare(d, sql, &s);

	if (r < 0)
		return r;
	bind(s, context);
	r = step(d, s);
	sqlite3_finalize(s);
	return r;
}

struct said {
	uint32_t trace_index;
	uint64_t tid, time_ns;
	const char *text;
};

static void bind_thread(sqlite3_stmt *s, const void *context)
{
	const struct said *said = context;

	bind_u64(s, 1, said->trace_index + 1);
	bind_u64(s, 2, said->tid);
	bind_text(s, 3, said->text);
}

static int add_thread(void *context, uint32_t trace_index, uint64_t tid, const char *name)
{
	return add_once(context, "INSERT INTO thread VALUES(?,?,?)", bind_thread,
			&(struct said){ .trace_index = trace_index, .tid = tid, .text = name });
}

static void bind_mark(sqlite3_stmt *s, const void *context)
{
	const struct said *said = context;

	bind_u64(s, 1, said->trace_index + 1);
	bind_u64(s, 2, said->tid);
	bind_u64(s, 3, said->time_ns);
	bind_text(s, 4, said->text);
}

static int add_mark(void *context, uint32_t trace_index, uint64_t tid, uint64_t time_ns,
		    const char *text)
{
	return add_once(context, "INSERT INTO mark VALUES(?,?,?,?)", bind_mark,
			&(struct said){ trace_index, tid, time_ns, text });
}

/* --- what is known without rows --------------------------------------------------------------- */

/* Bytes of the trace; SQLite wants UTF-8 and keeps what it gets. */
static void bind_name(sqlite3_stmt *s, int at, const struct name *name)
{
	if (name && name->size)
		bind_text(s, at, name->text);
	else
		sqlite3_bind_null(s, at);
}

static int add_process(struct database *d, size_t i)
{
	const struct trace *t = d->export->analysis->run.traces[i];
	const struct model *m = &t->model;
	char *command = report_command(t);
	sqlite3_stmt *s;
	int r = prepare(d, "INSERT INTO process VALUES(?,?,?,?,?,?,?,?,?,?,?)", &s);

	if (r == 0) {
		bind_u64(s, 1, i + 1);
		bind_u64(s, 2, m->process.pid);
		bind_u64(s, 3, m->process.parent_pid);
		bind_name(s, 4, m->rank);
		bind_name(s, 5, m->host);
		bind_name(s, 6, m->program);
		bind_text(s, 7, command);
		bind_u64(s, 8, m->process.begin_ns);
		bind_u64(s, 9, m->process.begin_realtime_ns);
		bind_text(s, 10, t->path);
		bind_u64(s, 11, trace_is_complete(t));
		r = step(d, s);
		sqlite3_finalize(s);
	}
	free(command);
	return r;
}

static int add_infos(struct database *d, size_t i)
{
	const struct model *m = &d->export->analysis->run.traces[i]->model;
	sqlite3_stmt *s;
	int r = prepare(d, "INSERT INTO info VALUES(?,?,?)", &s);

	for (size_t k = 0; r == 0 && k < m->infos.nr; k++) {
		bind_u64(s, 1, i + 1);
		bind_name(s, 2, m->infos.rows[k].key);
		bind_name(s, 3, m->infos.rows[k].value);
		r = step(d, s);
	}
	sqlite3_finalize(s);
	return r;
}

static int add_devices(struct database *d, size_t i)
{
	const struct model *m = &d->export->analysis->run.traces[i]->model;
	sqlite3_stmt *s;
	int r = prepare(d, "INSERT INTO device VALUES(?,?,?,?,?,?,?,?)", &s);

	for (size_t k = 0; r == 0 && k < m->devices.nr; k++) {
		const struct tti_device *device = &m->devices.rows[k];

		bind_u64(s, 1, i + 1);
		bind_u64(s, 2, device->ordinal);
		bind_name(s, 3, m->device_names.rows[k]);
		bind_u64(s, 4, device->compute_major);
		bind_u64(s, 5, device->compute_minor);
		bind_u64(s, 6, device->multiprocessors);
		bind_u64(s, 7, device->clock_khz);
		bind_u64(s, 8, device->memory_bytes);
		r = step(d, s);
	}
	sqlite3_finalize(s);
	return r;
}

static size_t index_of(const struct run *run, const struct trace *t)
{
	size_t i = 0;

	while (i < run->nr && run->traces[i] != t)
		i++;
	return i;
}

static int add_phases(struct database *d)
{
	const struct phases *p = &d->export->analysis->phases;
	sqlite3_stmt *s;
	int r = prepare(d, "INSERT INTO phase VALUES(?,?,?,?,?,?,?,?)", &s);

	for (size_t i = 0; r == 0 && i < p->nr; i++) {
		const struct phase *phase = &p->rows[i];

		bind_u64(s, 1, i + 1);
		bind_u64(s, 2, index_of(p->run, phase->trace) + 1);
		bind_name(s, 3, phase->name);
		bind_u64(s, 4, phase->index);
		bind_u64(s, 5, phase->begin_ns);
		bind_u64(s, 6, phase->end_ns);
		bind_u64(s, 7, phase->is_gpu_time);
		bind_u64(s, 8, phase->busy_ns);
		r = step(d, s);
	}
	sqlite3_finalize(s);
	return r;
}

/* The root is node 0. */
static int add_modules(struct database *d)
{
	const struct modules *m = d->export->analysis->modules;
	char *text = malloc(2 * (size_t)MODULES_PATH_MAX);
	sqlite3_stmt *s = NULL;
	int r = text ? prepare(d, "INSERT INTO module VALUES(?,?,?,?,?)", &s) : fail(d);

	for (uint32_t i = 0; r == 0 && i < modules_count(m); i++) {
		const struct module_node *node = modules_node(m, i);

		modules_label(m, i, text, MODULES_PATH_MAX);
		modules_path(m, i, text + MODULES_PATH_MAX, MODULES_PATH_MAX);
		bind_u64(s, 1, i);
		bind_if(s, 2, i != 0, node->parent);
		bind_text(s, 3, text);
		bind_text(s, 4, text + MODULES_PATH_MAX);
		bind_name(s, 5, node->class_name);
		r = step(d, s);
	}
	sqlite3_finalize(s);
	free(text);
	return r;
}

static int add_knowledge(struct database *d)
{
	int r = run(d, "INSERT INTO meta VALUES('schema','1'),('clock','CLOCK_MONOTONIC'),"
		       "('writer','ttitrace " TTI_VERSION "')");

	for (size_t i = 0; r == 0 && i < d->export->analysis->run.nr; i++) {
		r = add_process(d, i);
		if (r == 0)
			r = add_infos(d, i);
		if (r == 0)
			r = add_devices(d, i);
	}
	if (r == 0)
		r = add_phases(d);
	return r < 0 ? r : add_modules(d);
}

/* --- the file --------------------------------------------------------------------------------- */

static const char *sql_type(enum cell_type type)
{
	return type == CELL_TEXT ? "TEXT" : type == CELL_REAL ? "REAL" : "INTEGER";
}

/* The table of works, and what inserts into it. */
static int make_work(struct database *d)
{
	const struct sheet *sheet = sheet_at(0);
	char create[SQL_MAX] = "CREATE TABLE work(work INTEGER PRIMARY KEY, process INTEGER "
			       "REFERENCES process, module_id INTEGER REFERENCES module";
	char insert[SQL_MAX] = "INSERT INTO work VALUES(?,?,?";
	int r;

	for (size_t i = 0; i < sheet->nr_columns; i++) {
		const struct sheet_column *c = &sheet->columns[i];
		const size_t used = strlen(create);

		if (!is_of_work(c))
			continue;
		snprintf(create + used, sizeof(create) - used, ", \"%s\" %s", c->name,
			 sql_type(c->type));
		strcat(insert, ",?");
	}
	strcat(create, ");");
	strcat(insert, ")");
	r = run(d, create);
	return r < 0 ? r : prepare(d, insert, &d->work);
}

static int begin(struct database *d)
{
	int r = run(d, "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF;"
		       "PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN");

	if (r == 0)
		r = run(d, database_tables);
	if (r == 0)
		r = make_work(d);
	if (r == 0)
		r = prepare(d, "INSERT INTO launch VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", &d->launch);
	return r < 0 ? r : add_knowledge(d);
}

static int fill(struct database *d)
{
	const struct row_sink sink = {
		.row = add_launch, .thread = add_thread, .mark = add_mark, .context = d
	};
	int r = begin(d);

	if (r == 0)
		r = rows_each(d->export->analysis, &sink, d->export->diag);
	return r < 0 ? r : run(d, database_views);
}

static int write_database(struct database *d)
{
	int r = sqlite3_open(d->path, &d->db) == SQLITE_OK ? fill(d) : fail(d);

	sqlite3_finalize(d->launch);
	sqlite3_finalize(d->work);
	if (r == 0)
		r = run(d, "COMMIT");
	if (sqlite3_close(d->db) != SQLITE_OK && r == 0)
		r = fail(d);
	return r;
}

static int copy_to(const struct database *d, FILE *out)
{
	FILE *in = fopen(d->path, "re");
	char bytes[65536];
	size_t n;

	if (!in)
		return diag_set(d->export->diag, -errno, "%s: %s", d->path, strerror(errno));
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		fwrite(bytes, 1, n, out);
	fclose(in);
	return output_check(out, d->export->diag);
}

/* What goes to standard output or into what is no file is made elsewhere first. */
static int make_file(struct database *d)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	if (asprintf(&d->path, "%s/ttitrace-XXXXXX", folder && *folder ? folder : "/tmp") < 0) {
		d->path = NULL;
		return diag_set(d->export->diag, -ENOMEM, "no memory");
	}
	fd = mkstemp(d->path);
	if (fd < 0)
		return diag_set(d->export->diag, -errno, "%s: %s", d->path, strerror(errno));
	close(fd);
	return 0;
}

static int write_elsewhere(struct database *d, FILE *out)
{
	int r = make_file(d);

	if (r == 0) {
		r = write_database(d);
		if (r == 0)
			r = copy_to(d, out);
		unlink(d->path);
	}
	free(d->path);
	return r;
}

int export_sqlite(const struct export *e)
{
	struct database d = { .export = e };
	struct output output;
	int r = output_open(&output, e->path, e->diag);

	if (r < 0)
		return r;
	d.path = output.place.unfinished;
	r = d.path ? write_database(&d) : write_elsewhere(&d, output.file);
	return output_close(&output, r, e->diag);
}
