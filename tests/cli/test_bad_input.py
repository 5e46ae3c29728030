# SPDX-License-Identifier: Apache-2.0
"""Bad input: one clear line, the right exit status, and what is whole is still reported."""

import json
import pathlib
import random
import struct
import subprocess

import pytest

SMALL = (pathlib.Path(__file__).resolve().parents[1] / "golden/text/small.txt").read_text()

READERS = [["report"], ["report", "--json"], ["check"], ["check", "--json"], ["dump"]]


def assert_refused(done, because):
    assert done.returncode == 1
    assert done.stdout == ""
    assert because in done.stderr
    assert len([line for line in done.stderr.splitlines() if because in line]) == 1


@pytest.mark.parametrize("command", READERS)
def test_a_text_file_is_not_a_trace(ttitrace, tmp_path, command):
    (tmp_path / "x.ttt").write_text("this is no trace, but it is longer than a header\n")
    assert_refused(ttitrace(*command, "x.ttt"), "x.ttt: not a ttitrace trace")


@pytest.mark.parametrize("command", READERS)
def test_an_empty_file_is_not_a_trace(ttitrace, tmp_path, command):
    (tmp_path / "x.ttt").touch()
    assert_refused(ttitrace(*command, "x.ttt"), "x.ttt: the file is empty, not a trace")


@pytest.mark.parametrize("command", READERS)
def test_a_missing_file_is_named(ttitrace, command):
    assert_refused(ttitrace(*command, "x.ttt"), "x.ttt: No such file or directory")


@pytest.mark.parametrize("command", READERS[:4])
def test_a_directory_without_traces_is_an_error(ttitrace, tmp_path, command):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "notes.txt").touch()
    assert_refused(ttitrace(*command, "d"), "d: no traces (*.ttt) in this directory")


def test_no_traces_here_says_how_to_make_one(ttitrace):
    assert_refused(ttitrace("report"), "ttitrace record -- PROGRAM")


@pytest.mark.parametrize("command", READERS)
def test_a_major_version_of_the_future_is_refused(ttitrace, mktrace, command):
    assert_refused(
        ttitrace(*command, mktrace("trace major=2 minor=3\n" + SMALL).name),
        "t.ttt: trace format 2.3, this ttitrace reads 1.x",
    )


def test_features_of_the_future_are_refused(ttitrace, mktrace):
    assert_refused(ttitrace("report", mktrace("trace features=4\n" + SMALL)), "uses features 0x4")


def test_a_minor_version_of_the_future_is_read(ttitrace, mktrace):
    newer = SMALL.replace("count counter=1 value=3", "count counter=1 value=3 extra=aabbcc")
    newer = newer.replace("block\n", "block\nrecord kind=50 bytes=010203\n")
    newer = newer.replace("gpu collected_ns=15000", "gpu collected_ns=15000 extra=010102")
    old = json.loads(ttitrace("report", "--json", mktrace(SMALL)).stdout)
    done = ttitrace("report", "--json", mktrace("trace major=1 minor=7\n" + newer))
    assert done.returncode == 0
    assert json.loads(done.stdout) == old
    check = ttitrace("check", mktrace("trace major=1 minor=7\n" + newer))
    assert check.returncode == 0
    assert "1 records of a kind this version does not know" in check.stdout


def test_an_older_minor_version_is_read(ttitrace, mktrace):
    older = SMALL.replace("template id=3 op=3 bytes=1024", "template fields=2 id=3 op=3")
    older = older.replace("graph_exec id=1 cupti=9", "graph_exec fields=2 id=1 cupti=9")
    assert ttitrace("check", mktrace(older)).returncode == 0


def frames_of(data):
    """Offsets of the frames of a trace that mktrace made."""
    at = [i for i in range(len(data)) if data[i : i + 4] == b"\x28\xb5\x2f\xfd"]
    return at + [len(data)]


def test_a_truncated_trace_is_reported_up_to_there(ttitrace, mktrace):
    path = mktrace(SMALL)
    data = path.read_bytes()
    first, second, end = frames_of(data)
    path.write_bytes(data[: end - 5])
    done = ttitrace("report", "--json", path.name)
    assert done.returncode == 1
    assert f"t.ttt is damaged: its last {end - 5 - second} bytes are an unfinished frame" in done.stderr
    report = json.loads(done.stdout)
    assert report["coverage"]["launches"] == 3
    assert report["coverage"]["complete"] is False
    assert report["run"]["damaged"] is True


def test_a_trace_that_ends_on_a_frame_is_not_damaged(ttitrace, mktrace):
    path = mktrace(SMALL)
    path.write_bytes(path.read_bytes()[: frames_of(path.read_bytes())[1]])
    assert ttitrace("report", path).returncode == 0
    done = ttitrace("check", path)
    assert done.returncode == 1
    assert "ended without finish" in done.stdout


def test_a_flipped_byte_costs_a_frame(ttitrace, mktrace):
    path = mktrace(SMALL)
    data = bytearray(path.read_bytes())
    first, second, _ = frames_of(data)
    data[(first + second) // 2] ^= 0xFF
    path.write_bytes(data)
    for command in READERS:
        done = ttitrace(*command, path.name)
        assert done.returncode == 1
        assert f"{second - first} bytes in 1 place, the first at byte {first}" in done.stderr
    assert json.loads(ttitrace("report", "--json", path).stdout)["coverage"]["kernel_records"] == 5


def test_one_bad_trace_of_several_does_not_spoil_the_others(ttitrace, mktrace, tmp_path):
    mktrace(SMALL, "good.ttt")
    (tmp_path / "bad.ttt").write_text("nothing that could be read as a trace at all\n")
    done = ttitrace("report", "--json", "good.ttt", "bad.ttt")
    assert done.returncode == 1
    assert "bad.ttt: not a ttitrace trace" in done.stderr
    report = json.loads(done.stdout)
    assert report["coverage"]["launches"] == 3
    assert report["coverage"]["complete"] is False


@pytest.mark.parametrize(
    "change, said",
    [
        (("kernel id=2 name=2", "kernel id=2 name=99"), "1 undefined ids in kernel.name: no such string before"),
        (("op=1 api=3 kernel=2 grid_x=8", "op=1 api=3 kernel=9 grid_x=8"), "2 undefined ids in template.kernel: no such kernel before"),
        (("kernel id=1 name=1", "kernel id=1 name=1\npython_frame id=1 parent=1"), "1 undefined ids in python_frame.parent"),
        (("\t1 90 1400 9", "\t1 90 1400 9 0 0 33"), "1 undefined ids in host.parameters: no such parameters"),
        (("\t2 101 1200 8", "\t50 101 1200 8"), "1 host rows without their template"),
        (("\t3 700 12000 10", "\t50 700 12000 10"), "1 device rows without their template"),
        (("string id=2", 'string id=1 text="again"\nstring id=2'), "ids that are defined twice"),
        (("block\n", "raw bytes=01ffff03\nblock\n"), "frames that end within a record"),
        (("block\n", "block\nrecord kind=4 bytes=0109\n"), "records that cannot be decoded"),
        (("process pid", 'info key="a"\nprocess pid'), "records before the process record"),
        (("reason=1 time_ns=20100\n", "reason=1\ncount counter=1 value=3\n"), "records behind the finish record"),
    ],
)
def test_check_finds_what_does_not_fit_together(ttitrace, mktrace, change, said):
    assert change[0] in SMALL
    done = ttitrace("check", mktrace(SMALL.replace(*change)))
    assert done.returncode == 1
    assert said in done.stdout


def test_check_is_content_with_a_whole_trace(ttitrace, mktrace):
    done = ttitrace("check", "--sizes", mktrace(SMALL))
    assert done.returncode == 0
    assert "Records   all in order" in done.stdout
    check = json.loads(ttitrace("check", "--json", mktrace(SMALL)).stdout)
    assert check["fine"] is True and check["problems"] == []


def test_hostile_definitions_do_not_hang(ttitrace, mktrace):
    ring = "\n".join(f"graph_node node={i} origin={i % 3 + 1}" for i in (1, 2, 3))
    text = SMALL.replace("graph_node node=78 origin=77 graph=9", ring + "\ngraph_node node=78 origin=1")
    report = json.loads(ttitrace("report", "--json", mktrace(text)).stdout)
    assert report["coverage"]["nodes_without_creator"] == 2


def test_hostile_times_do_not_crash(ttitrace, mktrace):
    big = 2**64 - 1
    text = SMALL.replace("\t1 2000 3000 7", f"\t1 {big} {big} 7").replace("\t2 101 1200 8", f"\t2 {big} {big} 8")
    assert ttitrace("report", mktrace(text)).returncode == 0


def test_random_damage_never_crashes(ttitrace, mktrace):
    random.seed(11)
    path = mktrace(SMALL)
    whole = path.read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(random.choice([1, 1, 3, 20])):
            data[random.randrange(32, len(data))] = random.randrange(256)
        path.write_bytes(data)
        for command in (["report"], ["check", "--sizes"], ["dump"]):
            assert ttitrace(*command, path).returncode in (0, 1)


def test_random_content_never_crashes(ttitrace, mktrace):
    """Whole frames whose records are rubbish: what only a hostile writer makes."""
    random.seed(12)
    for _ in range(60):
        records = []
        for _ in range(30):
            kind = random.choice([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 16, 19, 32, 33, 99])
            size = random.choice([0, 1, 4, 12, 40])
            content = bytes(random.choice([0, 1, 2, 3, 16, 33, 255]) for _ in range(size))
            records.append(f"record kind={kind} bytes={content.hex()}")
        path = mktrace("\n".join(records) + "\n")
        for command in (["report", "--json"], ["check", "--sizes"], ["dump", "--json"], ["dump"]):
            assert ttitrace(*command, path).returncode in (0, 1)


def test_a_few_bytes_cannot_stand_for_billions_of_rows(ttitrace, mktrace):
    # One batch of 65,536 rows without any plane, ten thousand times.
    batch = "record kind=33 bytes=01808004" + "00" * 5
    path = mktrace("process pid=1\nblock\n" + (batch + "\n") * 10000)
    assert path.stat().st_size < 10000
    done = ttitrace("check", path, timeout=20)
    assert done.returncode == 1
    assert "more rows than so few bytes can honestly hold" in done.stdout


def test_a_huge_skippable_frame_at_the_end_is_a_cut(ttitrace, mktrace):
    path = mktrace(SMALL)
    path.write_bytes(path.read_bytes() + struct.pack("<II", 0x184D2A50, 0xFFFFFFFF) + b"abc")
    done = ttitrace("check", path)
    assert done.returncode == 1
    assert "11 bytes are an unfinished frame" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["report", "--nonsense"], ["report", "--by", "x"], ["report", "--top", "x"], ["dump"], ["check"], ["record"]],
)
def test_wrong_usage_is_status_two(ttitrace, arguments):
    done = ttitrace(*arguments)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr != ""


@pytest.mark.parametrize("command", ["record", "report", "check", "dump", "explain"])
def test_help_is_data(ttitrace, command):
    done = ttitrace(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: ttitrace {command}" in done.stdout


def test_a_full_disk_is_told(binary, mktrace):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [binary("ttitrace"), "dump", str(mktrace(SMALL))],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert b"cannot write the output" in done.stderr
