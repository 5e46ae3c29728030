/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database_schema.h - tables and views of an export to SQLite.  The table `work` is made from
 * launch_columns.def.  Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef ANALYZER_DATABASE_SCHEMA_H
#define ANALYZER_DATABASE_SCHEMA_H

/* One file a process. */
static const char database_tables[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE process(id INTEGER PRIMARY KEY, pid INTEGER, parent_pid INTEGER, rank TEXT,"
	" host TEXT, program TEXT, command TEXT, begin_ns INTEGER, begin_realtime_ns INTEGER,"
	" trace TEXT, complete INTEGER);"
	"CREATE TABLE info(process INTEGER REFERENCES process, key TEXT, value TEXT);"
	"CREATE TABLE thread(process INTEGER REFERENCES process, tid INTEGER, name TEXT);"
	"CREATE TABLE device(process INTEGER REFERENCES process, ordinal INTEGER, name TEXT,"
	" compute_major INTEGER, compute_minor INTEGER, multiprocessors INTEGER,"
	" clock_khz INTEGER, memory_bytes INTEGER);"
	"CREATE TABLE phase(id INTEGER PRIMARY KEY, process INTEGER REFERENCES process,"
	" name TEXT, number INTEGER, begin_ns INTEGER, end_ns INTEGER, is_gpu_time INTEGER,"
	" busy_ns INTEGER);"
	"CREATE TABLE module(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES module,"
	" label TEXT, path TEXT, class TEXT);"
	"CREATE TABLE mark(process INTEGER REFERENCES process, tid INTEGER, time_ns INTEGER,"
	" text TEXT);"
	"CREATE TABLE launch(id INTEGER PRIMARY KEY, work INTEGER NOT NULL REFERENCES work,"
	" tid INTEGER, host_begin_ns INTEGER, host_ns INTEGER, gpu_begin_ns INTEGER,"
	" gpu_ns INTEGER, result INTEGER, launch INTEGER, node INTEGER, correlation INTEGER,"
	" phase_id INTEGER REFERENCES phase);";

/* Behind the rows. */
static const char database_views[] =
	"CREATE VIEW launches AS SELECT l.id, l.tid, l.host_begin_ns, l.host_ns, l.gpu_begin_ns,"
	" l.gpu_ns, l.gpu_begin_ns - l.host_begin_ns AS delay_ns, l.result, l.launch, l.node,"
	" l.correlation, w.*, p.name AS phase, p.number AS phase_number, m.path AS module"
	" FROM launch l JOIN work w ON w.work = l.work LEFT JOIN phase p ON p.id = l.phase_id"
	" LEFT JOIN module m ON m.id = w.module_id;"

	"CREATE VIEW sums AS SELECT work, phase_id, count(*) AS launches, sum(gpu_ns) AS time_ns,"
	" min(gpu_ns) AS min_ns, max(gpu_ns) AS max_ns FROM launch WHERE gpu_ns IS NOT NULL"
	" GROUP BY work, phase_id;"

	"CREATE VIEW operators AS SELECT operator, sum(launches) AS launches,"
	" sum(time_ns) AS time_ns, 1.0 * sum(time_ns) / (SELECT sum(time_ns) FROM sums) AS share,"
	" sum(flops * launches) AS flops FROM sums JOIN work USING (work)"
	" GROUP BY operator ORDER BY time_ns DESC;"

	"CREATE VIEW kernels AS SELECT kernel, mangled, kind, sub, sum(launches) AS launches,"
	" sum(time_ns) AS time_ns, 1.0 * sum(time_ns) / (SELECT sum(time_ns) FROM sums) AS share,"
	" min(min_ns) AS min_ns, max(max_ns) AS max_ns FROM sums JOIN work USING (work)"
	" GROUP BY kernel, mangled ORDER BY time_ns DESC;"

	"CREATE VIEW attention AS SELECT role, backend, exactness, b, h, h_kv, s_q, s_k, d, d_v,"
	" causal, type, sum(launches * is_attention) AS calls, sum(launches) AS launches,"
	" sum(time_ns) AS time_ns FROM sums JOIN work USING (work)"
	" WHERE operator = 'attention' AND role IS NOT NULL"
	" GROUP BY role, backend, exactness, b, h, h_kv, s_q, s_k, d, d_v, causal, type"
	" ORDER BY time_ns DESC;"

	"CREATE VIEW phases AS SELECT p.id, p.process, p.name, p.number, p.begin_ns, p.end_ns,"
	" p.busy_ns, sum(launches) AS launches, sum(time_ns) AS time_ns,"
	" sum(flops * launches) AS flops FROM phase p LEFT JOIN sums s ON s.phase_id = p.id"
	" LEFT JOIN work w ON w.work = s.work GROUP BY p.id;"

	"CREATE VIEW phase_operators AS SELECT p.id, p.name, p.number, operator,"
	" sum(launches) AS launches, sum(time_ns) AS time_ns FROM sums s JOIN work USING (work)"
	" LEFT JOIN phase p ON s.phase_id = p.id GROUP BY p.id, operator;"

	/* Time of a module with all below it: every node counts for each node above. */
	"CREATE VIEW modules AS WITH RECURSIVE own AS (SELECT module_id AS id,"
	" sum(launches) AS launches, sum(time_ns) AS time_ns FROM sums JOIN work USING (work)"
	" WHERE module_id IS NOT NULL GROUP BY module_id),"
	" above(id, node) AS (SELECT id, id FROM own UNION ALL SELECT m.parent, above.node"
	" FROM above JOIN module m ON m.id = above.id WHERE m.parent IS NOT NULL)"
	" SELECT m.id, m.parent, m.path, m.class, sum(own.launches) AS launches,"
	" sum(own.time_ns) AS time_ns, sum(own.time_ns) FILTER (WHERE own.id = m.id) AS own_ns"
	" FROM above JOIN own ON own.id = above.node JOIN module m ON m.id = above.id"
	" GROUP BY m.id ORDER BY m.id;"

	"CREATE VIEW gaps AS SELECT id, work, device, gpu_begin_ns - before_ns AS idle_ns FROM"
	" (SELECT l.id, l.work, w.device, w.pid, l.gpu_begin_ns, max(l.gpu_begin_ns + l.gpu_ns)"
	" OVER (PARTITION BY w.pid, w.device ORDER BY l.gpu_begin_ns"
	" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ns FROM launch l"
	" JOIN work w USING (work) WHERE l.gpu_ns IS NOT NULL) WHERE idle_ns > 0;";

#endif
