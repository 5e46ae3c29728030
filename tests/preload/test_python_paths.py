# SPDX-License-Identifier: Apache-2.0
"""The recorded Python path is what the interpreter itself says it is, on every version here.

Interpreters: python3.9 to python3.14 where they are in PATH, and those that TTI_PYTHONS names,
separated by colons.
"""

import json
import os
import shutil
import subprocess

import pytest
import traced

SCRIPT = traced.TOP / "tests/programs/python/paths.py"
INHERITED = 4  # template flag
DEPTH = 128  # the default of path_depth

CASES = [
    "plain",
    "methods",
    "generators",
    "coroutines",
    "recursion",
    "exceptions",
    "through_c",
    "compiled",
    "threads",
    "stress",
    "foreign",
    "at_exit",
    "fork",
]


def minor_of(python):
    """3.x of an interpreter that has ctypes, or None."""
    process = subprocess.run(
        [python, "-c", "import sys, ctypes; print(sys.version_info[1])"],
        capture_output=True,
        text=True,
    )
    return int(process.stdout) if process.returncode == 0 else None


def pythons():
    named = [shutil.which(f"python3.{minor}") for minor in range(9, 15)]
    named += os.environ.get("TTI_PYTHONS", "").split(":")
    found = {minor_of(p): p for p in named if p}
    return {minor: p for minor, p in sorted(found.items(), key=str) if minor}


PYTHONS = pythons()


def test_there_is_an_interpreter_on_either_side_of_3_13():
    if not any(m < 13 for m in PYTHONS) or not any(m >= 13 for m in PYTHONS):
        pytest.skip(f"only these are here: {sorted(PYTHONS)}")


@pytest.fixture(params=PYTHONS, ids=[f"3.{m}" for m in PYTHONS])
def minor(request):
    return request.param


def run_case(tmp_path, minor, case, **env):
    env = traced.environment(tmp_path, env.pop("preload", traced.LIBRARY), "none", **env)
    env["LD_LIBRARY_PATH"] += ":" + os.environ.get("LD_LIBRARY_PATH", "")
    process = subprocess.run(
        [PYTHONS[minor], str(SCRIPT), case],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=traced.TIMEOUT_S,
    )
    assert process.returncode == 0, process.stderr
    return process


def the_trace(tmp_path):
    traces = sorted(tmp_path.glob("*.ttt"))
    assert len(traces) == 1
    return traced.Trace(traces[0])


class Paths:
    def __init__(self, trace):
        self.strings = trace.strings
        self.codes = {r["id"]: r for r in trace.records["code"]}
        self.frames = {r["id"]: r for r in trace.records["python_frame"]}

    def path(self, frame):
        """Innermost first, as the script has it."""
        path = []
        while frame:
            f = self.frames[frame]
            c = self.codes[f["code"]]
            path.append(
                [
                    self.strings[c["name"]],
                    self.strings[c["file"]],
                    f["line"],
                    self.strings.get(f["class"]),
                    f["self"],
                ]
            )
            frame = f["parent"]
        return path


def recorded(trace):
    """Number of a launch to its path."""
    paths = Paths(trace)
    return {
        row.template["grid_x"]: paths.path(row.template["path"])
        for row in trace.host()
        if row.template["op"] == traced.LAUNCH
    }


@pytest.mark.parametrize("case", CASES)
def test_paths_are_what_the_interpreter_says(tmp_path, minor, case):
    process = run_case(tmp_path, minor, case)
    assert process.stderr == ""
    trace = the_trace(tmp_path)
    want = {int(n): p for n, p in json.loads((tmp_path / "expected.json").read_text()).items()}
    got = recorded(trace)
    assert len(want) > 1 or case == "foreign"
    assert sorted(got) == sorted(want)
    for n, path in want.items():
        assert got[n] == path[:DEPTH], n


def test_the_class_of_a_method_and_the_identity_tell_instances_apart(tmp_path, minor):
    run_case(tmp_path, minor, "methods")
    trace = the_trace(tmp_path)
    paths = Paths(trace)
    frames = [
        f
        for f in trace.records["python_frame"]
        if paths.strings[paths.codes[f["code"]]["name"]].endswith("_call_impl")
    ]
    classes = {paths.strings[f["class"]] for f in frames}
    assert classes == {"Module", "Attention", "Attention.Inner", "Closure"}
    assert len({f["self"] for f in frames}) >= 6


def test_a_thread_without_python_inherits_the_last_path_and_says_so(tmp_path, minor):
    run_case(tmp_path, minor, "foreign")
    trace = the_trace(tmp_path)
    (sync,) = [r for r in trace.host() if trace.api(r) == "cuCtxSynchronize"]
    assert sync.template["flags"] & INHERITED
    names = [p[0] for p in Paths(trace).path(sync.template["path"])]
    # The last call of Python's own before: not the launch, for creating a thread is none.
    assert names[0] == "launch"
    assert trace.counts[34] == 1


def test_a_path_deeper_than_asked_keeps_its_innermost_frames(tmp_path, minor):
    run_case(tmp_path, minor, "recursion", TTITRACE_PATH_DEPTH=5)
    want = {
        int(n): p for n, p in json.loads((tmp_path / "expected.json").read_text()).items()
    }
    got = recorded(the_trace(tmp_path))
    assert all(got[n] == path[:5] for n, path in want.items())


@pytest.mark.parametrize("stacks", ["none", "native"])
def test_no_path_is_taken_when_it_was_not_asked_for(tmp_path, minor, stacks):
    run_case(tmp_path, minor, "plain", TTITRACE_STACKS=stacks)
    trace = the_trace(tmp_path)
    assert all(row.template["path"] == 0 for row in trace.host())
    assert not trace.records["python_frame"]


def test_a_subinterpreter_is_seen_or_the_call_that_entered_it(tmp_path, minor):
    run_case(tmp_path, minor, "subinterpreter")
    got = recorded(the_trace(tmp_path))
    want = {
        int(n): p for n, p in json.loads((tmp_path / "expected.json").read_text()).items()
    }
    assert all(got[n] == path for n, path in want.items())
    names = [p[0] for p in got[1000]]
    if minor >= 12:
        assert names[-2:] == ["Sub.method", "<module>"]
        assert got[1000][0][3] == "Sub"
    else:
        assert names[0] == "subinterpreter"


@pytest.mark.parametrize("stacks", ["python", "both"])
def test_launching_while_the_interpreter_goes_down_is_harmless(tmp_path, minor, stacks):
    for i in range(5):
        directory = tmp_path / str(i)
        directory.mkdir()
        process = run_case(directory, minor, "finalize", TTITRACE_STACKS=stacks)
        assert process.stderr == ""
        assert len(list(the_trace(directory).host())) > 10


@pytest.mark.parametrize("case", ["plain", "methods", "threads", "fork"])
def test_native_and_python_together(tmp_path, minor, case):
    process = run_case(tmp_path, minor, case, TTITRACE_STACKS="both")
    assert process.stderr == ""
    trace = the_trace(tmp_path)
    want = {int(n): p for n, p in json.loads((tmp_path / "expected.json").read_text()).items()}
    got = recorded(trace)
    assert all(got[n] == path[:DEPTH] for n, path in want.items())
    assert all(row.template["stack"] for row in trace.host())


def libpython_of(minor):
    """Its shared library; None if it has none, or is only to be run by a script of ours."""
    ask = (
        "import sys; from sysconfig import get_config_var as get;"
        "print(get('LIBDIR'), get('INSTSONAME'), sys.base_prefix, sep='\\n')"
    )
    process = subprocess.run([PYTHONS[minor], "-c", ask], capture_output=True, text=True)
    directory, name, home = process.stdout.split("\n")[:3]
    library = os.path.join(directory, name)
    return (library, home) if ".so" in name and os.path.exists(library) else (None, None)


def test_an_interpreter_loaded_later_and_out_of_sight_is_found(run, minor):
    library, home = libpython_of(minor)
    if not library:
        pytest.skip("no libpython")
    r = run("embeds", library, PYTHONHOME=home)
    assert (r.exit_code, r.stderr) == (0, "")
    trace = r.trace
    paths = Paths(trace)
    by_number = {row.template["grid_x"]: row.template for row in trace.launches()}
    names = {
        n: [frame[0].rsplit(".", 1)[-1] for frame in paths.path(t["path"])]
        for n, t in by_number.items()
    }
    inside = ["forward", "<module>"]
    assert names == {1: [], 2: inside, 3: inside, 4: inside, 5: inside}
    assert {n for n, t in by_number.items() if t["flags"] & INHERITED} == {3, 5}


def test_identities_that_are_too_many_are_dropped_and_the_class_stays(tmp_path, minor):
    run_case(tmp_path, minor, "crowd")
    trace = the_trace(tmp_path)
    paths = Paths(trace)
    frames = {r.template["path"]: paths.frames[r.template["path"]] for r in trace.launches()}
    assert {paths.strings[f["class"]] for f in frames.values()} == {"crowd.<locals>.Passerby"}
    selves = {f["self"] for f in frames.values()}
    assert 0 in selves
    assert 16000 < len(selves) < 17000
