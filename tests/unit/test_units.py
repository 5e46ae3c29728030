# SPDX-License-Identifier: Apache-2.0
"""Runs the unit tests written in C; each of their cases is a line in the failure's output."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
SOURCES = sorted(HERE.glob("*/test_*.c"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_case_passes(source, build):
    program = build / "tests" / "unit" / source.parent.name / source.stem
    if source.parent.name == "preload" and not program.parent.exists():
        pytest.skip("built without CUDA headers")
    done = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
