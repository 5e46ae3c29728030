# SPDX-License-Identifier: Apache-2.0
"""Ranges that the program sets with NVTX: recorded as they are, and phases of the report."""

import os

import traced

INSTANT, PUSH, POP, START, END = range(5)  # TTI_MARK


def said(trace):
    """In the order of time: each thread has rows of its own."""
    marks = sorted(trace.records["mark"], key=lambda m: m["time_ns"])
    return [(m["kind"], m["domain"], m["text"]) for m in marks]


def phases(path):
    return [
        (p["name"], p["index"], p["launches"])
        for p in traced.tool("report", "--by", "phase", path)[1]["phases"]
    ]


def test_ranges_are_recorded_even_those_that_began_before_cuda(run):
    marks = said(run("nvtx_ranges", "pipeline").trace)
    assert marks[0] == (PUSH, "", "pipeline")
    assert marks[1:3] == [(PUSH, "", "encode"), (POP, "", "")]
    assert marks[-1] == (POP, "", "")
    assert len([m for m in marks if m[0] == PUSH]) == len([m for m in marks if m[0] == POP]) == 12


def test_ranges_become_the_phases_of_the_report(run):
    """Those below the one that holds them all; a number behind a name says which of its steps."""
    trace = run("nvtx_ranges", "pipeline").trace
    assert phases(trace.path) == [
        ("encode", 0, 5),
        ("step", 0, 12),
        ("step", 1, 12),
        ("step", 2, 12),
        ("step", 3, 12),
        ("decode", 0, 3),
    ]


def test_what_is_outside_of_ranges_is_the_residual(run):
    trace = run("nvtx_ranges", "pipeline").trace
    assert traced.tool("report", "--by", "phase", trace.path)[1]["residual"]["launches"] == 1


def test_every_form_is_recorded(run):
    r = run("nvtx_ranges", "forms")
    assert said(r.trace) == [
        (INSTANT, "", "mark"),
        (INSTANT, "", "Märk 😀"),
        (INSTANT, "", "event"),
        (START, "", "first"),
        (START, "", "event"),
        (END, "", ""),
        (END, "", ""),
        (POP, "", ""),
        (PUSH, "", "wide"),
        (PUSH, "", "event"),
        (POP, "", ""),
        (POP, "", ""),
        (PUSH, "library", "registered"),
        (POP, "library", ""),
        (INSTANT, "library", "registered"),
        (START, "library", "registered"),
        (END, "library", ""),
    ]
    ranges = [m["range"] for m in r.trace.records["mark"] if m["kind"] in (START, END)]
    assert ranges[0] == ranges[2] != ranges[1] == ranges[3] and 0 not in ranges


def test_nvtx_answers_as_a_tool_lets_it(run):
    assert run("nvtx_ranges", "forms").stdout == "pop -1\npush 0\npush 1\npop 1\npop 0\n"


def test_a_library_that_another_tool_named_stays(run, tmp_path):
    r = run("nvtx_ranges", "forms", NVTX_INJECTION64_PATH="/nowhere/other.so")
    assert r.exit_code == 0
    assert said(r.trace) == []


def test_a_forked_child_starts_with_marks_of_its_own(run):
    r = run("nvtx_ranges", "fork")
    assert said(r.trace) == [(PUSH, "", "child"), (POP, "", "")]
    pids = {m["tid"] for m in r.trace.records["mark"]}
    assert pids == {r.trace.records["process"][0]["pid"]} != {os.getpid()}


def test_without_the_preload_the_variable_does_nothing(run):
    bare = run("nvtx_ranges", "forms", preload=None, NVTX_INJECTION64_PATH=traced.LIBRARY)
    assert bare.exit_code == 0, bare.stderr
    assert bare.stdout == run("nvtx_ranges", "forms", preload=None).stdout
    assert not bare.traces
