# SPDX-License-Identifier: Apache-2.0
"""Functions of native stacks: from the objects, from a file, and from nothing that is not the same."""

import os
import shutil
import subprocess

import pytest
import traced

CONV = "_ZN2at4_ops6conv2d4callERKNS_6TensorE"
KERNEL = "vectorized_elementwise_kernel"


class Recorded:
    """A trace of a program whose operations are in an object that the test may change."""

    def __init__(self, run, directory):
        self.library = directory / "liboperations.so"
        shutil.copy(traced.PLUGINS / "liboperations.so", self.library)
        r = run("loads_plugin", str(self.library), TTITRACE_STACKS="native")
        assert (r.exit_code, r.stderr) == (0, "")
        self.path = str(r.trace.path)

    def report(self, *options):
        return traced.tool("report", *options, self.path)[1]

    def operators(self, *options):
        return {row["name"]: row["launches"] for row in self.report(*options)["operators"]}

    def folded(self, *options):
        done = command("export", "--format", "folded", *options, self.path)
        assert done.returncode == 0
        return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


def command(*args):
    return subprocess.run(
        [str(traced.TOOL), *map(str, args)], capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def recorded(run, tmp_path):
    return Recorded(run, tmp_path)


def test_operations_on_the_stack_are_the_operators(recorded):
    assert recorded.operators() == {"convolution": 3, "elementwise": 1}
    evidence = {row["name"]: row["launches"] for row in recorded.report()["evidence"]["sources"]}
    assert evidence == {"frame": 4}
    assert traced.tool("check", recorded.path)[0] == 0


def test_exported_names_are_enough(recorded):
    subprocess.run(["strip", recorded.library], check=True)
    assert recorded.operators() == {"convolution": 3, "elementwise": 1}
    (stack,) = [s for s in recorded.folded() if "conv2d" in s]
    assert stack.endswith(
        f"at::_ops::conv2d::call;at::_ops::add__Tensor::redispatch;[liboperations.so];launch;{KERNEL}"
    )


def test_names_that_are_not_exported_are_known_as_well(recorded):
    stacks = recorded.folded()
    (stack,) = [s for s in stacks if "conv2d" in s]
    assert ";run_operations;at::_ops::conv2d::call;" in stack
    assert stack.endswith(f";at::_ops::add__Tensor::redispatch;add_kernel_helper;launch;{KERNEL}")


def lines_of(*comments):
    source = (traced.TOP / "tests/programs/plugin/operations.c").read_text().splitlines()
    return [1 + next(i for i, line in enumerate(source) if comment in line) for comment in comments]


def test_debug_information_tells_lines_and_what_was_inlined(recorded):
    launch, call = lines_of("the line that tests look for", "and its call")
    stacks = recorded.folded("--lines")
    (stack,) = [s for s in stacks if "conv2d" in s]
    assert (
        f";add_kernel_helper (operations.c:{call});inlined_helper (operations.c:{launch});launch (way.c:"
        in stack
    )
    assert sum(map(int, stacks.values())) == sum(map(int, recorded.folded().values()))
    rows = recorded.report("--by", "stack", "--lines")["by"]["rows"]
    assert any(f"inlined_helper (operations.c:{launch})" in row["stack"] for row in rows)


def test_without_debug_information_lines_change_nothing(recorded):
    subprocess.run(["strip", "--strip-debug", recorded.library], check=True)
    stacks = [s for s in recorded.folded("--lines") if "conv2d" in s]
    assert ";at::_ops::add__Tensor::redispatch;add_kernel_helper;launch;" in stacks[0]


def test_the_stacks_add_up_to_the_whole(recorded):
    report = recorded.report("--by", "stack")
    rows = report["by"]["rows"]
    assert report["by"]["axis"] == "stack"
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert sum(row["launches"] for row in rows) == 4
    assert sum(row["time_ns"] for row in rows) == sum(row["time_ns"] for row in report["operators"])
    assert sum(map(int, recorded.folded().values())) == sum(row["time_ns"] for row in rows)
    assert {row["stack"][-1] for row in rows} == {KERNEL}
    text = command("report", "--by", "stack", recorded.path).stdout
    assert "at::_ops::silu::call" in text and "native frames:" in text


def test_names_go_where_the_objects_are_not(recorded, tmp_path):
    names = tmp_path / "names"
    done = command("symbols", recorded.path, "-o", names)
    assert (done.returncode, done.stdout) == (0, "")
    assert command("symbols", recorded.path).stdout == names.read_text()
    assert f"\t{CONV}\n" in names.read_text()
    with_object = recorded.folded()
    recorded.library.unlink()
    assert recorded.operators() == {"elementwise": 4}
    assert recorded.report()["native_frames"]["objects_missing"] == 1
    assert recorded.operators("--symbols", names) == {"convolution": 3, "elementwise": 1}
    assert recorded.report("--symbols", names)["native_frames"]["objects_missing"] == 0
    assert recorded.folded("--symbols", names) == with_object
    for judging in ("roofline", "seqlen", "check"):
        assert command(judging, "--json", "--symbols", names, recorded.path).returncode == 0


def test_names_are_the_object_s_wherever_it_lay(recorded, run, tmp_path):
    names = tmp_path / "names"
    command("symbols", recorded.path, "-o", names)
    again = Recorded(run, tmp_path)
    again.library.unlink()
    assert again.operators("--symbols", names) == {"convolution": 3, "elementwise": 1}


def test_an_object_of_another_build_is_refused(recorded):
    shutil.copy(traced.PLUGINS / "libat_load.so", recorded.library)
    assert recorded.operators() == {"elementwise": 4}
    assert recorded.report()["native_frames"]["objects_of_another_build"] == 1
    done = command("symbols", recorded.path)
    assert "1 of another build" in done.stderr
    assert f"  of another build: {recorded.library}\n" in done.stderr
    assert "liboperations" not in done.stdout


def test_none_leaves_the_objects_alone(recorded):
    assert recorded.operators("--symbols", "none") == {"elementwise": 4}
    frames = recorded.report("--symbols", "none")["native_frames"]
    assert (frames["objects_read"], frames["named"]) == (0, 0)
    assert frames["objects_missing"] > 0


def test_a_build_id_is_needed_where_there_was_one(recorded):
    subprocess.run(["strip", "-R", ".note.gnu.build-id", recorded.library], check=True)
    notes = subprocess.run(["readelf", "-nW", recorded.library], capture_output=True, text=True)
    assert "Build ID" not in notes.stdout
    assert recorded.operators() == {"elementwise": 4}


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 4096, b"text\n" * 99],
    ids=["empty", "magic alone", "magic and nonsense", "text"],
)
def test_what_is_no_object_is_passed_over(recorded, content):
    recorded.library.unlink()
    recorded.library.write_bytes(content)
    assert recorded.operators() == {"elementwise": 4}
    assert recorded.report()["native_frames"]["objects_unreadable"] == 1


@pytest.mark.parametrize("part", [2, 3, 10])
def test_a_part_of_an_object_does_no_harm(recorded, part):
    data = recorded.library.read_bytes()
    recorded.library.unlink()
    recorded.library.write_bytes(data[: len(data) // part])
    assert sum(recorded.operators().values()) == 4


def test_nobody_waits_for_a_pipe(recorded):
    recorded.library.unlink()
    os.mkfifo(recorded.library)
    assert recorded.operators() == {"elementwise": 4}
    assert recorded.report()["native_frames"]["objects_unreadable"] == 1


def test_without_evidence_of_frames_nothing_is_read(recorded):
    report = recorded.report("--evidence", "names")
    assert report["native_frames"]["count"] == 0
    assert report["native_frames"]["objects_read"] == 0
