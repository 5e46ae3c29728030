# SPDX-License-Identifier: Apache-2.0
"""Native stacks are what libc's own unwinder says, and every address lies in a known object."""

import ast
import re
import subprocess

import pytest
import traced

# The one function that asks libc and launches is shorter than this.
NEAR = 1024


class Stacks:
    def __init__(self, trace):
        self.frames = {r["id"]: r for r in trace.records["frame"]}
        self.objects = trace.records["object"]

    def stack(self, frame):
        """Return addresses, innermost first."""
        addresses = []
        while frame:
            addresses.append(self.frames[frame]["address"])
            frame = self.frames[frame]["parent"]
        return addresses

    def object_of(self, address):
        return next((o for o in self.objects if o["begin"] <= address < o["end"]), None)


def build_ids_of(path):
    """{path of an object: its build-id}; the text form has bytes as they are."""
    text = subprocess.run([str(traced.TOOL), "dump", str(path)], capture_output=True, text=True)
    found = re.findall(r'^object .* path="(.*?)" build_id=("(?:[^"\\]|\\.)*")', text.stdout, re.M)
    return {name: ast.literal_eval("b" + quoted).hex() for name, quoted in found}


def expected(stdout):
    """{number: addresses}; the program's own order is the launches'."""
    lines = [line.split() for line in stdout.splitlines()]
    return {int(words[0]): [int(w, 16) for w in words[1:]] for words in lines}


def recorded(trace):
    stacks = Stacks(trace)
    return {r.template["grid_x"]: stacks.stack(r.template["stack"]) for r in trace.launches()}


def go(run, **env):
    r = run("stacks", TTITRACE_STACKS="native", **env)
    assert (r.exit_code, r.stderr) == (0, "")
    return r


@pytest.mark.parametrize("depth", [4, 64, 256])
def test_stacks_are_what_libc_says(run, depth):
    r = go(run, TTITRACE_STACK_DEPTH=depth)
    want = expected(r.stdout)
    got = recorded(r.trace)
    assert sorted(got) == sorted(want)
    for n, addresses in want.items():
        assert abs(got[n][0] - addresses[0]) < NEAR
        assert got[n][1:] == addresses[1:depth], n


def test_every_address_lies_in_an_object_with_its_build_id(run):
    r = go(run)
    stacks = Stacks(r.trace)
    used = {o["path"]: o for f in stacks.frames.values() for o in [stacks.object_of(f["address"])]}
    assert any(path.endswith("/stacks") for path in used)
    assert any(path.endswith("/libc.so.6") for path in used)
    build_ids = build_ids_of(r.trace.path)
    for path in used:
        notes = subprocess.run(["readelf", "-nW", path], capture_output=True, text=True).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)
        assert build_ids[path] == (build_id[1] if build_id else ""), path


def test_an_object_loaded_later_is_in_the_map(run):
    r = run("loads_plugin", str(traced.PLUGINS / "libat_load.so"), TTITRACE_STACKS="native")
    assert r.exit_code == 0
    trace = r.trace
    stacks = Stacks(trace)
    paths = {
        stacks.object_of(address)["path"].rsplit("/", 1)[1]
        for row in trace.launches()
        for address in stacks.stack(row.template["stack"])
    }
    assert "libat_load.so" in paths


def test_none_are_taken_unless_asked_for(run):
    r = run("stacks")
    assert r.exit_code == 0
    assert not r.trace.records["frame"] and not r.trace.records["object"]


def test_without_libunwind_there_is_one_line_and_all_the_rest(run, tmp_path):
    (tmp_path / "libunwind.so.8").write_text("")
    r = run(
        "stacks", TTITRACE_STACKS="both", LD_LIBRARY_PATH=f"{tmp_path}:{traced.FAKE}"
    )
    assert r.exit_code == 0
    assert r.stderr.splitlines() == ["ttitrace: no native stacks: cannot load libunwind.so.8"]
    assert len(r.trace.launches()) == len(expected(r.stdout))


def test_libunwind_is_no_dependency(run):
    needed = subprocess.run(
        ["readelf", "-dW", str(traced.LIBRARY)], capture_output=True, text=True
    ).stdout
    assert "unwind" not in needed
