# SPDX-License-Identifier: Apache-2.0
"""What else lives in a process or around it: other preloads, sanitizers, sandboxes, namespaces."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import traced

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
MALLOCS = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"]
PROGRAMS = [("many_threads", 4, 500), ("forks", "before"), ("forks", "execs"), ("endings", "_exit")]


def same(bare, r):
    assert (r.stdout, r.exit_code) == (bare.stdout, bare.exit_code), r.stderr
    assert r.seen["launches"] == bare.seen["launches"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: "-".join(map(str, p)))
@pytest.mark.parametrize("order", ["before", "behind"])
@pytest.mark.parametrize("name", MALLOCS)
def test_another_malloc_before_or_behind_it(run, name, order, program):
    if not (LIBRARIES / name).exists():
        pytest.skip(f"no {name}")
    both = [str(LIBRARIES / name), str(traced.LIBRARY)]
    r = run(*program, preload=":".join(both if order == "before" else both[::-1]))
    same(run(*program, preload=LIBRARIES / name), r)
    recorded = sum(len(traced.Trace(p).launches()) for p in r.traces)
    assert recorded == r.seen["launches"] > 0


@pytest.mark.parametrize("how", ["segv", "abort", "return"])
def test_one_that_catches_crashes(run, how):
    catcher = traced.PLUGINS / "libcatcher.so"
    r = run("endings", how, 300, preload=f"{catcher}:{traced.LIBRARY}")
    same(run("endings", how, 300, preload=catcher), r)
    assert ("caught" in r.stdout) == (how != "return")
    assert len(r.trace.launches()) == 1000


def link(directory, *flags, program="many_threads"):
    """The program linked again; its objects are what they were."""
    if not shutil.which("cc"):
        pytest.skip("no linker")
    out = directory / program
    objects = [traced.PROGRAMS / f"{program}.o", traced.PROGRAMS / "way/way.o"]
    done = subprocess.run(["cc", *flags, "-o", out, *objects, "-ldl", "-pthread"], capture_output=True)
    if done.returncode:
        pytest.skip(f"cannot link with {flags}")
    return out


@pytest.mark.parametrize(
    "flags",
    [
        ("-fsanitize=address",),
        ("-fsanitize=address", "-static-libasan"),
        ("-fsanitize=undefined",),
        ("-fsanitize=thread",),
    ],
    ids=lambda f: " ".join(f),
)
def test_a_program_with_a_sanitizer(run, tmp_path, flags):
    program = link(tmp_path, *flags)
    # What README's Limits tell: the shared runtime of AddressSanitizer refuses any preload before
    # it, and ThreadSanitizer does not see the atomics of a library that was built without it.
    setup = {
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        "TSAN_OPTIONS": "ignore_noninstrumented_modules=1",
    }
    bare = run(program, 4, 500, preload=None, **setup)
    r = run(program, 4, 500, **setup)
    if "unexpected memory mapping" in bare.stderr:
        pytest.skip("this kernel is too new for the sanitizer")
    same(bare, r)
    assert "Sanitizer" not in r.stderr
    assert len(r.trace.launches()) == 2000


@pytest.mark.parametrize("arguments", [(), ("exit",)])
def test_a_static_program_is_left_alone(tmp_path, arguments):
    source = tmp_path / "static.c"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("static") < 0; }\n')
    program = tmp_path / "static"
    if not shutil.which("cc") or subprocess.run(["cc", "-static", "-o", program, source]).returncode:
        pytest.skip("cannot link statically")
    done = subprocess.run(
        [str(program), *arguments],
        env=traced.environment(tmp_path, traced.LIBRARY, "cupti"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "static\n", "")
    assert not list(tmp_path.glob("*.ttt"))


def test_a_container_without_proc(tmp_path):
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("cannot make a namespace here")
    script = 'mount -t tmpfs none /proc && exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, str(traced.PROGRAMS / "many_threads"), "4", "500"],
        env=traced.environment(tmp_path, traced.LIBRARY, "cupti"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=traced.TIMEOUT_S,
    )
    assert (done.returncode, done.stdout) == (0, "2000 launches\n"), done.stderr
    (path,) = tmp_path.glob("*.ttt")
    assert len(traced.Trace(path).launches()) == 2000


# What each of these costs when a sandbox forbids it.
HARMLESS = "clone fallocate fcntl fstat ftruncate getcwd getpid gettid lseek madvise".split()
HARMLESS += "membarrier prctl readlink rt_sigprocmask tgkill uname unlink".split()
COSTS_THE_TRACE = "clone3 newfstatat openat pwrite64".split()


@pytest.mark.parametrize("call", HARMLESS)
def test_a_sandbox_that_forbids_what_can_be_done_without(run, call):
    r = run("sandboxed", call)
    same(run("sandboxed", call, preload=None), r)
    if "cannot be sandboxed" not in r.stdout:
        assert len(r.trace.launches()) == len(r.trace.kernels_run()) == 100


def test_a_sandbox_in_which_nobody_can_wait_for_a_lock(run):
    """Without CUPTI, whose own threads wait for each other: we do not."""
    r = run("sandboxed", "futex", timing="none")
    same(run("sandboxed", "futex", preload=None), r)
    if "cannot be sandboxed" not in r.stdout:
        assert len(r.trace.launches()) == 100


@pytest.mark.parametrize("call", COSTS_THE_TRACE)
def test_a_sandbox_that_forbids_what_is_needed_costs_a_line(run, call):
    r = run("sandboxed", call)
    same(run("sandboxed", call, preload=None), r)
    if "cannot be sandboxed" not in r.stdout:
        assert r.stderr.count("nothing is recorded") + r.stderr.count("cannot write") == 1
        assert not any(path.stat().st_size for path in r.traces)


@pytest.mark.parametrize("how,launches", [("local", 5), ("deepbind", 5), ("namespace", 0)])
def test_a_driver_opened_apart_from_the_rest(run, how, launches):
    r = run("isolated", how)
    same(run("isolated", how, preload=None), r)
    assert sum(len(traced.Trace(p).launches()) for p in r.traces) == launches
