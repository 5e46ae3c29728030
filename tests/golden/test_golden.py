# SPDX-License-Identifier: Apache-2.0
"""Real traces, recorded on an H200 (tests/gpu/RESULTS.md), and what the commands say of them.

ACCEPT=1 rewrites the expected outputs: then read the diff.
"""

import os
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
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_reported_as_before(ttitrace, trace, command):
    done = ttitrace(*COMMANDS[command], trace)
    assert done.returncode == 0, done.stderr
    expected = HERE / f"{trace.stem}.{command}"
    if os.environ.get("ACCEPT"):
        expected.write_text(done.stdout, encoding="utf-8")
    assert done.stdout == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_whole(ttitrace, trace):
    done = ttitrace("check", *ALONE, trace)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_real_trace_is_assembled_again_from_its_text(ttitrace, mktrace, trace):
    text = ttitrace("dump", trace).stdout
    again = mktrace(text)
    assert ttitrace("dump", again).stdout == text


def test_there_are_real_traces():
    assert TRACES
