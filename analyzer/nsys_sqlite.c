/* SPDX-License-Identifier: Apache-2.0 */
#include "nsys_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { COLUMNS_MAX = 24, PROCESSES_MAX = 1024, PID_BITS = 24, DOMAINS_MAX = 64 };

/* NVTX_EVENTS.eventType */
enum { PUSH_POP_RANGE = 59, DOMAIN_CREATE = 75 };

/* Ids of processes and threads are serialised: host, VM, process, thread. */
static uint64_t pid_of(uint64_t global)
{
	return global >> PID_BITS & ((1u << PID_BITS) - 1);
}

struct nsys {
	const char *file;
	sqlite3 *db;
	struct diag *diag;
	uint64_t processes[PROCESSES_MAX];
	size_t nr_processes;
};

/* A column that an export lacks reads as NULL: tables have grown from version to version. */
struct query {
	const char *table;
	const char *columns[COLUMNS_MAX]; /* of nsys_columns.def, in its order */
	size_t nr;
	sqlite3_stmt *statement;
};

static int fail(struct nsys *n)
{
	return diag_set(n->diag, -EBADMSG, "%s: %s", n->file, sqlite3_errmsg(n->db));
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A view or a virtual table of that name could do anything at all. */
static bool has_table(struct nsys *n, const char *table)
{
	static const char text[] =
		"SELECT 1 FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name = ?";
	sqlite3_stmt *s;
	bool found;

	if (sqlite3_prepare_v2(n->db, text, -1, &s, NULL))
		return false;
	sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	found = sqlite3_step(s) == SQLITE_ROW;
	sqlite3_finalize(s);
	return found;
}

static bool has_column(struct nsys *n, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(n->db, NULL, table, column, NULL, NULL, NULL, NULL,
					     NULL) == SQLITE_OK;
}

/* 1; 0: there is no such table; negative errno. */
static int query_begin(struct nsys *n, struct query *q)
{
	char text[1024];
	size_t used = (size_t)snprintf(text, sizeof(text), "SELECT ");

	q->statement = NULL;
	if (!has_table(n, q->table))
		return 0;
	for (q->nr = 0; q->nr < COLUMNS_MAX && q->columns[q->nr]; q->nr++) {
		const char *column = q->columns[q->nr];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 q->nr ? ", " : "",
					 has_column(n, q->table, column) ? column : "NULL");
	}
	snprintf(text + used, sizeof(text) - used, " FROM %s", q->table);
	return sqlite3_prepare_v2(n->db, text, -1, &q->statement, NULL) ? fail(n) : 1;
}

/* 1: a row; 0: no more; negative errno. */
static int query_next(struct nsys *n, struct query *q)
{
	const int r = sqlite3_step(q->statement);

	return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : fail(n);
}

static uint64_t number(const struct query *q, int column)
{
	return (uint64_t)sqlite3_column_int64(q->statement, column);
}

static struct tti_str text(const struct query *q, int column)
{
	const unsigned char *t = sqlite3_column_text(q->statement, column);

	return (struct tti_str){ t ? (const char *)t : "",
				 t ? (size_t)sqlite3_column_bytes(q->statement, column) : 0 };
}

/* A string of StringIds; valid until the statement is used again. */
struct strings {
	sqlite3_stmt *statement;
};

static int strings_begin(struct nsys *n, struct strings *s)
{
	s->statement = NULL;
	if (!has_table(n, "StringIds"))
		return 0;
	return sqlite3_prepare_v2(n->db, "SELECT value FROM StringIds WHERE id = ?", -1,
				  &s->statement, NULL)
		       ? fail(n)
		       : 0;
}

static struct tti_str strings_find(struct strings *s, uint64_t id)
{
	const struct query q = { .statement = s->statement };

	if (!s->statement)
		return (struct tti_str){ "", 0 };
	sqlite3_reset(s->statement);
	sqlite3_bind_int64(s->statement, 1, (sqlite3_int64)id);
	return sqlite3_step(s->statement) == SQLITE_ROW ? text(&q, 0) : (struct tti_str){ "", 0 };
}

/* --- processes -------------------------------------------------------------------------------- */

static int add_process(struct nsys *n, uint64_t pid)
{
	for (size_t i = 0; i < n->nr_processes; i++)
		if (n->processes[i] == pid)
			return 0;
	if (n->nr_processes == PROCESSES_MAX)
		return diag_set(n->diag, -E2BIG, "%s: more than %d processes", n->file,
				PROCESSES_MAX);
	n->processes[n->nr_processes++] = pid;
	return 0;
}

static const char *const activity_tables[] = {
	"CUPTI_ACTIVITY_KIND_KERNEL",
	"CUPTI_ACTIVITY_KIND_MEMCPY",
	"CUPTI_ACTIVITY_KIND_MEMSET",
	"CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
};

static int find_processes(struct nsys *n)
{
	for (size_t i = 0; i < sizeof(activity_tables) / sizeof(*activity_tables); i++) {
		struct query q = { .table = activity_tables[i], .columns = { "globalPid" } };
		int r = query_begin(n, &q);

		while (r > 0 && (r = query_next(n, &q)) > 0) {
			r = add_process(n, pid_of(number(&q, 0)));
			r = r < 0 ? r : 1;
		}
		sqlite3_finalize(q.statement);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- what devices did ------------------------------------------------------------------------- */

/* Columns that all four tables have; those that one alone has come behind them. */
enum {
	COLUMN_start,
	COLUMN_end,
	COLUMN_device,
	COLUMN_context,
	COLUMN_stream,
	COLUMN_correlation,
	COLUMN_process,
	COLUMN_node,
	COLUMN_own,
};
#define COMMON_COLUMNS                                                                     \
	"start", "end", "deviceId", "contextId", "streamId", "correlationId", "globalPid", \
		"graphNodeId"

static void common_columns(const struct query *q, struct import_activity *a)
{
	*a = (struct import_activity){
		.begin_ns = number(q, COLUMN_start),
		.end_ns = number(q, COLUMN_end),
		.correlation = (uint32_t)number(q, COLUMN_correlation),
		.node = number(q, COLUMN_node),
		.template = { .device = number(q, COLUMN_device),
			      .context = number(q, COLUMN_context),
			      .stream = number(q, COLUMN_stream) },
	};
}

typedef void take_row(struct import *in, const struct query *q, struct strings *s,
		      struct import_activity *a);

static void take_kernel(struct import *in, const struct query *q, struct strings *s,
			struct import_activity *a)
{
	struct tti_device_template *t = &a->template;
	uint64_t *const fields[] = {
		&t->grid_x,
		&t->grid_y,
		&t->grid_z,
		&t->block_x,
		&t->block_y,
		&t->block_z,
		&t->static_shared_bytes,
		&t->dynamic_shared_bytes,
		&t->registers,
		&t->local_bytes,
	};

	for (int i = 0; i < (int)(sizeof(fields) / sizeof(*fields)); i++)
		*fields[i] = number(q, COLUMN_own + 2 + i);
	a->name = strings_find(s, number(q, COLUMN_own));
	if (!a->name.size)
		a->name = strings_find(s, number(q, COLUMN_own + 1));
	import_activity(in, TTI_ACTIVITY_KERNEL, a);
}

/* Its memory kinds are CUPTI's less one, "unknown" behind them. */
static uint64_t memory_kind(const struct query *q, int column)
{
	const uint64_t kind = number(q, column);

	if (sqlite3_column_type(q->statement, column) == SQLITE_NULL)
		return 0;
	return kind < 7 ? kind + 1 : 0;
}

static void take_copy(struct import *in, const struct query *q, struct strings *s,
		      struct import_activity *a)
{
	(void)s;
	a->template.bytes = number(q, COLUMN_own);
	a->template.copy_kind = number(q, COLUMN_own + 1);
	a->template.source_memory = memory_kind(q, COLUMN_own + 2);
	a->template.target_memory = memory_kind(q, COLUMN_own + 3);
	import_activity(in, TTI_ACTIVITY_COPY, a);
}

static void take_fill(struct import *in, const struct query *q, struct strings *s,
		      struct import_activity *a)
{
	(void)s;
	a->template.bytes = number(q, COLUMN_own);
	a->template.target_memory = memory_kind(q, COLUMN_own + 1);
	import_activity(in, TTI_ACTIVITY_FILL, a);
}

static void take_graph(struct import *in, const struct query *q, struct strings *s,
		       struct import_activity *a)
{
	(void)s;
	a->template.graph = number(q, COLUMN_own);
	import_activity(in, TTI_ACTIVITY_GRAPH, a);
}

static int read_activities(struct nsys *n, struct import *in, uint64_t pid, struct query *q,
			   take_row *take, struct strings *s)
{
	struct import_activity a;
	int r = query_begin(n, q);

	while (r > 0 && (r = query_next(n, q)) > 0) {
		if (pid_of(number(q, COLUMN_process)) != pid)
			continue;
		common_columns(q, &a);
		take(in, q, s, &a);
	}
	sqlite3_finalize(q->statement);
	return r;
}

static int read_devices_work(struct nsys *n, struct import *in, uint64_t pid, struct strings *s)
{
	struct {
		struct query query;
		take_row *take;
	} rows[] = {
		{ { .table = activity_tables[0],
		    .columns = { COMMON_COLUMNS, "mangledName", "demangledName", "gridX", "gridY",
				 "gridZ", "blockX", "blockY", "blockZ", "staticSharedMemory",
				 "dynamicSharedMemory", "registersPerThread",
				 "localMemoryPerThread" } },
		  take_kernel },
		{ { .table = activity_tables[1],
		    .columns = { COMMON_COLUMNS, "bytes", "copyKind", "srcKind", "dstKind" } },
		  take_copy },
		{ { .table = activity_tables[2],
		    .columns = { COMMON_COLUMNS, "bytes", "memKind" } },
		  take_fill },
		{ { .table = activity_tables[3], .columns = { COMMON_COLUMNS, "graphExecId" } },
		  take_graph },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && r == 0; i++)
		r = read_activities(n, in, pid, &rows[i].query, rows[i].take, s);
	return r;
}

/* --- what threads did ------------------------------------------------------------------------- */

static struct import_span span_of(const struct query *q)
{
	const uint64_t global = number(q, 2);

	return (struct import_span){ .pid = pid_of(global),
				     .tid = global & ((1u << PID_BITS) - 1),
				     .begin_ns = number(q, 0),
				     .end_ns = number(q, 1) };
}

static int read_calls(struct nsys *n, struct import *in, uint64_t pid, struct strings *s)
{
	struct query q = {
		.table = "CUPTI_ACTIVITY_KIND_RUNTIME",
		.columns = { "start", "end", "globalTid", "correlationId", "nameId",
			     "returnValue" },
	};
	int r = query_begin(n, &q);

	while (r > 0 && (r = query_next(n, &q)) > 0) {
		const struct import_span span = span_of(&q);

		if (span.pid == pid)
			import_call(in, &span, strings_find(s, number(&q, 4)),
				    (uint32_t)number(&q, 3), number(&q, 5));
	}
	sqlite3_finalize(q.statement);
	return r;
}

struct domains {
	struct {
		uint64_t id;
		char name[64];
	} rows[DOMAINS_MAX];
	size_t nr;
};

/* Columns of NVTX_EVENTS behind those of span_of(). */
enum { RANGE_type = 3, RANGE_text, RANGE_text_id, RANGE_domain };
#define RANGE_COLUMNS           \
	.table = "NVTX_EVENTS", \
	.columns = { "start", "end", "globalTid", "eventType", "text", "textId", "domainId" }

static struct tti_str range_text(const struct query *q, struct strings *s)
{
	const struct tti_str own = text(q, RANGE_text);

	return own.size ? own : strings_find(s, number(q, RANGE_text_id));
}

static int read_domains(struct nsys *n, struct strings *s, struct domains *ret)
{
	struct query q = { RANGE_COLUMNS };
	int r = query_begin(n, &q);

	ret->nr = 0;
	while (r > 0 && (r = query_next(n, &q)) > 0) {
		struct tti_str name;

		if (number(&q, RANGE_type) != DOMAIN_CREATE || ret->nr == DOMAINS_MAX)
			continue;
		name = range_text(&q, s);
		ret->rows[ret->nr].id = number(&q, RANGE_domain);
		snprintf(ret->rows[ret->nr].name, sizeof(ret->rows->name), "%.*s",
			 (int)(name.size < 63 ? name.size : 63), name.data);
		ret->nr++;
	}
	sqlite3_finalize(q.statement);
	return r;
}

/* Empty: the default one. */
static struct tti_str domain_name(const struct domains *d, uint64_t id)
{
	static const char unknown[] = "?";

	for (size_t i = 0; i < d->nr; i++)
		if (d->rows[i].id == id)
			return (struct tti_str){ d->rows[i].name, strlen(d->rows[i].name) };
	return (struct tti_str){ unknown, id ? sizeof(unknown) - 1 : 0 };
}

/* PyTorch's emit_nvtx(): "aten::conv2d, seq = 7, sizes = [[2, 4, 64, 64], ...]". */
static struct tti_str operation_of(struct tti_str range)
{
	const char *comma = memchr(range.data, ',', range.size);

	if (range.size < 6 || memcmp(range.data, "aten::", 6) != 0)
		return (struct tti_str){ "", 0 };
	return (struct tti_str){ range.data, comma ? (size_t)(comma - range.data) : range.size };
}

static int read_ranges(struct nsys *n, struct import *in, uint64_t pid, struct strings *s)
{
	struct query q = { RANGE_COLUMNS };
	struct domains domains;
	int r = read_domains(n, s, &domains);

	if (r == 0)
		r = query_begin(n, &q);
	while (r > 0 && (r = query_next(n, &q)) > 0) {
		const struct import_span span = span_of(&q);
		struct tti_str range, op;

		if (span.pid != pid || number(&q, RANGE_type) != PUSH_POP_RANGE ||
		    sqlite3_column_type(q.statement, 1) == SQLITE_NULL)
			continue;
		range = range_text(&q, s);
		op = operation_of(range);
		if (op.size)
			import_op(in, &span, op, NULL);
		else
			import_range(in, &span, range,
				     domain_name(&domains, number(&q, RANGE_domain)));
	}
	sqlite3_finalize(q.statement);
	return r;
}

/* --- facts ------------------------------------------------------------------------------------ */

static int read_gpus(struct nsys *n, struct import *in)
{
	struct query q = {
		.table = "TARGET_INFO_GPU",
		.columns = { "cuDevice", "name", "computeMajor", "computeMinor", "smCount",
			     "clockRate", "totalMemory", "l2CacheSize", "id" },
	};
	int r = query_begin(n, &q);

	while (r > 0 && (r = query_next(n, &q)) > 0) {
		const bool has_ordinal = sqlite3_column_type(q.statement, 0) != SQLITE_NULL;
		const struct tti_device device = {
			.ordinal = number(&q, has_ordinal ? 0 : 8),
			.name = text(&q, 1),
			.compute_major = number(&q, 2),
			.compute_minor = number(&q, 3),
			.multiprocessors = number(&q, 4),
			.clock_khz = number(&q, 5) / 1000,
			.memory_bytes = number(&q, 6),
			.l2_bytes = number(&q, 7),
		};

		import_device(in, &device);
	}
	sqlite3_finalize(q.statement);
	return r;
}

static int read_start(struct nsys *n, struct import *in)
{
	struct query q = { .table = "TARGET_INFO_SESSION_START_TIME", .columns = { "utcEpochNs" } };
	int r = query_begin(n, &q);

	if (r > 0 && (r = query_next(n, &q)) > 0)
		import_realtime(in, number(&q, 0));
	sqlite3_finalize(q.statement);
	return r < 0 ? r : 0;
}

/* Rows of two columns, key and value. */
static int read_pairs(struct nsys *n, struct import *in, const char *table)
{
	static const struct {
		const char *name, *key;
	} known[] = {
		{ "EXPORT_PRODUCT_VERSION", "source.version" },
		{ "EXPORT_SCHEMA_VERSION", "source.schema" },
		{ "NvDriverVersion", "driver.version" },
		{ "CudaDriverVersion", "driver.cuda_version" },
	};
	struct query q = { .table = table, .columns = { "name", "value" } };
	int r = query_begin(n, &q);

	while (r > 0 && (r = query_next(n, &q)) > 0) {
		const char *name = text(&q, 0).data, *value = text(&q, 1).data;

		if (!strcmp(name, "Hostname"))
			import_process(in, 0, value, NULL);
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (!strcmp(known[i].name, name))
				import_info(in, known[i].key, value);
	}
	sqlite3_finalize(q.statement);
	return r;
}

static int read_program(struct nsys *n, struct import *in, uint64_t pid)
{
	struct query q = { .table = "PROCESSES", .columns = { "pid", "name" } };
	int r = query_begin(n, &q);

	while (r > 0 && (r = query_next(n, &q)) > 0)
		if (number(&q, 0) == pid)
			import_process(in, pid, NULL, text(&q, 1).data);
	sqlite3_finalize(q.statement);
	return r;
}

static int read_facts(struct nsys *n, struct import *in, uint64_t pid)
{
	int r;

	import_process(in, pid, NULL, NULL);
	r = read_gpus(n, in);
	if (r == 0)
		r = read_start(n, in);
	if (r == 0)
		r = read_pairs(n, in, "EXPORT_META_DATA");
	if (r == 0)
		r = read_pairs(n, in, "META_DATA_EXPORT");
	if (r == 0)
		r = read_pairs(n, in, "TARGET_INFO_SYSTEM_ENV");
	return r < 0 ? r : read_program(n, in, pid);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_process(struct nsys *n, struct import *in, uint64_t pid)
{
	const char *slash = strrchr(n->file, '/');
	struct strings s;
	int r;

	import_info(in, "import.source", "Nsight Systems");
	import_info(in, "import.file", slash ? slash + 1 : n->file);
	r = read_facts(n, in, pid);
	if (r < 0)
		return r;
	r = strings_begin(n, &s);
	if (r == 0)
		r = read_devices_work(n, in, pid, &s);
	if (r == 0)
		r = read_calls(n, in, pid, &s);
	if (r == 0)
		r = read_ranges(n, in, pid, &s);
	sqlite3_finalize(s.statement);
	return r;
}

/* "run.ttt" -> "run.4711.ttt"; owned by the caller. */
static char *path_of_process(const char *output, uint64_t pid, bool is_one)
{
	static const char ending[] = ".ttt";
	const size_t n = strlen(output), m = sizeof(ending) - 1;
	const bool has_ending = n > m && !strcmp(output + n - m, ending);
	char *path;

	if (is_one)
		return strdup(output);
	return asprintf(&path, "%.*s.%" PRIu64 "%s", (int)(has_ending ? n - m : n), output, pid,
			has_ending ? ending : "") < 0
		       ? NULL
		       : path;
}

static int import_one(struct nsys *n, uint64_t pid, const char *output,
		      const struct foreign_options *options, struct foreign_result *ret)
{
	char *path = path_of_process(output, pid, n->nr_processes == 1);
	const struct import_target target = { .path = path,
					      .may_replace = options->may_replace,
					      .is_whole = true };
	struct import *in = path ? import_new() : NULL;
	int r = in ? read_process(n, in, pid) : diag_set(n->diag, -ENOMEM, "no memory");

	if (r == 0) {
		ret->counts = import_counts(in);
		r = import_write(in, &target, n->diag);
	}
	import_free(in);
	free(path);
	return r;
}

/* What a stranger's database may do is little: no writing, no code of its own. */
static int open_database(struct nsys *n)
{
	if (sqlite3_open_v2(n->file, &n->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE, NULL))
		return fail(n);
	sqlite3_db_config(n->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(n->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(n->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(n->db, SQLITE_LIMIT_LENGTH, 16 << 20);
	/* The second reads the file for the first time: is it a database at all? */
	if (sqlite3_exec(n->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL) ||
	    sqlite3_exec(n->db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL))
		return fail(n);
	return 0;
}

int nsys_import(const char *file, const char *output, const struct foreign_options *options,
		struct foreign_result *ret, struct diag *diag)
{
	struct nsys n = { .file = file, .diag = diag };
	int r = open_database(&n);

	ret->is_whole = true;
	if (r == 0)
		r = find_processes(&n);
	if (r == 0 && !n.nr_processes)
		r = diag_set(diag, -EBADMSG, "%s: no GPU activity in it", file);
	for (size_t i = 0; i < n.nr_processes && r == 0; i++)
		r = import_one(&n, n.processes[i], output, options, ret);
	sqlite3_close(n.db);
	return r;
}
