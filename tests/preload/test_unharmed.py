# SPDX-License-Identifier: Apache-2.0
"""The application does not notice: same output, exit code, errno, signals."""

import os
import resource
import subprocess
import time

import pytest
import traced

ENDINGS = "return exit _exit _Exit quick_exit abort kill segv term".split()
ENDINGS += ["pthread_exit", "exec", "destroy"]

PROGRAMS = [
    ("routes", "getproc"),
    ("routes", "dlsym+ptsz"),
    ("routes_linked", "next"),
    ("many_threads", 4, 500),
    ("graphs", 5),
    ("reload",),
    ("errnos",),
    ("lookups",),
    ("nothing",),
    ("diffusion_loop",),
    ("forks", "before"),
    ("forks", "after"),
    ("forks", "exits"),
    ("forks", "_exits"),
    ("forks", "execs"),
    ("forks", "spawns"),
] + [("endings", how) for how in ENDINGS]

LAUNCHES = 1  # TTI_COUNTER

DRIVER_SAW = ("launches", "captured", "nodes_added", "graph_launches", "node_runs", "copies")
DRIVER_SAW += ("fills", "refused", "unsafe_in_capture")


def same(bare, traced_run):
    assert traced_run.stdout == bare.stdout
    assert traced_run.exit_code == bare.exit_code
    for what in DRIVER_SAW:
        assert traced_run.seen[what] == bare.seen[what], what
    assert traced_run.seen["cupti_used_in_child"] == 0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: "-".join(map(str, p)))
def test_output_exit_code_and_signals_are_the_same(run, program):
    same(run(*program, preload=None), run(*program))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: "-".join(map(str, p)))
def test_so_they_are_with_the_hooks_alone(run, program):
    nop = traced.BUILD / "libttitrace-nop.so"
    if not nop.exists():
        pytest.skip("libttitrace-nop.so is not built")
    r = run(*program, preload=nop)
    same(run(*program, preload=None), r)
    assert not r.traces


def test_parameters_arrive_as_they_were(run):
    bare = run("many_threads", 4, 500, preload=None)
    assert run("many_threads", 4, 500).seen["parameter_sum"] == bare.seen["parameter_sum"] > 0


def test_errno_survives_every_call(run):
    r = run("errnos", TTITRACE_FLUSH_MS=1)
    assert r.stdout == "0 spoilt\n"


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_a_file_that_may_not_grow_does_not_kill_the_program(run):
    # Beyond the limit write() also sends SIGXFSZ, which ends a program that does not expect it.
    r = run("many_threads", 8, 5000, start=small_files)
    assert r.exit_code == 0, r.stderr
    assert r.stdout == "40000 launches\n"


@pytest.fixture
def tiny_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(place)], capture_output=True
    ).returncode:
        pytest.skip("cannot mount a small disk here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_costs_the_rest_of_the_trace_only(run, tiny_disk):
    # Slowly, with many small frames, so that some fit.
    program = ("many_threads", 2, 10000, 2000)
    bare = run(*program, preload=None)
    r = run(*program, TTITRACE_OUTPUT=tiny_disk / "%p.ttt", TTITRACE_FLUSH_MS=5)
    assert (r.stdout, r.exit_code) == (bare.stdout, bare.exit_code)
    assert len(r.stderr.splitlines()) == 1
    (path,) = tiny_disk.glob("*.ttt")
    trace = traced.Trace(path)
    assert trace.exit_code == 0
    assert 0 < len(list(trace.host())) < 20000
    # There was room kept for saying what is missing.
    assert trace.finish
    assert trace.counts[LAUNCHES] == 20000
    rows = len(list(trace.host())) + len(list(trace.gpu()))
    assert rows + traced.losses(path)["rows-unwritten"] >= 40000


def test_a_limit_of_the_size_is_kept_said_and_what_follows_counted(run):
    program = ("many_threads", 4, 40000)
    bare = run(*program, preload=None)
    r = run(*program, TTITRACE_MAX_MB=1, TTITRACE_LEVEL=1, TTITRACE_FLUSH_MS=20)
    same(bare, r)
    assert len(r.stderr.splitlines()) == 1 and "TTITRACE_MAX_MB" in r.stderr
    (path,) = r.traces
    assert path.stat().st_size <= (1 << 20) + 16384
    report = traced.tool("report", path)[1]
    assert report["processes"][0]["ending"] == "limit"
    assert "maximum size" in traced.text("report", path)
    c, lost = report["coverage"], traced.losses(path)
    rows = c["launches"] + c["kernel_records"]
    assert 0 < rows < 320000
    rows += lost["rows-unwritten"] + lost.get("ring-full", 0)
    assert 320000 <= rows <= 320002  # two rows wait for the GPU


def test_a_disk_that_stalls_costs_rows_and_no_more_than_a_few_seconds(run):
    program = ("many_threads", 2, 10000, 100)
    bare = run(*program, preload=None)
    slow = f"{traced.LIBRARY} {traced.PLUGINS / 'libslow_disk.so'}"
    begin = time.monotonic()
    r = run(*program, preload=slow, SLOW_DISK_MS=5000, TTITRACE_RING_KB=10)
    assert time.monotonic() - begin < 12
    assert (r.stdout, r.exit_code) == (bare.stdout, bare.exit_code)
    assert r.seen["launches"] == bare.seen["launches"]
    assert traced.Trace(r.traces[0]).exit_code in (0, 1)


def peak_kb(directory, *program, preload, **env):
    """Of a run with the traces in a directory of its own."""
    directory.mkdir()
    variables = traced.environment(
        directory, preload, "cupti", TTITRACE_OUTPUT=directory, FAKE_CUDA_REPORT="", **env
    )
    argv = list(map(str, program))
    pid = os.posix_spawn(
        argv[0], argv, variables, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", 1, 0)]
    )
    _, status, used = os.wait4(pid, 0)
    assert status == 0
    return used.ru_maxrss


def test_memory_is_bounded_while_the_disk_stalls(tmp_path):
    slow = f"{traced.LIBRARY} {traced.PLUGINS / 'libslow_disk.so'}"
    setup = {"TTITRACE_RING_KB": 64, "TTITRACE_BUFFER_MB": 4, "SLOW_DISK_MS": 300}
    program = traced.BUILD / "tests/bench/bench_launch"  # few kinds of launches, many of each
    small = peak_kb(tmp_path / "small", program, 100000, 2, preload=slow, **setup)
    large = peak_kb(tmp_path / "large", program, 400000, 2, preload=slow, **setup)
    (path,) = (tmp_path / "large").iterdir()
    assert traced.losses(path)["ring-full"] > 100000
    assert large < small + 8 * 1024


def test_a_trace_that_is_removed_while_it_is_written_is_said(run):
    r = run("descriptors", "removes")
    assert r.exit_code == 0
    assert not r.traces
    assert "removed" in r.stderr and len(r.stderr.splitlines()) == 1


@pytest.mark.parametrize("output", ["/nonexistent/directory/x.ttt", "/proc/x.ttt"])
def test_no_place_to_write_costs_one_line(run, output):
    bare = run("routes", preload=None)
    r = run("routes", TTITRACE_OUTPUT=output)
    same(bare, r)
    assert len(r.stderr.splitlines()) == 1


def test_nonsense_in_the_environment_is_survived(run):
    nonsense = {
        "TTITRACE_TIMING": "yesterday",
        "TTITRACE_FLUSH_MS": "-1",
        "TTITRACE_RING_KB": "99999999999999999999",
        "TTITRACE_BUFFER_MB": "0",
        "TTITRACE_LEVEL": "x",
        "TTITRACE_VERBOSE": "maybe",
    }
    bare = run("routes", preload=None)
    nonsense.pop("TTITRACE_TIMING")
    r = run("routes", timing="yesterday", **nonsense)
    same(bare, r)


def test_a_program_without_cuda_gets_no_file_and_no_thread(run):
    r = run("nothing")
    assert r.stdout.startswith("1 threads")
    assert not r.traces
    assert r.stderr == ""
