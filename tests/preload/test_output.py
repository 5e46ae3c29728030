# SPDX-License-Identifier: Apache-2.0
"""Where the trace goes, and that it cannot be led astray."""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

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
    run("routes", TTITRACE_OUTPUT=path)
    run("routes", TTITRACE_OUTPUT=path)
    assert path.read_text() == "mine"
    assert traced.Trace(tmp_path / "mine-1.ttt").launches()
    assert traced.Trace(tmp_path / "mine-2.ttt").launches()


def test_a_symbolic_link_is_not_followed(run, tmp_path):
    target, link = tmp_path / "target", tmp_path / "link.ttt"
    link.symlink_to(target)
    run("routes", TTITRACE_OUTPUT=link)
    assert not target.exists()
    assert (tmp_path / "link-1.ttt").exists()


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


@pytest.fixture
def open_directory():
    """One that every user can reach: those of pytest are private."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


@pytest.mark.parametrize("mode", [0o755, 0o4755])
def test_a_setuid_program_is_not_traced(open_directory, mode):
    # The loader already refuses LD_PRELOAD there; here the library is linked, so it must itself.
    if os.geteuid() or not shutil.which("cc"):
        pytest.skip("needs root and a linker to make a setuid program")
    program = open_directory / "routes"
    objects = [traced.PROGRAMS / "routes.o", traced.PROGRAMS / "way/way.o"]
    libraries = []
    for library in (traced.LIBRARY, traced.FAKE / "libcuda.so.1"):
        libraries.append(shutil.copy(library, open_directory))
    subprocess.run(
        ["cc", "-o", program, *objects, "-Wl,--no-as-needed", libraries[0]]
        + [f"-Wl,-rpath,{open_directory}"],
        check=True,
    )
    program.chmod(mode)
    process = subprocess.run(
        [str(program)],
        cwd=open_directory,
        env=traced.environment(open_directory, None, "none"),
        capture_output=True,
        text=True,
        user=65534,
    )
    assert process.returncode == 0, process.stderr
    assert bool(list(open_directory.glob("*.ttt"))) == (mode == 0o755)


def test_a_trace_is_a_legal_zstd_file(run):
    if not shutil.which("zstd"):
        pytest.skip("no zstd")
    (path,) = run("diffusion_loop").traces
    assert subprocess.run(["zstd", "-tq", str(path)]).returncode == 0
