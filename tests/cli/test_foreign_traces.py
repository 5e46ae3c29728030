# SPDX-License-Identifier: Apache-2.0
"""Traces that others recorded, where FOREIGN_TRACES names a folder with some: docs/IMPORTS.md."""

import json
import os
import pathlib

import pytest

FOLDER = os.environ.get("FOREIGN_TRACES")
FILES = sorted(path for path in pathlib.Path(FOLDER or ".").rglob("*") if path.is_file()) if FOLDER else []
NOTHING = "no GPU activity in it"

pytestmark = pytest.mark.skipif(not FOLDER, reason="FOREIGN_TRACES names no folder")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_trace_of_another_profiler_is_understood(ttitrace, tmp_path, path):
    (tmp_path / "out").mkdir()
    done = ttitrace("import", "-o", "out", path)
    if NOTHING in done.stderr:
        assert done.returncode == 1
        return
    assert (done.returncode, done.stderr) == (0, "")
    for trace in (tmp_path / "out").iterdir():
        report = json.loads(ttitrace("report", "--json", trace).stdout)
        coverage = report["coverage"]
        assert coverage["matched"] == coverage["launches"] and coverage["mismatched"] == 0
        assert coverage["launches_without_record"] == 0
        assert sum(row["share"] for row in report["operators"]) == pytest.approx(1, abs=1e-3)
        for command in (("check",), ("seqlen",), ("roofline",), ("report", "--by", "module"), ("report", "--by", "phase")):
            assert ttitrace(*command, trace).returncode in (0, 1)
            assert ttitrace(*command, trace).stdout
