# SPDX-License-Identifier: Apache-2.0
"""Where the trace goes, and that it cannot be led astray."""

import os
import shutil
import socket
import stat
import subprocess

import pytest
import traced


def test_the_default_name_has_host_and_process(run):
    r = run("routes")
    (pid,) = r.seen_by_pid
    assert r.traces == [r.directory / f"ttitrace-{socket.gethostname()}-{pid}.ttt"]


def test_the_pattern_knows_host_process_rank_and_percent(run):
    r = run("routes", TTITRACE_OUTPUT="a-%h-%p-%r-%%.ttt", RANK=3)
    (pid,) = r.seen_by_pid
    assert [p.name for p in r.traces] == [f"a-{socket.gethostname()}-{pid}-3-%.ttt"]


def test_a_directory_gets_the_default_name(run, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    r = run("routes", TTITRACE_OUTPUT=place)
    (pid,) = r.seen_by_pid
    assert [p.name for p in place.iterdir()] == [f"ttitrace-{socket.gethostname()}-{pid}.ttt"]


def test_only_the_owner_may_read_it(run):
    old = os.umask(0)
    try:
        (path,) = run("routes").traces
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_left_alone(run, tmp_path):
    path = tmp_path / "mine.ttt"
    path.write_text("mine")
    r = run("routes", TTITRACE_OUTPUT=path)
    assert r.exit_code == 0
    assert path.read_text() == "mine"
    assert len(r.stderr.splitlines()) == 1


def test_a_symbolic_link_is_not_followed(run, tmp_path):
    target, link = tmp_path / "target", tmp_path / "link.ttt"
    link.symlink_to(target)
    r = run("routes", TTITRACE_OUTPUT=link)
    assert r.exit_code == 0
    assert not target.exists()
    assert len(r.stderr.splitlines()) == 1


def test_the_trace_says_who_was_traced(run):
    r = run("routes", "getproc", TTITRACE_RUN="run-7")
    (process,) = r.trace.records["process"]
    (pid,) = r.seen_by_pid
    assert process["pid"] == pid
    assert process["host"] == socket.gethostname()
    assert process["program"].endswith("/routes")
    info = {i["key"]: i["value"] for i in r.trace.records["info"]}
    assert "run-7" in info.values()
    assert any("libcupti.so.13" in v for v in info.values())
    devices = r.trace.records["device"]
    assert [d["name"] for d in devices] == ["Stand-in GPU", "Stand-in GPU"]
    assert devices[0]["multiprocessors"] == 16


def test_verbose_names_the_file_and_the_cupti(run):
    r = run("routes", TTITRACE_VERBOSE=1)
    assert r.traces[0].name in r.stderr
    assert "libcupti.so.13" in r.stderr


def test_setuid_programs_ignore_the_environment(tmp_path):
    if os.geteuid():
        pytest.skip("needs root to make a setuid program")
    program = tmp_path / "routes"
    shutil.copy(traced.PROGRAMS / "routes", program)
    tmp_path.chmod(0o777)
    program.chmod(0o4755)
    process = subprocess.run(
        [str(program)],
        cwd=tmp_path,
        env=traced.environment(tmp_path, traced.LIBRARY, "cupti"),
        capture_output=True,
        text=True,
        user=65534,
    )
    assert process.returncode is not None
    assert not list(tmp_path.glob("*.ttt"))


def test_a_trace_is_a_legal_zstd_file(run):
    if not shutil.which("zstd"):
        pytest.skip("no zstd")
    (path,) = run("diffusion_loop").traces
    assert subprocess.run(["zstd", "-tq", str(path)]).returncode == 0
