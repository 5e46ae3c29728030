# SPDX-License-Identifier: Apache-2.0
"""Whole families of processes, as Python makes them: a trace for each that used CUDA."""

import subprocess
import sys

import pytest
import traced

SCRIPT = traced.TOP / "tests/programs/python/family.py"


@pytest.fixture
def family(tmp_path):
    def go(*arguments, preload=traced.LIBRARY, **env):
        directory = tmp_path / ("traced" if preload else "bare")
        directory.mkdir()
        process = subprocess.run(
            [sys.executable, str(SCRIPT), *map(str, arguments)],
            cwd=directory,
            env=traced.environment(directory, preload, "cupti", **env),
            capture_output=True,
            text=True,
            timeout=traced.TIMEOUT_S,
        )
        return traced.Run(directory, process, sorted(directory.glob("seen.*")))

    return go


def launches(r):
    return sorted(len(traced.Trace(p).launches()) for p in r.traces)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_have_a_trace_each(family, method):
    bare, r = family(method, preload=None), family(method)
    assert (r.stdout, r.stderr) == (bare.stdout, bare.stderr) == ("[0, 0, 0]\n", "")
    assert launches(r) == [10, 20]
    assert all(traced.check(p) == 0 for p in r.traces)


def test_ranks_are_in_the_names_and_in_the_report(family):
    r = family("ranks", TTITRACE_OUTPUT="rank%r.ttt")
    assert [p.name for p in r.traces] == [f"rank{i}.ttt" for i in range(4)]
    for i, path in enumerate(r.traces):
        assert len(traced.Trace(path).launches()) == 10 + i
    _, report = traced.tool("report", "--by", "process", *r.traces)
    assert [p["rank"] for p in report["processes"]] == ["0", "1", "2", "3"]
    text = traced.text("report", "--by", "process", *r.traces)
    assert all(f"rank {i}" in text for i in range(4))


def test_shells_and_programs_around_it_leave_nothing(family):
    bare, r = family("nested", preload=None), family("nested")
    assert (r.stdout, r.stderr) == (bare.stdout, bare.stderr) == ("0 3\n", "")
    assert launches(r) == [10]


def test_python_that_ends_at_once_leaves_a_finished_trace(family):
    r = family("launches", 100, "_exit")
    assert r.exit_code == 15
    assert len(r.trace.launches()) == len(r.trace.kernels_run()) == 100
    assert traced.check(r.trace.path) == 0
