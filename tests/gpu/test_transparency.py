# SPDX-License-Identifier: Apache-2.0
"""What transparency.py calls the same, and what it does not; needs no GPU."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from transparency import Item, compare_program, compare_text, outcomes


class Printed:
    def __init__(self, stdout):
        self.stdout = stdout


@pytest.fixture
def item():
    return Item("x", [])


def faults(item, first, second, traced):
    compare_text(item, "stdout", (first, second), traced)
    return item.faults


def test_the_same_lines_are_the_same(item):
    assert not faults(item, "a\nb\n", "a\nb\n", "a\nb\n")
    assert item.compared == 2


def test_lines_that_always_differ_say_nothing(item):
    assert not faults(item, "a\n1 ms\n", "a\n2 ms\n", "a\n3 ms\n")
    assert item.compared == 1


def test_a_line_that_changes_is_a_fault(item):
    assert faults(item, "a\nb\n", "a\nb\n", "a\nc\n") == ["stdout line 2: 'b' became 'c'"]


def test_a_line_that_is_missing_is_a_fault(item):
    assert faults(item, "a\nb\n", "a\nb\n", "a\n") == ["stdout line 2: 'b' became 'nothing'"]


def test_outcomes_are_read_test_by_test():
    text = (
        "tests/a.py::T::test_x[1 2-float] PASSED [ 5%]\n"
        "tests/a.py::T::test_y SKIPPED (no way) [ 9%]\n"
        "tests/a.py::T::test_z FAILED [ 12%]\n"
    )
    assert outcomes(Printed(text)) == {
        "tests/a.py::T::test_x[1 2-float]": "PASSED",
        "tests/a.py::T::test_y": "SKIPPED",
        "tests/a.py::T::test_z": "FAILED",
    }


def run_shell(line):
    item = Item("x", ["sh", "-c", line])
    compare_program(item)
    return item


@pytest.fixture(autouse=True)
def built():
    from common import BUILD

    if not (BUILD / "libttitrace.so").exists():
        pytest.skip("no libttitrace.so")


def test_a_program_that_does_the_same_is_the_same():
    item = run_shell("echo same; date +%N; exit 3")
    assert (item.faults, item.failures, item.coverage) == ([], 1, "no trace")


def test_a_program_that_notices_is_found():
    item = run_shell('echo "preloaded: $LD_PRELOAD"; exit ${LD_PRELOAD:+4}')
    assert len(item.faults) == 2
    assert any("exit code 0 became 4" in fault for fault in item.faults)
    assert os.environ.get("LD_PRELOAD") is None
