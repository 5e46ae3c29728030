# SPDX-License-Identifier: Apache-2.0
"""What export writes adds up to what report says, in every format, for every golden trace."""

import collections
import csv
import gzip
import io
import json
import pathlib
import re
import sqlite3
import struct

import pytest

GOLDEN = sorted((pathlib.Path(__file__).resolve().parents[1] / "golden").glob("*.ttt"))
SD15 = next(path for path in GOLDEN if path.stem == "sd15")
ALL = pytest.mark.parametrize("trace", GOLDEN, ids=lambda path: path.stem)
# Where Python itself is what takes long.
SMALL = pytest.mark.parametrize(
    "trace", [path for path in GOLDEN if path.stat().st_size < 150000], ids=lambda path: path.stem
)


def number(text):
    return int(text) if text else 0


def rows_of_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def rows_of_jsonl(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def done_before(tmp_path_factory):
    """What was reported and exported, so that no trace is gone through twice for the same."""
    return {"folder": tmp_path_factory.mktemp("exports")}


@pytest.fixture
def report(ttitrace, done_before):
    def run(trace, *options):
        key = ("report", trace, *options)
        if key not in done_before:
            done = ttitrace("report", "--json", *options, trace)
            assert done.returncode == 0, done.stderr
            done_before[key] = json.loads(done.stdout)
        return done_before[key]

    return run


@pytest.fixture
def export(ttitrace, tmp_path, done_before):
    """export(format, arguments) is the path of what it wrote; a name of its own is written anew."""

    def run(form, *arguments, name=None):
        key = (form, *arguments)
        if name is None and key in done_before:
            return done_before[key]
        folder = tmp_path if name else done_before["folder"]
        path = folder / (name or f"{len(done_before)}.{form}")
        done = ttitrace("export", "--format", form, "-o", path, *arguments)
        assert done.returncode == 0, done.stderr
        if name is None:
            done_before[key] = path
        return path

    return run


def wanted_sums(report):
    """By operator and by kernel: nanoseconds and launches."""
    operators = {row["name"]: (row["time_ns"], row["launches"]) for row in report["operators"]}
    kernels = collections.Counter()
    for row in report["kernels"]:
        kernels[row["name"]] += row["time_ns"]
    return operators, dict(kernels)


def sums(rows):
    """The same of (operator, kernel, nanoseconds) of what the device did."""
    operators, kernels = {}, collections.Counter()
    for operator, kernel, ns in rows:
        before = operators.get(operator, (0, 0))
        operators[operator] = (before[0] + ns, before[1] + 1)
        kernels[kernel] += ns
    return operators, dict(kernels)


def by_operator_and_kernel(rows):
    if not any(number(row.get("gpu_begin_ns")) for row in rows):  # without GPU times
        return [
            (row["operator"], row["kernel"], number(row["host_ns"]))
            for row in rows
            if row.get("kernel") and not number(row["captured"]) and row["op"] != "node"
            and not number(row["result"])
        ]
    return [
        (row["operator"], row["kernel"], number(row["gpu_ns"]))
        for row in rows
        if row.get("gpu_begin_ns") not in (None, "")
    ]


@ALL
def test_rows_of_csv_add_up_to_the_report(export, report, trace):
    rows = rows_of_csv(export("csv", trace).read_text(encoding="utf-8"))
    assert sums(by_operator_and_kernel(rows)) == wanted_sums(report(trace))
    coverage = report(trace)["coverage"]
    launched = [r for r in rows if r["op"] == "launch" and r["captured"] == "0"]
    assert len([r for r in launched if r["result"] == "0"]) == coverage["launches"]


@SMALL
def test_json_lines_say_what_csv_says(export, trace):
    table = rows_of_csv(export("csv", trace).read_text(encoding="utf-8"))
    lines = rows_of_jsonl(export("jsonl", trace).read_text(encoding="utf-8"))
    text = {True: "1", False: "0"}

    def as_csv(value):
        return text[value] if isinstance(value, bool) else value if isinstance(value, str) else str(value)

    for row, line in zip(table, lines, strict=True):
        known = {key: value for key, value in row.items() if value != ""}
        assert known.keys() == line.keys()
        assert all(
            float(known[key]) == value if isinstance(value, float) else known[key] == as_csv(value)
            for key, value in line.items()
        )


# --- Avro --------------------------------------------------------------------------------------------

TINY = pytest.mark.parametrize(
    "trace", [path for path in GOLDEN if path.stat().st_size < 28000], ids=lambda path: path.stem
)


@TINY
def test_avro_says_what_json_lines_say(export, trace):
    """Read by Apache's own Python implementation."""
    avro = pytest.importorskip("avro.datafile", reason="no python3-avro here")
    import avro.io

    with export("avro", trace).open("rb") as file:
        rows = [
            {key: value for key, value in row.items() if value is not None}
            for row in avro.datafile.DataFileReader(file, avro.io.DatumReader())
        ]
    assert rows == rows_of_jsonl(export("jsonl", trace).read_text(encoding="utf-8"))


# --- SQLite ------------------------------------------------------------------------------------------


@ALL
def test_views_of_the_database_say_what_the_report_says(export, report, trace):
    wanted = report(trace)
    db = sqlite3.connect(export("sqlite", trace))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    operators = db.execute("SELECT operator, time_ns, launches FROM operators").fetchall()
    assert {row[0]: row[1:] for row in operators} == wanted_sums(wanted)[0]
    kernels = collections.Counter()
    for name, ns in db.execute("SELECT kernel, time_ns FROM kernels"):
        kernels[name] += ns
    assert dict(kernels) == wanted_sums(wanted)[1]
    attention = [row for row in wanted["attention"] if "role" in row]
    rows = db.execute("SELECT role, s_q, s_k, calls, time_ns FROM attention").fetchall()
    key = ("role", "s_q", "s_k", "calls", "time_ns")
    assert sorted(rows) == sorted(tuple(row[k] for k in key) for row in attention)
    phases = db.execute("SELECT name, number, time_ns FROM phases WHERE time_ns").fetchall()
    assert phases == [
        (phase["name"], phase["index"], sum(op["time_ns"] for op in phase["operators"]))
        for phase in report(trace, "--by", "phase")["phases"]
        if phase["operators"]
    ]
    total = sum(row["time_ns"] for row in wanted["operators"])
    assert sum(ns for (ns,) in db.execute("SELECT own_ns FROM modules WHERE own_ns")) <= total


@SMALL
def test_launches_of_the_database_are_the_rows_of_csv(export, trace):
    table = rows_of_csv(export("csv", trace).read_text(encoding="utf-8"))
    db = sqlite3.connect(export("sqlite", trace))
    db.row_factory = sqlite3.Row
    for row, want in zip(db.execute("SELECT * FROM launches ORDER BY id"), table, strict=True):
        for ours, theirs in [("id", "row"), ("phase_number", "phase_index")] + [
            (name, name)
            for name in ("tid", "op", "host_ns", "gpu_begin_ns", "gpu_ns", "kernel", "operator",
                         "grid_x", "s_q", "launch", "module", "phase", "result")
        ]:
            value = "" if row[ours] is None else str(row[ours])
            assert value == want[theirs], (row["id"], ours)


def test_a_database_takes_the_place_of_the_one_before(export):
    path = export("sqlite", GOLDEN[1], name="a.sqlite")
    assert export("sqlite", GOLDEN[0], name="a.sqlite") == path
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM process").fetchone() == (1,)
    assert [file.name for file in path.parent.iterdir() if "sqlite" in file.name] == [path.name]


def test_a_database_that_cannot_be_written_is_said(ttitrace, tmp_path):
    done = ttitrace("export", "--format", "sqlite", "-o", tmp_path / "no" / "such.db", GOLDEN[0])
    assert done.returncode == 1
    assert "No such file" in done.stderr


# --- speedscope, Chrome ------------------------------------------------------------------------------


@ALL
def test_stacks_of_speedscope_are_the_folded_ones(export, trace):
    folded = collections.Counter()
    for line in export("folded", trace).read_text(encoding="utf-8").splitlines():
        stack, ns = line.rsplit(" ", 1)
        folded[stack] += int(ns)
    data = json.loads(export("speedscope", trace).read_text(encoding="utf-8"))
    names = [frame["name"] for frame in data["shared"]["frames"]]
    got = collections.Counter()
    for profile in data["profiles"]:
        assert profile["endValue"] == sum(profile["weights"])
        for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
            got[";".join(names[frame] for frame in sample)] += weight
    assert got == folded


@ALL
def test_chrome_json_adds_up_and_its_flows_arrive(export, report, trace):
    data = json.loads(export("chrome", trace).read_text(encoding="utf-8"))
    events = data["traceEvents"]
    gpu = [e for e in events if e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    wanted = wanted_sums(report(trace))[0]
    if gpu:
        sums_of = sums((e["args"]["operator"], "", round(e["dur"] * 1000)) for e in gpu)[0]
        assert sums_of == wanted
    calls = {e["args"]["correlation"] for e in events if e.get("cat") == "cuda_runtime"}
    starts = {e["id"] for e in events if e["ph"] == "s"}
    ends = [e["id"] for e in events if e["ph"] == "f"]
    assert starts <= calls
    assert set(ends) <= starts
    assert {e["args"]["correlation"] for e in gpu if "correlation" in e["args"]} <= calls
    ordinals = {device["id"] for device in data["deviceProperties"]}
    assert {e["args"]["device"] for e in gpu} <= ordinals


# --- Perfetto ----------------------------------------------------------------------------------------


def fields(data):
    """Number and value of each field of a message, by the wire format alone."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 1:
            yield tag >> 3, data[at : at + 8]
            at += 8
        else:
            assert tag & 7 == 2
            size = varint()
            yield tag >> 3, data[at : at + size]
            at += size


def slices_of(path):
    """(category, name, nanoseconds) of the slices and the flows of each, and how many were left open."""
    texts = collections.defaultdict(dict)
    opened = collections.defaultdict(list)
    events = []
    for number, packet in fields(path.read_bytes()):
        assert number == 1
        packet = dict(fields(packet))
        for sort, row in fields(packet.get(12, b"")):
            row = dict(fields(row))
            texts[sort][row[1]] = row[2].decode()
        if 11 in packet:
            event = collections.defaultdict(list)
            for key, value in fields(packet[11]):
                event[key].append(value)
            events.append((packet[8], event))
    slices = []
    for time, event in sorted(events, key=lambda e: e[0]):
        track = event[11][0]
        if event[9] == [1]:
            opened[track].append((time, event))
        elif event[9] == [2]:
            begin, first = opened[track].pop()
            category = texts[1][first[3][0]] if first[3] else None
            flows = [struct.unpack("<Q", flow)[0] for flow in first[47]]
            slices.append((category, texts[2][first[10][0]], time - begin, flows))
    return slices, sum(map(len, opened.values()))


@ALL
def test_slices_of_perfetto_add_up_and_nest(export, report, trace):
    wanted = report(trace)
    slices, left_open = slices_of(export("perfetto", trace))
    assert not left_open
    others = (None, "phase", "call", "failed call")
    work = [s for s in slices if s[0] not in others]
    if work:
        assert sums((s[0], "", s[2]) for s in work)[0] == wanted_sums(wanted)[0]
    calls = {flow for s in slices if s[0] == "call" for flow in s[3]}
    landed = [flow for s in work for flow in s[3]]
    assert set(landed) <= calls
    assert len(landed) == len(set(landed))
    assert len(landed) >= wanted["coverage"]["matched"]


@ALL
def test_attentions_and_flops_add_up(export, report, trace):
    rows = rows_of_csv(export("csv", trace).read_text(encoding="utf-8"))
    rows = [row for row in rows if row["gpu_begin_ns"]]
    wanted = sum(row["calls"] for row in report(trace)["attention"])
    assert sum(number(row["is_attention"]) for row in rows if row["role"]) == wanted


@ALL
def test_phases_of_rows_are_those_of_the_report(export, report, trace):
    rows = rows_of_csv(export("csv", trace).read_text(encoding="utf-8"))
    of_phase = collections.Counter()
    for row in rows:
        if row["gpu_begin_ns"] and row["phase"]:
            of_phase[row["phase"], number(row["phase_index"])] += number(row["gpu_ns"])
    wanted = {
        (phase["name"], phase["index"]): sum(op["time_ns"] for op in phase["operators"])
        for phase in report(trace, "--by", "phase")["phases"]
        if phase["operators"]
    }
    assert dict(of_phase) == wanted


@pytest.mark.parametrize("sheet, key", [("operators", "name"), ("kernels", "mangled")])
def test_sums_of_sheets_are_those_of_the_report(export, report, sheet, key):
    trace = GOLDEN[-1]
    rows = rows_of_csv(export("csv", "--what", sheet, trace).read_text(encoding="utf-8"))
    assert {row["name"]: (number(row["time_ns"]), number(row["launches"])) for row in rows} == {
        row[key] or row["name"]: (row["time_ns"], row["launches"]) for row in report(trace)[sheet]
    }


def test_every_sheet_has_rows_of_as_many_cells(export, ttitrace):
    help_text = ttitrace("export", "--help").stdout
    sheets = re.findall(r"^  (\w+) ", help_text.split("Sheets,")[1].split("Examples:")[0], re.M)
    assert {"launches", "phases", "modules", "attention"} < set(sheets)
    for sheet in sheets:
        lines = export("csv", "--what", sheet, SD15).read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(lines)))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}


def test_focus_and_phase_cut_what_is_exported(export, report):
    trace = SD15
    cut = ["--phase", "denoising step:3", "--focus", "Attention"]
    rows = rows_of_csv(export("csv", *cut, trace).read_text(encoding="utf-8"))
    assert rows
    assert {(row["phase"], row["phase_index"]) for row in rows} == {("denoising step", "3")}
    assert sums(by_operator_and_kernel(rows)) == wanted_sums(report(trace, *cut))
    assert [number(row["row"]) for row in rows] == list(range(1, len(rows) + 1))


def test_several_traces_are_one_export(export, report):
    pair = [path for path in GOLDEN if path.stem in ("llama", "triton")]
    rows = rows_of_csv(export("csv", *pair).read_text(encoding="utf-8"))
    assert sums(by_operator_and_kernel(rows)) == wanted_sums(report(pair[0], pair[1]))
    assert len({row["pid"] for row in rows}) == 2
    assert len({row["row"] for row in rows}) == len(rows)


def test_a_damaged_trace_is_exported_as_far_as_it_is_whole(ttitrace, tmp_path):
    whole = SD15.read_bytes()
    (tmp_path / "cut.ttt").write_bytes(whole[: len(whole) * 2 // 3])
    done = ttitrace("export", "--format", "csv", "cut.ttt")
    assert done.returncode == 1
    rows = rows_of_csv(done.stdout)
    wanted = json.loads(ttitrace("report", "--json", "cut.ttt").stdout)
    assert len(rows) > 1000
    assert sums(by_operator_and_kernel(rows)) == wanted_sums(wanted)


def test_what_ends_in_gz_is_compressed(export):
    plain = export("csv", GOLDEN[0])
    packed = export("csv", GOLDEN[0], name="out.csv.gz")
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_a_dash_is_standard_output(ttitrace, export):
    done = ttitrace("export", "--format", "csv", "-o", "-", GOLDEN[0])
    assert done.stdout == export("csv", GOLDEN[0]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "in which format?"),
        (["--format", "parquet"], "'parquet' is none of folded, "),
        (["--format", "csv", "--what", "nothing"], "'nothing' is none of launches, "),
        (["--format", "folded", "--what", "kernels"], "--what is for formats of rows"),
        (["--format", "csv", "--stacks", "native"], "--stacks is for formats of stacks"),
    ],
)
def test_what_makes_no_sense_is_said(ttitrace, arguments, words):
    done = ttitrace("export", *arguments, GOLDEN[0])
    assert done.returncode == 2
    assert words in done.stderr


# --- the manual --------------------------------------------------------------------------------------


def test_the_page_has_every_format_sheet_and_column(ttitrace, export):
    root = pathlib.Path(__file__).resolve().parents[2]
    page = (root / "docs/man/ttitrace-export.1").read_text(encoding="utf-8")
    named = set(re.findall(r"^\.B (\w+)$", page, re.M))
    listed = re.findall(r"^  (\w+) ", ttitrace("export", "--help").stdout.split("Formats:")[1].split("Examples:")[0], re.M)
    columns = export("csv", GOLDEN[0]).read_text(encoding="utf-8").splitlines()[0].split(",")
    assert len(listed) > 15
    assert set(listed) <= named
    assert set(columns) <= named
