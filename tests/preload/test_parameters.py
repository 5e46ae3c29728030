# SPDX-License-Identifier: Apache-2.0
"""Parameter bytes are kept by content, however pointers change, and numbers stay what they are."""

import ast
import re
import struct
import subprocess

import pytest
import traced


def contents(trace):
    """Parameter bytes by id: the text form of dump has them exactly."""
    process = subprocess.run(
        [str(traced.TOOL), "dump", str(trace.path)], capture_output=True, text=True, timeout=60
    )
    lines = re.findall(r'^parameters id=(\d+) kernel=\d+ bytes=(".*")$', process.stdout, re.M)
    return {int(number): ast.literal_eval("b" + text) for number, text in lines}


def launches_with_bytes(trace):
    """(grid_x, grid_y, parameter bytes or None) of every launch, in order."""
    known = contents(trace)
    for batch in trace.records["host"]:
        c = batch["columns"]
        for template, parameters in zip(c["template"], c["parameters"]):
            t = trace.templates[template]
            if t["op"] == traced.LAUNCH:
                yield t["grid_x"], t["grid_y"], known.get(parameters)


def counter(trace, name):
    text = (traced.TOP / "include/ttitrace/enums.def").read_text()
    number = re.search(rf'TTI_COUNTER\((\d+), \w+, "{name}"', text).group(1)
    return trace.counts.get(int(number), 0)


def ints(data, offset, n):
    return struct.unpack_from(f"<{n}i", data, offset)


def words(data, n):
    return struct.unpack_from(f"<{n}Q", data)


def test_what_a_decoder_needs_is_exact_for_every_launch(run):
    trace = run("parameters", "attention", timing="none").trace
    rows = list(launches_with_bytes(trace))
    assert len(rows) == 1000
    for queries, keys, data in rows:
        assert len(data) == 472
        assert ints(data, 96, 3) == (8, 4, 2)
        assert ints(data, 176, 5) == (2, queries, keys, 0, 40)


def test_pointers_that_change_do_not_make_contents(run):
    trace = run("parameters", "attention", timing="none").trace
    # Four shapes; a few more while it is found out which words are pointers.
    assert len(trace.records["parameters"]) <= 12
    last = [data for _, _, data in launches_with_bytes(trace)][-1]
    q, k, v, _, null_first, never, seed = words(last, 7)
    assert (q, k, v, null_first) == (1, 1, 1, 1)
    assert never == seed == 0


def test_a_null_pointer_stays_null(run):
    trace = run("parameters", "attention", timing="none").trace
    first = next(launches_with_bytes(trace))[2]
    assert words(first, 5)[4] == 0


def test_what_is_new_each_time_is_given_up_and_counted(run):
    trace = run("parameters", "seed", timing="none", TTITRACE_RING_KB=4096).trace
    kept = sum(data is not None for _, _, data in launches_with_bytes(trace))
    dropped = counter(trace, "parameters-dropped")
    assert kept + dropped == 12000
    assert 4096 <= len(trace.records["parameters"]) <= 4096 + 12000 // 16 + 2


def test_a_length_that_grows_with_each_token_is_kept(run):
    """In a model of two layers with two attentions each."""
    trace = run("parameters", "growing", timing="none", TTITRACE_RING_KB=4096).trace
    rows = list(launches_with_bytes(trace))
    assert len(rows) == 4 * 400
    assert all(data and ints(data, 184, 1) == (keys,) for _, keys, data in rows)


def test_parameters_one_by_one_and_packed(run):
    trace = run("parameters", "softmax", timing="none").trace
    rows = list(launches_with_bytes(trace))
    assert [ints(d, 16, 3) for x, _, d in rows if x == 7] == [(65536, 77, 77)] * 20
    assert [ints(d, 16, 3) for x, _, d in rows if x == 8] == [(65536, 128, 127)] * 20
    assert len(trace.records["parameters"]) <= 8


@pytest.mark.parametrize("option,kept", [("none", 0), ("known", 40), ("all", 49)])
def test_the_option_says_whose_are_kept(run, option, kept):
    r = run("parameters", "softmax", "plain", timing="none", TTITRACE_PARAMETERS=option)
    assert sum(d is not None for _, _, d in launches_with_bytes(r.trace)) == kept
    assert r.stderr == ""
