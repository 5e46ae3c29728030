# SPDX-License-Identifier: Apache-2.0
"""Where the binaries are, and how tests make traces and run commands.

O (the build folder, build/release by default) says which build is tested.
"""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def build():
    return (ROOT / os.environ.get("O", "build/release")).resolve()


@pytest.fixture(scope="session")
def binary(build):
    """binary("ttitrace") is the path of a built program; not built is an error, not a skip."""

    def find(name):
        path = build / name
        assert path.exists(), f"{path} is not built: make {path.relative_to(ROOT)}"
        return str(path)

    return find


@pytest.fixture
def ttitrace(binary, tmp_path):
    """Runs a command in an empty directory; the result has returncode, stdout, stderr as text."""

    def run(*arguments, env=None, cwd=tmp_path, **options):
        return subprocess.run(
            [binary("ttitrace"), *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            **options,
        )

    return run


@pytest.fixture
def mktrace(binary, tmp_path):
    """mktrace(text, name) assembles a trace in the test's directory and returns its path."""

    def make(text, name="t.ttt"):
        path = tmp_path / name
        done = subprocess.run(
            [binary("tests/mktrace")],
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        path.write_bytes(done.stdout)
        return path

    return make


@pytest.fixture
def accept_or_compare():
    """accept_or_compare(text, path): ACCEPT=1 rewrites the expected output; then read the diff."""

    def compare(got, path):
        if os.environ.get("ACCEPT"):
            path.write_text(got, encoding="utf-8")
        assert got == path.read_text(encoding="utf-8")

    return compare
