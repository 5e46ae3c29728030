# SPDX-License-Identifier: Apache-2.0
"""On a terminal: its width is kept, long text is paged, colours come and go; else none of it happens."""

import fcntl
import os
import pathlib
import pty
import re
import signal
import struct
import termios
import unicodedata

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
SD15, UNFUSED = GOLDEN / "sd15.ttt", GOLDEN / "sd15_unfused.ttt"
PLACES = ("operator", "kernel", "shape", "stream", "process", "library-call", "attention", "evidence")


@pytest.fixture
def on_terminal(binary, tmp_path):
    """What a terminal of this width and height is sent."""

    def run(*arguments, columns=100, lines=50, **environment):
        child, terminal = pty.fork()
        if not child:
            os.chdir(tmp_path)
            os.environ.pop("COLUMNS", None)
            os.environ.update({"LC_ALL": "C.UTF-8", "TERM": "xterm", "TTITRACE_PAGER": "cat", **environment})
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
            os.execv(binary("ttitrace"), ["ttitrace", *map(str, arguments)])
        seen = b""
        try:
            while chunk := os.read(terminal, 65536):
                seen += chunk
        except OSError:  # its other end is closed
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(terminal)
        assert status in (0, 2, -signal.SIGPIPE), seen.decode()
        return seen.decode().replace("\r\n", "\n")

    return run


def width(line):
    line = re.sub(r"\x1b\[[\d;]*m", "", line)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in line)


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("arguments", [
    ["report", SD15], ["report", GOLDEN / "jax.ttt"], ["report", GOLDEN / "cuda_graph.ttt"],
    ["report", "--by", "module", SD15], ["report", "--by", "phase", SD15], ["report", "--by", "stack", SD15],
    ["report", "--by", "shape", SD15],
    ["roofline", SD15], ["roofline", "--by", "module", SD15], ["roofline", "--by", "phase", SD15],
    ["roofline", "--by", "kernel", SD15], ["roofline", "--by", "library-call", SD15],
    ["seqlen", SD15], ["seqlen", "--by", "module", SD15], ["seqlen", "--by", "phase", SD15],
    ["diff", SD15, UNFUSED], ["diff", "--by", "module", SD15, UNFUSED], ["diff", "--by", "kind", SD15, UNFUSED],
    ["diff", "--by", "phase", SD15, UNFUSED],
    ["sweep", "--x", "n=1,2,3", SD15, UNFUSED, GOLDEN / "llama.ttt"],
    ["model", "sd15", "--gpu", "H200"], ["model", "sd15", "--against", SD15],
    ["check", SD15], ["check", "--sizes", SD15], ["--help"], ["report", "--help"], ["record", "--help"],
    ["export", "--help"],
], ids=lambda words: " ".join(getattr(word, "stem", word) for word in words) if isinstance(words, list) else None)
def test_no_line_is_wider_than_the_terminal(on_terminal, arguments, columns):
    wide = [line for line in on_terminal(*arguments, columns=columns).split("\n") if width(line) > columns]
    assert not wide, "\n".join(wide)


def test_a_sentence_goes_on_below_and_a_row_is_cut(on_terminal):
    text = on_terminal("report", SD15, columns=60)
    assert "\nGPU       busy 294.19 ms of 3.50 s between first and last\n          activity (8.4%), idle 3.20 s\n" in (
        re.sub(r"\x1b\[[\d;]*m", "", text)
    )
    assert "…\n" in on_terminal("roofline", SD15, columns=60)


@pytest.mark.parametrize("columns", [60, 80])
def test_the_operators_are_whole_on_a_narrow_terminal(on_terminal, columns):
    text = on_terminal("report", "--by", "operator", SD15, columns=columns, NO_COLOR="1")
    row = next(line for line in text.split("\n") if line.startswith("convolution"))
    assert row.endswith(" 7,484") and "█" in row


@pytest.mark.parametrize("columns, left_out", [(80, {"calls", "min MB", "GB/s"}), (100, {"min MB", "GB/s"}), (110, set())])
def test_a_narrow_roofline_leaves_columns_out(on_terminal, columns, left_out):
    lines = on_terminal("roofline", SD15, columns=columns, NO_COLOR="1").split("\n")
    heading = next(line for line in lines if line.startswith("operator"))
    row = next(line for line in lines if line.startswith("convolution"))
    assert {name for name in ("calls", "GFLOP", "min MB", "TFLOP/s", "GB/s", "of best") if name not in heading} == left_out
    assert row.endswith("15.6% compute")


def test_no_terminal_no_folding(ttitrace):
    lines = ttitrace("diff", SD15, UNFUSED, env={"COLUMNS": "60"}).stdout.split("\n")
    assert max(map(width, lines)) > 100


def test_long_text_is_paged_and_the_pager_is_chosen(on_terminal, tmp_path):
    pager = f"tee {tmp_path}/seen; echo END"
    for command in (["report", SD15], ["dump", SD15], ["seqlen", SD15], ["report", "--help"], ["check", SD15]):
        assert on_terminal(*command, TTITRACE_PAGER=pager).endswith("END\n"), command
        assert (tmp_path / "seen").stat().st_size > 300
    assert on_terminal("report", SD15, TTITRACE_PAGER="", PAGER=pager)[-4:] != "END\n"
    assert "END" not in on_terminal("--no-pager", "report", SD15, TTITRACE_PAGER=pager)


def test_pager_is_asked_where_there_is_none_of_our_own(on_terminal, monkeypatch):
    monkeypatch.delenv("TTITRACE_PAGER", raising=False)
    assert on_terminal("report", SD15, PAGER="cat >/dev/null; echo END", TTITRACE_PAGER="cat >/dev/null; echo OURS") == "OURS\n"


def test_what_is_paged_has_the_terminals_width_and_colours(on_terminal):
    assert on_terminal("report", SD15, columns=72, TTITRACE_PAGER="cat; true") == on_terminal("report", SD15, columns=72)


def test_a_pager_that_ends_early_does_no_harm(on_terminal):
    on_terminal("--no-pager", "--help")
    assert on_terminal("dump", SD15, TTITRACE_PAGER="head -1").startswith("trace")


def test_no_terminal_no_pager(ttitrace, tmp_path):
    ttitrace("report", SD15, env={"TTITRACE_PAGER": f"touch {tmp_path}/paged"})
    assert not (tmp_path / "paged").exists()


def test_colours_only_for_those_who_want_them(on_terminal, ttitrace):
    assert "\x1b[1m" in on_terminal("report", SD15)
    assert "\x1b" not in on_terminal("report", SD15, NO_COLOR="1")
    assert "\x1b" not in on_terminal("report", SD15, TERM="dumb")
    assert "\x1b" not in ttitrace("report", SD15).stdout


def test_bars_are_ascii_where_nothing_else_can_be_shown(on_terminal, ttitrace):
    assert "█" in on_terminal("report", SD15)
    for text in (on_terminal("report", SD15, LC_ALL="C"), ttitrace("report", "--ascii", SD15).stdout):
        assert text.isascii() and "###" in text
