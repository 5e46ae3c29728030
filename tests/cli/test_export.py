# SPDX-License-Identifier: Apache-2.0
"""What export writes adds up to what report says, in every format, for every golden trace."""

import collections
import csv
import io
import json
import pathlib
import re

import pytest

GOLDEN = sorted((pathlib.Path(__file__).resolve().parents[1] / "golden").glob("*.ttt"))
SD15 = next(path for path in GOLDEN if path.stem == "sd15")
ALL = pytest.mark.parametrize("trace", GOLDEN, ids=lambda path: path.stem)


def number(text):
    return int(text) if text else 0


def rows_of_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def rows_of_jsonl(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def report(ttitrace):
    def run(trace, *options):
        done = ttitrace("report", "--json", *options, trace)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def export(ttitrace, tmp_path):
    """export(format, trace, options) is the path of what it wrote."""

    def run(form, *arguments, name=None):
        path = tmp_path / (name or f"out.{form}")
        done = ttitrace("export", "--format", form, "-o", path, *arguments)
        assert done.returncode == 0, done.stderr
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


@ALL
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
    sheets = re.findall(r"^  (\w+) ", help_text.split("Sheets,")[1], re.M)
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
    import gzip

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
        (["--format", "parquet"], "there is no format 'parquet'"),
        (["--format", "csv", "--what", "nothing"], "there is no sheet 'nothing'"),
        (["--format", "folded", "--what", "kernels"], "--what is for formats of rows"),
        (["--format", "csv", "--stacks", "native"], "--stacks is for formats of stacks"),
    ],
)
def test_what_makes_no_sense_is_said(ttitrace, arguments, words):
    done = ttitrace("export", *arguments, GOLDEN[0])
    assert done.returncode == 2
    assert words in done.stderr
