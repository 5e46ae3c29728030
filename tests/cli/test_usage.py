# SPDX-License-Identifier: Apache-2.0
"""What people get wrong, and what they are told: one line that says what to do instead."""

import pathlib

import pytest

SD15 = pathlib.Path(__file__).resolve().parents[1] / "golden/sd15.ttt"


@pytest.mark.parametrize("words, told", [
    (["repot"], "there is no command 'repot'; is 'report' meant?"),
    (["exporrt"], "is 'export' meant?"),
    (["rep"], "is 'report' meant?"),
    (["frobnicate"], "there is no command 'frobnicate'; 'ttitrace --help' lists them"),
    (["report", "--by", "modules"], "'modules' is not understood; is 'module' meant?"),
    (["report", "--by", "colour"], "'colour' is none of operator, kind, kernel,"),
    (["report", "--evidence", "name"], "is 'names' meant?"),
    (["seqlen", "--role", "slef"], "is 'self' meant?"),
    (["seqlen", "--by", "kernel"], "'kernel' is none of role, phase, module"),
    (["export", "--format", "perfeto"], "is 'perfetto' meant?"),
    (["sweep", "--group", "each", "a", "b"], "'each' is none of backend, none"),
    (["explain"], "which kernel?"),
])
def test_a_wrong_word_is_told_with_the_right_one(ttitrace, words, told):
    done = ttitrace(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr.split("\n")[0]


def test_a_file_in_the_place_of_the_command(ttitrace, mktrace):
    path = mktrace("finish reason=1\n")
    done = ttitrace(path.name)
    assert done.returncode == 2
    assert done.stderr == "ttitrace: 't.ttt' is a file, a command comes first: 'ttitrace report t.ttt'\n"


def test_what_another_profiler_wrote_is_to_be_imported(ttitrace, tmp_path):
    (tmp_path / "trace.json").write_text('{"traceEvents": [' + " " * 100 + "]}")
    done = ttitrace("report", "trace.json")
    assert done.returncode == 1 and "trace.json: not a ttitrace trace; ttitrace import " in done.stderr


@pytest.mark.parametrize("cut", [["--focus", "NoSuchModule"], ["--phase", "no such phase"]])
def test_a_cut_with_nothing_in_it_is_told(ttitrace, cut):
    assert "nothing is in --focus and --phase" in ttitrace("report", *cut, SD15).stderr
    assert ttitrace("report", SD15).stderr == ""


def test_help_by_all_its_names(ttitrace):
    whole = ttitrace("--help").stdout
    assert "ttitrace record -- python generate.py" in whole
    assert ttitrace("help").stdout == ttitrace("-h").stdout == whole
    assert ttitrace("help", "report").stdout == ttitrace("report", "--help").stdout


def test_nothing_is_usage(ttitrace):
    done = ttitrace()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ttitrace ")


def test_a_process_that_is_none_is_told(ttitrace):
    done = ttitrace("ctl", "99999999", "start")
    assert (done.returncode, done.stderr) == (1, "ttitrace ctl: process 99999999: there is none\n")
