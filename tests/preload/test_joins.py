# SPDX-License-Identifier: Apache-2.0
"""Each device record belongs to exactly the launch that caused it."""

import pytest
import traced


def joined(trace):
    """(launch, device record) by correlation id; fails if either side has no partner."""
    launches = {row.correlation: row for row in trace.launches()}
    records = [r for r in trace.kernels_run() if not r.node]
    assert len(launches) == len(trace.launches()), "a correlation id names two launches"
    assert sorted(r.correlation for r in records) == sorted(launches)
    return [(launches[r.correlation], r) for r in records]


@pytest.mark.parametrize("threads,launches", [(1, 5000), (16, 10000)])
def test_every_launch_finds_its_own_record_among_many_threads(run, threads, launches):
    r = run("many_threads", threads, launches, TTITRACE_RING_KB=16384)
    assert r.exit_code == 0, r.stderr
    trace = r.trace
    pairs = joined(trace)
    assert len(pairs) == threads * launches == r.seen["launches"]
    for launch, record in pairs:
        assert traced.shape(launch.template) == traced.shape(record.template)
    # The grid names thread and index: all of them, each once.
    marks = {(p[1].template["grid_y"], p[1].template["grid_x"]) for p in pairs}
    assert len(marks) == threads * launches


def test_a_thread_keeps_its_order_and_its_kernels(run):
    trace = run("many_threads", 8, 1000).trace
    by_tid = {}
    for row in trace.launches():
        by_tid.setdefault(row.tid, []).append(row)
    assert len(by_tid) == 8
    for rows in by_tid.values():
        assert [r.template["grid_x"] for r in rows] == list(range(1, 1001))
        assert len({r.template["grid_y"] for r in rows}) == 1
        assert len({r.template["context"] for r in rows}) == 1
        assert all(a.begin_ns <= b.begin_ns for a, b in zip(rows, rows[1:]))


@pytest.mark.parametrize("attempt", range(5))
def test_no_launch_is_lost_while_another_thread_starts_the_tracing(run, attempt):
    r = run("start_together", 16)
    assert r.exit_code == 0, r.stderr
    assert len(joined(r.trace)) == r.seen["launches"] == 800


def test_the_device_begins_after_the_host_on_one_clock(run):
    for launch, record in joined(run("many_threads", 4, 500).trace):
        assert launch.begin_ns <= record.begin_ns < launch.begin_ns + 10**10
        assert 0 < record.duration_ns < 10**6


def test_the_report_says_the_same(run):
    r = run("many_threads", 16, 2000)
    c = traced.coverage(r.traces[0])
    assert c["matched"] == c["launches"] == 32000
    assert c["mismatched"] == c["launches_without_record"] == c["records_without_launch"] == 0


def test_records_of_cupti_12_are_understood(run):
    r = run("many_threads", 4, 500, FAKE_CUPTI_VERSION=26)
    assert len(joined(r.trace)) == 2000


def test_what_a_full_ring_drops_is_counted(run):
    r = run("many_threads", 16, 10000, TTITRACE_RING_KB=4, TTITRACE_FLUSH_MS=500)
    kept = len(r.trace.launches())
    lost = traced.losses(r.traces[0]).get("ring-full", 0)
    assert kept + lost == r.seen["launches"]
