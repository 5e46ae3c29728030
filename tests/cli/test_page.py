# SPDX-License-Identifier: Apache-2.0
"""report --html: one file, whose sums are those of the other reports, whatever is in the trace."""

import collections
import json
import pathlib
import re

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
TRACES = sorted(GOLDEN.glob("*.ttt"))
SIZE_MAX = 5_000_000


def data_of(html):
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])


@pytest.fixture
def page(ttitrace, tmp_path):
    def make(*arguments, code=0):
        path = tmp_path / "out.html"
        done = ttitrace("report", "--symbols", "none", "--html", path, *arguments)
        assert done.returncode == code, done.stderr
        assert not done.stdout
        return path.read_text(encoding="utf-8")

    return make


def rows_of(data):
    rows = data["rows"]
    for i, entry in enumerate(rows["entry"]):
        entries = data["entries"]
        kernel = entries["kernel"][entry]
        yield {
            "time": rows["time"][i],
            "launches": rows["launches"][i],
            "operator": data["vocabulary"]["operators"][entries["operator"][entry]][0],
            "evidence": data["vocabulary"]["evidences"][entries["evidence"][entry]][0],
            "kernel": data["kernels"][kernel]["full"] if kernel >= 0 else None,
            "phase": data["groups"]["name"][rows["group"][i]],
            "node": rows["node"][i],
        }


def sums(rows, key, value="time"):
    total = collections.Counter()
    for row in rows:
        total[row[key]] += row[value]
    return {name: amount for name, amount in total.items() if amount}


def tree_of(data):
    """Times of the tree by path, with all that is below."""
    parents, labels = data["nodes"]["parent"], data["nodes"]["label"]
    times = [0] * len(parents)
    for row in rows_of(data):
        times[row["node"]] += row["time"]
    for i in range(len(parents) - 1, 0, -1):
        times[parents[i]] += times[i]

    def path(node):
        return (*path(parents[node]), labels[node]) if node else ()

    tree = collections.Counter()
    for i in range(1, len(parents)):
        tree[path(i)] += times[i]
    return dict(tree)


def tree_of_report(children, above=()):
    tree = collections.Counter()
    for child in children:
        tree[(*above, child["name"])] += child["time_ns"]
        tree.update(tree_of_report(child["children"], (*above, child["name"])))
    return dict(tree)


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_its_sums_are_those_of_the_reports(page, ttitrace, trace):
    def report(*arguments):
        done = ttitrace("report", "--symbols", "none", "--json", *arguments, trace)
        return json.loads(done.stdout)

    html = page(trace)
    data = data_of(html)
    rows = list(rows_of(data))
    plain, phases, modules = report(), report("--by", "phase"), report("--by", "module")

    assert len(html) < SIZE_MAX
    for value in "time", "launches":
        key = {"time": "time_ns"}.get(value, value)
        assert sums(rows, "operator", value) == {
            row["name"]: row[key] for row in plain["operators"] if row[key]
        }
        assert sums(rows, "evidence", value) == {
            row["name"]: row[key] for row in plain["evidence"]["sources"] if row[key]
        }
    wanted = collections.Counter()
    for row in plain["kernels"]:
        wanted[row["name"][:1500]] += row["time_ns"]
    assert sums(rows, "kernel") == {k: v for k, v in wanted.items() if v}
    wanted = collections.Counter()
    for row in [*phases["phases"], {**phases["residual"], "name": "residual"}]:
        wanted[row["name"]] += sum(operator["time_ns"] for operator in row["operators"])
    assert sums(rows, "phase") == {k: v for k, v in wanted.items() if v}
    assert tree_of(data) == tree_of_report(modules["modules"])
    assert data["gpu"] == plain["gpu"]
    assert data["coverage"] == plain["coverage"]


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_all_work_is_on_the_timeline(page, trace):
    data = data_of(page(trace))
    binned = sum(
        value * lane["width"] / 1000
        for lane in data["lanes"]
        for series in lane["series"].values()
        for value in series
        if value > 0
    )
    assert binned == pytest.approx(data["time_ns"], rel=0.01)


def test_a_short_run_is_kept_launch_by_launch(page, ttitrace):
    data = data_of(page(GOLDEN / "llama.ttt"))
    (detail,) = data["details"]
    assert detail["is_all"] and len(detail["entry"]) == data["launches"]
    assert sum(detail["duration"]) == data["time_ns"]


def test_a_long_run_keeps_the_median_phase_of_each_sort(page):
    data = data_of(page(GOLDEN / "sd15.ttt"))
    kept = {
        (data["groups"]["name"][detail["group"]], detail["index"]) for detail in data["details"]
    }
    phases = data["phases"]
    spans = sorted(
        (end - begin, index)
        for begin, end, index, group in zip(
            phases["begin"], phases["end"], phases["index"], phases["group"]
        )
        if data["groups"]["name"][group] == "denoising step"
    )
    assert {name for name, _ in kept} == {"text encoding", "denoising step", "VAE decode"}
    assert ("denoising step", spans[len(spans) // 2][1]) in kept


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "line\u2028separator\u2029here",
    "]]>&lt;&amp;",
    "${alert(1)}`",
    "@DATA@",
]


def small_trace(names):
    lines = ['process pid=1 begin_ns=1 command="app"', 'device ordinal=0 name="NVIDIA H200"']
    host, gpu = [], []
    for number, name in enumerate(names, 1):
        quoted = json.dumps(name, ensure_ascii=False)
        lines += [
            f"string id={number} text={quoted}",
            f"kernel id={number} name={number}",
            f"template id={number} op=1 kernel={number} grid_x=1 grid_y=1 grid_z=1",
            f"device_template id={number} activity=1 name={number} grid_x=1 grid_y=1 grid_z=1",
        ]
        host.append(f"\t{number} 100 {1000 * number} {number}")
        gpu.append(f"\t{number} {60 + number} {1000 * number + 300} {number}")
    lines += ["host tid=1", *host]
    lines += ["gpu", *gpu, "finish reason=1"]
    return "\n".join(lines) + "\n"


def test_names_cannot_leave_the_data(page, mktrace):
    html = page(mktrace(small_trace(HOSTILE)))
    plain = page(mktrace(small_trace(["harmless"])))
    data = data_of(html)

    for tag in "<script", "</script", "<img", "<!--":
        assert html.lower().count(tag) == plain.lower().count(tag)
    assert "\u2028" not in html and "\u2029" not in html
    assert {kernel["mangled"] for kernel in data["kernels"]} >= set(HOSTILE)


def test_only_its_own_scripts_may_run_and_nothing_is_fetched(page):
    html = page(GOLDEN / "triton.ttt")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]

    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert policy.count("'sha256-") == html.count("<script>")
    assert not re.search(r'(src|href)="(?!data:)', html.split("<body>")[0])


def test_it_stays_small_whatever_a_run_launches(page, mktrace):
    names = [f"kernel_{i}_" + "x" * 700 for i in range(9000)]
    html = page(mktrace(small_trace(names)))
    data = data_of(html)

    assert len(html) < SIZE_MAX
    assert sum(data["rows"]["time"]) == data["time_ns"] == sum(60 + n for n in range(1, 9001))
    assert any(data["entries"]["rest"])


def test_arguments_are_compared_not_their_traces(page, tmp_path):
    for folder in "before", "after":
        (tmp_path / folder).mkdir()
        for name in "a", "b":
            (tmp_path / folder / f"{name}.ttt").write_bytes((GOLDEN / "sdpa.ttt").read_bytes())
    both = data_of(page(tmp_path / "before", tmp_path / "after"))
    one = data_of(page(tmp_path / "before"))

    assert [side["processes"] for side in both["sides"]] == [2, 2]
    assert [side["processes"] for side in one["sides"]] == [1, 1]
    assert both["time_ns"] == 2 * one["time_ns"] == sum(both["rows"]["time"])


def test_a_run_without_device_times_is_of_the_host(page, mktrace):
    text = small_trace(["a", "b"]).split("gpu\n")[0]
    data = data_of(page(mktrace(text)))
    assert data["is_host_time"]
    assert sum(data["rows"]["time"]) == data["time_ns"] == 200
    assert len(data["details"][0]["entry"]) == 2


def test_a_trace_without_work_has_a_page(page, mktrace):
    data = data_of(page(mktrace('process pid=1 command="app"\n')))
    assert data["rows"]["time"] == []


def test_a_damaged_trace_has_a_page_that_says_so(page, tmp_path):
    whole = (GOLDEN / "sd15_unfused.ttt").read_bytes()
    (tmp_path / "cut.ttt").write_bytes(whole[: len(whole) * 2 // 3])
    data = data_of(page(tmp_path / "cut.ttt", code=1))
    assert data["run"]["damaged"]
    assert sum(data["rows"]["time"]) == data["time_ns"] > 0


def test_a_choice_of_phases_and_modules_is_kept(page, ttitrace):
    choice = ["--phase", "denoising step:1..2", "--focus", "CrossAttn", GOLDEN / "sd15_unfused.ttt"]
    data = data_of(page(*choice))
    wanted = json.loads(ttitrace("report", "--json", "--symbols", "none", *choice).stdout)
    assert sums(rows_of(data), "operator") == {
        row["name"]: row["time_ns"] for row in wanted["operators"]
    }
    assert data["chosen"] == {"focus": "CrossAttn", "phases": "denoising step"}


def test_it_goes_to_standard_output(ttitrace):
    done = ttitrace("report", "--html", "-", GOLDEN / "triton.ttt")
    assert done.returncode == 0
    assert done.stdout.startswith("<!DOCTYPE html>") and done.stdout.endswith("</html>\n")


def test_a_place_that_cannot_be_written_is_told(ttitrace, tmp_path):
    done = ttitrace("report", "--html", tmp_path / "no/such.html", GOLDEN / "triton.ttt")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("no/such.html: No such file or directory")


@pytest.mark.parametrize("other", [["--json"], ["--by", "kernel"], ["--by", "phase"]])
def test_it_is_no_table(ttitrace, other):
    done = ttitrace("report", "--html", "out.html", *other, GOLDEN / "triton.ttt")
    assert done.returncode == 2
    assert "--html" in done.stderr
