# SPDX-License-Identifier: Apache-2.0
"""The report of a trace that grows, on a terminal and elsewhere."""

import os
import pty
import re
import signal
import subprocess
import time

import pytest

HEAD = """\
process pid=5 host="h" command="python\\x00" begin_ns=1000
string id=1 text="some_kernel"
kernel id=1 name=1
template id=1 op=1 kernel=1
device_template id=1 activity=1 name=1
host tid=5 rows=1
\t1 10 2000 1 0 0
gpu rows=1
\t1 500 2100 1 0
"""
MORE = """\
block
host tid=5 rows=1
\t1 10 3000 2 0 0
gpu rows=1
\t1 700 3100 2 0
"""
END = "block\nfinish reason=1 time_ns=9000\n"
OTHER_SCREEN, OWN_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def growing(mktrace, tmp_path):
    """The path of a trace of one launch, and a function that writes n parts of the whole to it."""
    texts = (HEAD, HEAD + MORE, HEAD + MORE + END)
    parts = [mktrace(text, f"part{i}").read_bytes() for i, text in enumerate(texts)]
    path = tmp_path / "t.ttt"
    path.write_bytes(parts[0])
    return path, lambda n: path.write_bytes(parts[n - 1])


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_that_is_over_is_looked_at_once(ttitrace, growing):
    path, grow = growing
    grow(3)
    done = ttitrace("top", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ttitrace top") == 1
    assert "the run is over" in done.stdout and "2 launches, 2 matched" in done.stdout
    assert "\x1b" not in done.stdout


def test_as_many_looks_as_asked_for(ttitrace, growing):
    done = ttitrace("top", "-n", "0.1", "--count", "3", growing[0])
    assert done.returncode == 0
    assert done.stdout.count("running: what is below is not all yet") == 3


def test_one_axis_alone(ttitrace, growing):
    done = ttitrace("top", "--count", "1", "--by", "kernel", growing[0])
    assert "some_kernel" in done.stdout and "operator  " not in done.stdout


def test_the_traces_of_a_process_are_those_it_has_open(ttitrace, growing):
    with open(growing[0], "rb"):
        done = ttitrace("top", "--count", "1", str(os.getpid()))
    assert done.returncode == 0 and "1 launches, 1 matched" in done.stdout
    done = ttitrace("top", "--count", "1", str(os.getpid()))
    assert done.returncode == 1
    assert done.stderr == f"ttitrace top: process {os.getpid()} writes no trace\n"


def test_it_waits_for_a_trace(ttitrace):
    done = ttitrace("top", "-n", "0.1", "--count", "2")
    assert done.returncode == 1
    assert done.stdout.count(": waiting") == 2


@pytest.mark.parametrize("words", [["-n", "0"], ["-n", "x"], ["--count", "x"], ["--by", "nothing"]])
def test_wrong_usage(ttitrace, words):
    assert ttitrace("top", *words).returncode == 2


class OnTerminal:
    """ttitrace top on a terminal of its own."""

    def __init__(self, binary, *words, **env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [binary("ttitrace"), "top", "-n", "0.1", *map(str, words)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", **env},
        )
        os.close(slave)
        self.seen = b""
        os.set_blocking(self.master, False)

    def has(self, *texts):
        try:
            self.seen += os.read(self.master, 1 << 16)
        except (BlockingIOError, OSError):
            pass
        return all(text.encode() in self.seen for text in texts)

    def end(self):
        until(lambda: self.has() is not None and self.process.poll() is not None)
        self.has()
        os.close(self.master)
        return self.process.returncode


def test_a_terminal_shows_the_run_grow_and_is_restored(binary, growing):
    path, grow = growing
    top = OnTerminal(binary, path)
    until(lambda: top.has("1 launches, 1 matched"))
    grow(2)
    until(lambda: top.has("2 launches, 2 matched"))
    assert OWN_SCREEN not in top.seen
    grow(3)
    assert top.end() == 0
    assert top.seen.startswith(OTHER_SCREEN) and top.seen.count(OWN_SCREEN) == 1
    assert b"the run is over" in top.seen.split(OWN_SCREEN)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_terminal_is_restored(binary, growing, number):
    top = OnTerminal(binary, growing[0])
    until(lambda: top.has("1 launches"))
    top.process.send_signal(number)
    assert top.end() == 0
    assert top.seen.count(OWN_SCREEN) == 1


def test_no_colour_where_none_is_wanted(binary, growing):
    top = OnTerminal(binary, growing[0], "--count", "1", NO_COLOR="1")
    assert top.end() == 0
    assert not re.search(rb"\x1b\[\d*m", top.seen)
