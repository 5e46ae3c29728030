# SPDX-License-Identifier: Apache-2.0
"""Real traces, recorded on an H200 (tests/gpu/RESULTS.md), and what the commands say of them."""

import pathlib

import pytest

HERE = pathlib.Path(__file__).parent
TRACES = sorted(HERE.glob("*.ttt"))
# Whatever objects this machine has.
ALONE = ["--symbols", "none"]
COMMANDS = {
    "report": ["report", "--top", "12", *ALONE],
    "roofline": ["roofline", "--by", "operator", *ALONE],
    "seqlen": ["seqlen", *ALONE],
    "modules": ["report", "--by", "module", "--depth", "7", *ALONE],
    "phases": ["report", "--by", "phase", "--top", "12", *ALONE],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_reported_as_before(ttitrace, accept_or_compare, trace, command):
    done = ttitrace(*COMMANDS[command], trace)
    assert done.returncode == 0, done.stderr
    accept_or_compare(done.stdout, HERE / f"{trace.stem}.{command}")


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_whole(ttitrace, trace):
    done = ttitrace("check", *ALONE, trace)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_assembled_again_from_its_text(ttitrace, mktrace, trace):
    text = ttitrace("dump", trace).stdout
    again = mktrace(text)
    assert ttitrace("dump", again).stdout == text


def test_names_from_another_machine_tell_the_operators(ttitrace, accept_or_compare):
    """The objects of this trace are on the machine that recorded it; their symbols came along."""
    trace = HERE / "llama.ttt"
    done = ttitrace("report", "--symbols", HERE / "llama.symbols", "--by", "evidence", trace)
    assert done.returncode == 0, done.stderr
    accept_or_compare(done.stdout, HERE / "llama.symbols.report")


def test_there_are_real_traces():
    assert TRACES
