# SPDX-License-Identifier: Apache-2.0
"""Exports as other programs read them: Perfetto's schema, HTA, TraceLens, fastavro.

They run in a Python of their own: EXPORT_PYTHON, or build/export-tools (tools/export_tools.sh);
TraceLens from the checkout that TRACELENS names.  What is not there is skipped.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.ttt"))
PYTHON = os.environ.get("EXPORT_PYTHON", str(ROOT / "build/export-tools/bin/python"))
LARGE = [path for path in GOLDEN if path.stem in ("llama", "cuda_graph")]


def by_stem(traces):
    return pytest.mark.parametrize("trace", traces, ids=lambda path: path.stem)


@pytest.fixture
def ask(tmp_path):
    """ask(script, module, arguments) runs it in the other Python, returns the JSON it prints last."""

    def run(script, module, *arguments):
        if not pathlib.Path(PYTHON).exists():
            pytest.skip(f"no {PYTHON}: tools/export_tools.sh makes it")
        environment = {
            **os.environ,
            "PYTHONPATH": os.environ.get("TRACELENS", ""),
            # Else whole microseconds, and kernels that are shorter take less than nothing.
            "HTA_DISABLE_NS_ROUNDING": "1",
        }
        there = subprocess.run(
            [PYTHON, "-c", f"import {module}"], env=environment, capture_output=True, check=False
        )
        if there.returncode:
            pytest.skip(f"{PYTHON} has no {module}")
        done = subprocess.run(
            [PYTHON, "-c", script, *map(str, arguments)],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def export(ttitrace, tmp_path):
    def run(form, trace, name):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        done = ttitrace("export", "--format", form, "-o", path, trace)
        assert done.returncode == 0, done.stderr
        return path

    return run


@pytest.fixture
def operators(ttitrace):
    def run(trace):
        rows = json.loads(ttitrace("report", "--json", trace).stdout)["operators"]
        return {row["name"]: row["time_ns"] for row in rows}

    return run


PERFETTO = """
import collections, json, sys
from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace import perfetto_trace_pb2

def check(message):
    assert not len(UnknownFieldSet(message)), message
    for field, value in message.ListFields():
        if field.message_type:
            for part in value if not hasattr(value, "ListFields") else [value]:
                check(part)

trace = perfetto_trace_pb2.Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())
iids = collections.defaultdict(dict)
tracks, kinds, flows = {0: None}, collections.Counter(), collections.Counter()
opened, sums, events = collections.defaultdict(list), collections.Counter(), []
for packet in trace.packet:
    check(packet)
    for sort in ("event_categories", "event_names", "debug_annotation_names",
                 "debug_annotation_string_values"):
        for row in getattr(packet.interned_data, sort):
            assert row.iid not in iids[sort]
            text = getattr(row, "name", None) or row.str.decode()
            iids[sort][row.iid] = text
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        assert track.uuid not in tracks and track.parent_uuid in tracks
        tracks[track.uuid] = track
        kinds["counter" if track.HasField("counter") else "process" if track.HasField("process")
              else "thread" if track.HasField("thread") else "other"] += 1
    if packet.HasField("track_event"):
        event = packet.track_event
        assert event.track_uuid in tracks
        for iid in event.category_iids:
            assert iid in iids["event_categories"]
        if event.HasField("name_iid"):
            assert event.name_iid in iids["event_names"]
        for a in event.debug_annotations:
            assert a.name_iid in iids["debug_annotation_names"]
            assert not a.HasField("string_value_iid") or \\
                a.string_value_iid in iids["debug_annotation_string_values"]
        events.append((packet.timestamp, event))
for time, event in sorted(events, key=lambda e: e[0]):
    if event.type == event.TYPE_SLICE_BEGIN:
        opened[event.track_uuid].append((time, event))
        flows.update(event.flow_ids)
    elif event.type == event.TYPE_SLICE_END:
        begin, first = opened[event.track_uuid].pop()
        if first.category_iids:
            sums[iids["event_categories"][first.category_iids[0]]] += time - begin
    elif event.type == event.TYPE_COUNTER:
        assert tracks[event.track_uuid].HasField("counter")
assert not any(opened.values())
print(json.dumps({"kinds": kinds, "sums": sums, "packets": len(trace.packet),
                  "pairs": sum(n == 2 for n in flows.values()), "most": max(flows.values(), default=0)}))
"""


@by_stem([path for path in GOLDEN if path.stat().st_size < 150000])
def test_every_packet_is_of_the_published_schema(ask, export, operators, ttitrace, trace):
    got = ask(PERFETTO, "perfetto.protos", export("perfetto", trace, "out.pftrace"))
    wanted = operators(trace)
    assert {name: got["sums"].get(name, 0) for name in wanted} == wanted
    coverage = json.loads(ttitrace("report", "--json", trace).stdout)["coverage"]
    assert got["pairs"] >= coverage["matched"]
    assert got["most"] <= 2
    assert got["kinds"]["process"] == 1


FASTAVRO = """
import fastavro, json, sys
print(json.dumps([[r for r in fastavro.reader(open(path, "rb"))] for path in sys.argv[1:]]))
"""


@by_stem(LARGE)
def test_fastavro_reads_what_json_lines_say(ask, export, trace):
    (rows,) = ask(FASTAVRO, "fastavro", export("avro", trace, "out.avro"))
    lines = export("jsonl", trace, "out.jsonl").read_text(encoding="utf-8").splitlines()
    known = [{key: value for key, value in row.items() if value is not None} for row in rows]
    assert known == [json.loads(line) for line in lines]


HTA = """
import json, sys
from hta.trace_analysis import TraceAnalysis
analysis = TraceAnalysis(trace_dir=sys.argv[1])
time = analysis.get_temporal_breakdown(visualize=False).iloc[0]
idle = analysis.get_idle_time_breakdown(visualize=False)[0]
launches = analysis.get_cuda_kernel_launch_stats(visualize=False)[0]
queue = analysis.get_queue_length_summary()
kernels = analysis.get_gpu_kernel_breakdown(visualize=False)[1]
print(json.dumps({"busy_us": float(time["compute_time(us)"] + time["non_compute_time(us)"]),
                  "launches": len(launches), "idle": len(idle), "queue": len(queue),
                  "kernels": len(kernels)}))
"""


@by_stem(LARGE)
def test_hta_analyses_it(ask, export, ttitrace, trace):
    path = export("chrome", trace, "hta/rank0.json.gz")
    got = ask(HTA, "hta", path.parent)
    wanted = json.loads(ttitrace("report", "--json", trace).stdout)
    assert got["busy_us"] == pytest.approx(wanted["gpu"]["busy_ns"] / 1000, rel=1e-3)
    assert got["launches"] > 0.9 * wanted["coverage"]["launches"]
    assert min(got["idle"], got["queue"], got["kernels"]) > 0


TRACELENS = """
import json, sys
from TraceLens import TreePerfAnalyzer
analyzer = TreePerfAnalyzer.from_file(sys.argv[1])
timeline = analyzer.get_df_gpu_timeline().set_index("type")["time ms"]
launchers = analyzer.get_df_kernel_launchers()
summary = analyzer.get_df_kernel_launchers_summary(launchers)
print(json.dumps({"busy_ms": float(timeline["busy_time"]),
                  "sums": dict(zip(summary["name"], summary["total_direct_kernel_time_sum"]))}))
"""


@by_stem([path for path in GOLDEN if path.stem in ("llama", "sdpa")])
def test_tracelens_sums_operators_as_the_report_does(ask, export, operators, ttitrace, trace):
    got = ask(TRACELENS, "TraceLens", export("chrome", trace, "out.json.gz"))
    wanted = json.loads(ttitrace("report", "--json", trace).stdout)
    assert got["busy_ms"] == pytest.approx(wanted["gpu"]["busy_ns"] / 1e6, rel=1e-3)
    for name, ns in operators(trace).items():
        if name != "memory":  # it leaves copies out
            assert got["sums"][f"ttitrace::{name}"] == pytest.approx(ns / 1000, rel=1e-6)
