# SPDX-License-Identifier: Apache-2.0
"""ttitrace report: what stands at the top, what adds up, and how."""

import json
import os
import pathlib

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/text"
SMALL = (GOLDEN / "small.txt").read_text()


def as_json(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("small.report", []),
        ("small.report.ascii", ["--ascii"]),
        ("small.report.shape", ["--by", "shape"]),
        ("small.report.stream", ["--by", "stream", "--top", "1"]),
        ("small.report.process", ["--by", "process"]),
    ],
)
def test_the_report_is_as_expected(accept_or_compare, ttitrace, mktrace, name, arguments):
    done = ttitrace("report", *arguments, mktrace(SMALL).name)
    assert done.returncode == 0
    assert done.stderr == ""
    accept_or_compare(done.stdout, GOLDEN / name)


def test_the_json_report_is_as_expected(accept_or_compare, ttitrace, mktrace):
    accept_or_compare(ttitrace("report", "--json", mktrace(SMALL).name).stdout, GOLDEN / "small.report.json")


def test_shares_add_up_to_one(ttitrace, mktrace):
    report = as_json(ttitrace("report", "--json", mktrace(SMALL)))
    for table in ("operators", "kinds", "kernels"):
        assert sum(row["share"] for row in report[table]) == pytest.approx(1, abs=1e-4)
        assert sum(row["launches"] for row in report[table]) == 6


def test_a_locale_without_unicode_gets_ascii(ttitrace, mktrace):
    done = ttitrace("report", mktrace(SMALL), env={"LC_ALL": "C"})
    assert done.stdout.isascii() and "####" in done.stdout


def test_device_rows_may_come_before_host_rows(ttitrace, mktrace):
    head, tail = SMALL.split("host tid=4242\n")
    host, device = tail.split("block\n")
    device, rest = device.split("count counter=1", 1)
    turned = head + device + "block\nhost tid=4242\n" + host + "count counter=1" + rest
    ours, theirs = (
        as_json(ttitrace("report", "--json", mktrace(text, name)))
        for text, name in ((SMALL, "a.ttt"), (turned, "b.ttt"))
    )
    theirs["processes"][0]["path"] = ours["processes"][0]["path"]
    assert ours == theirs
    assert ours["coverage"]["complete"] is True


def test_a_launch_without_its_record_is_not_complete(ttitrace, mktrace):
    path = mktrace(SMALL.replace("\t1 2000 9500 9\n", ""))
    coverage = as_json(ttitrace("report", "--json", path))["coverage"]
    assert coverage["launches_without_record"] == 1
    assert coverage["complete"] is False
    text = ttitrace("report", path).stdout
    assert "NOT complete" in text
    assert "1 launches have no GPU record" in text
    assert "the recorder counted 5 kernel-records, the trace has 4" in text


def test_a_record_without_its_launch_is_not_complete(ttitrace, mktrace):
    path = mktrace(SMALL.replace("\t1 90 1400 9\n", ""))
    coverage = as_json(ttitrace("report", "--json", path))["coverage"]
    assert coverage["records_without_launch"] == 1
    assert coverage["complete"] is False


def test_a_join_to_another_grid_is_a_mismatch(ttitrace, mktrace):
    path = mktrace(SMALL.replace("activity=1 name=1 stream=7 grid_x=4", "activity=1 name=1 stream=7 grid_x=5"))
    coverage = as_json(ttitrace("report", "--json", path))["coverage"]
    assert coverage["mismatched"] == 2
    assert coverage["complete"] is False


def test_a_join_to_another_block_or_shared_memory_is_a_mismatch(ttitrace, mktrace):
    device = "activity=1 name=1 stream=7 grid_x=4 grid_y=1 grid_z=1 block_x=128"
    for other in (device.replace("128", "64"), device + " dynamic_shared_bytes=16"):
        path = mktrace(SMALL.replace(device, other))
        assert as_json(ttitrace("report", "--json", path))["coverage"]["mismatched"] == 2


def test_a_record_with_a_stale_name_takes_that_of_its_launch(ttitrace, mktrace):
    path = mktrace(SMALL.replace("activity=1 name=1", "activity=1 name=2"))
    report = as_json(ttitrace("report", "--json", path))
    assert report["coverage"]["renamed"] == 2
    assert report["coverage"]["mismatched"] == 0
    assert report["coverage"]["complete"] is True
    assert {row["name"]: row["launches"] for row in report["operators"]} == {
        "convolution": 3,
        "elementwise": 2,
        "memory": 1,
    }
    assert "2 launches have a record with another kernel's name" in ttitrace("report", path).stdout


def test_losses_stand_at_the_top_with_their_meaning(ttitrace, mktrace):
    path = mktrace(SMALL.replace("finish", "count counter=16 value=1234\nfinish"))
    report = as_json(ttitrace("report", "--json", path))
    assert report["losses"] == [
        {
            "cause": "ring-full",
            "count": 1234,
            "meaning": "host rows dropped: the ring of a thread was full",
        }
    ]
    assert report["coverage"]["complete"] is False
    assert "1,234 ring-full: host rows dropped" in ttitrace("report", path).stdout


def test_a_run_that_did_not_finish_says_so(ttitrace, mktrace):
    done = ttitrace("report", mktrace(SMALL.split("finish")[0]))
    assert done.returncode == 0
    assert "ended without finish: killed, or it is still running" in done.stdout


def test_without_device_timing_launches_are_reported(ttitrace, mktrace):
    host_only = SMALL.split("block\n")[0].replace(
        'info key="driver.version"', 'info key="option.timing" value="none"\ninfo key="driver.version"'
    )
    path = mktrace(host_only + "finish reason=1 time_ns=20100\n")
    report = as_json(ttitrace("report", "--json", path))
    assert report["run"]["timing"] == "host"
    assert [(k["kind"], k["launches"], k["time_ns"]) for k in report["kernels"]][0] == ("elementwise", 2, 190)
    text = ttitrace("report", path).stdout
    assert "no GPU times in this trace" in text
    assert "have no GPU record" not in text
    assert ttitrace("check", path).returncode == 0


def test_several_traces_are_one_run(ttitrace, mktrace, tmp_path):
    mktrace(SMALL, "a.ttt")
    mktrace(SMALL.replace("pid=4242", "pid=4243").replace("rank", ""), "b.ttt")
    report = as_json(ttitrace("report", "--json", "--by", "process", tmp_path))
    assert report["run"]["processes"] == 2
    assert [p["pid"] for p in report["processes"]] == [4242, 4243]
    assert report["coverage"]["launches"] == 6
    assert [(r["name"], r["launches"]) for r in report["by"]["rows"]] == [
        ("gpu01 pid 4242", 6),
        ("gpu01 pid 4243", 6),
    ]
    assert report["kernels"][0]["launches"] == 6


def test_without_arguments_the_newest_run_is_taken(ttitrace, mktrace):
    with_run = SMALL.replace('info key="driver', 'info key="option.run" value="R7"\ninfo key="driver')
    for age, name, text in (
        (300, "old.ttt", SMALL),
        (200, "first.ttt", with_run),
        (100, "second.ttt", with_run),
    ):
        path = mktrace(text, name)
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    done = ttitrace("report", "--json")
    assert done.stderr == "ttitrace report: the newest run here: first.ttt and 1 more\n"
    assert as_json(done)["run"]["processes"] == 2


def test_users_rules_come_first(ttitrace, mktrace, tmp_path):
    (tmp_path / "my.rules").write_text("sampling/mine\tSUBSTR\tvectorized_elementwise\n")
    report = as_json(ttitrace("report", "--json", "--rules", "my.rules", mktrace(SMALL)))
    row = next(k for k in report["kernels"] if k["kind"] == "sampling")
    assert (row["sub"], row["rule"]) == ("mine", "vectorized_elementwise")


def test_control_characters_of_a_trace_do_not_reach_the_terminal(ttitrace, mktrace):
    path = mktrace(SMALL.replace('host="gpu01"', 'host="\\x1b[31m\\x07"').replace("sm90", "\\x1b]0;"))
    for arguments in ([], ["--ascii"], ["--by", "shape"], ["--full-names"]):
        assert "\x1b" not in ttitrace("report", *arguments, path).stdout
