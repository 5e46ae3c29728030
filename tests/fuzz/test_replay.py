# SPDX-License-Identifier: Apache-2.0
"""The committed inputs of the fuzzers, and every damaged trace, through the readers once more."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
FUZZERS = sorted(path.stem for path in HERE.glob("fuzz_*.c"))
BROKEN = sorted(path for path in (HERE.parent / "broken").glob("*") if path.suffix == ".ttt")


def replay(binary, fuzzer, files):
    done = subprocess.run(
        [binary(f"tests/fuzz/{fuzzer}"), *map(str, files)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_no_input_of_the_corpus_breaks_a_reader(fuzzer, binary):
    files = sorted((HERE / "corpus" / fuzzer).iterdir())
    assert files
    replay(binary, fuzzer, files)


def test_no_broken_trace_breaks_a_reader(binary):
    if BROKEN:
        replay(binary, "fuzz_trace", BROKEN)


def test_the_corpus_is_small():
    assert sum(path.stat().st_size for path in HERE.glob("corpus/*/*")) < 500_000
