# SPDX-License-Identifier: Apache-2.0
"""Every minor version that was written stays readable: a real trace of each, and its report."""

import pathlib
import struct

import pytest

HERE = pathlib.Path(__file__).parent
TRACES = sorted(HERE.glob("*.ttt"))


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_trace_of_an_older_version_reads_as_ever(ttitrace, accept_or_compare, trace):
    major, minor = struct.unpack_from("<HH", trace.read_bytes(), 16)
    assert f"{major}.{minor}" == trace.stem
    assert ttitrace("check", "--symbols", "none", trace).returncode == 0
    done = ttitrace("report", "--top", "12", "--symbols", "none", trace)
    accept_or_compare(done.stdout, HERE / f"{trace.stem}.report")


def test_there_is_one_of_each_version_before():
    header = (HERE.parents[1] / "include/ttitrace/format.h").read_text(encoding="utf-8")
    minor = int(header.split("TTI_FORMAT_MINOR ")[1].split()[0])
    assert [path.stem for path in TRACES] == [f"1.{older}" for older in range(minor)]
