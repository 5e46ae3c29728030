# SPDX-License-Identifier: Apache-2.0
"""Files that commands write where the user says: whole or not at all, the owner's alone, and not where
somebody else would like them."""

import os
import pathlib
import stat
import subprocess
import threading

import pytest

SMALL = (pathlib.Path(__file__).resolve().parents[1] / "golden/text/small.txt").read_text()
PROFILE = '{"traceEvents": [{"ph": "X", "cat": "kernel", "name": "k", "ts": 1, "dur": 2, "pid": 0, "tid": 7, "args": {"stream": 7, "correlation": 1, "device": 0}}]}'

WRITERS = {
    "html": lambda trace, out: ["report", "--html", out, trace],
    "csv": lambda trace, out: ["export", "--format", "csv", "-o", out, trace],
    "sqlite": lambda trace, out: ["export", "--format", "sqlite", "-o", out, trace],
    "symbols": lambda trace, out: ["symbols", "-o", out, trace],
    "import": lambda trace, out: ["import", "--force", "-o", out, trace.with_name("p.json")],
}


@pytest.fixture(params=WRITERS)
def write(request, ttitrace, mktrace, tmp_path):
    """write(out): the command done, writing to `out`."""
    trace = mktrace(SMALL)
    (tmp_path / "p.json").write_text(PROFILE)
    return lambda out, **more: ttitrace(*WRITERS[request.param](trace, out), **more)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owner_s_alone_and_nothing_else_is_left(write, folder):
    done = write(folder / "new")
    assert done.returncode == 0, done.stderr
    assert os.listdir(folder) == ["new"]
    assert mode(folder / "new") == 0o600 and (folder / "new").stat().st_size


def test_a_file_that_is_there_gives_its_place_and_its_mode(write, folder):
    path = folder / "old"
    path.write_text("old")
    path.chmod(0o640)
    with path.open() as reader:
        assert write(path).returncode == 0
        assert reader.read() == "old"
    assert mode(path) == 0o640 and path.read_bytes() != b"old"
    assert os.listdir(folder) == ["old"]


def test_a_hard_link_to_another_file_is_cut_off(write, folder):
    (folder / "victim").write_text("precious")
    os.link(folder / "victim", folder / "out")
    assert write(folder / "out").returncode == 0
    assert (folder / "victim").read_text() == "precious"


def test_a_fifo_is_written_into_and_stays_one(write, folder):
    path = folder / "fifo"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    assert write(path).returncode == 0
    reader.join(20)
    assert read[0] and stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_stays_one(write):
    assert write("/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_one_s_own_link_is_followed(write, folder):
    (folder / "target").write_text("old")
    (folder / "link").symlink_to("target")
    assert write(folder / "link").returncode == 0
    assert (folder / "link").is_symlink() and (folder / "target").read_bytes() != b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of other people")
def test_somebody_else_s_link_is_refused(write, folder):
    (folder / "target").write_text("precious")
    (folder / "link").symlink_to("target")
    os.chown(folder / "link", 12345, 12345, follow_symlinks=False)
    done = write(folder / "link")
    assert done.returncode and "somebody else" in done.stderr
    assert (folder / "target").read_text() == "precious"


@pytest.mark.parametrize("name", ["nowhere/out", "."])
def test_where_nothing_can_be_written_one_line_says_so(write, folder, name):
    done = write(folder / name, cwd=folder)
    # import takes a directory for one to write into.
    if name == "." and done.returncode == 0:
        return
    assert done.returncode and len(done.stderr.splitlines()) == 1
    assert not os.listdir(folder)


def test_what_fails_leaves_the_old_file(binary, mktrace, folder):
    path = folder / "old"
    path.write_text("old")
    trace = mktrace(SMALL)
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", binary("ttitrace"), *map(str, WRITERS["html"](trace, path))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and "cannot write" in done.stderr
    assert path.read_text() == "old" and os.listdir(folder) == ["old"]


def test_an_import_does_not_replace_unless_it_is_told_to(ttitrace, tmp_path):
    (tmp_path / "p.json").write_text(PROFILE)
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "p.ttt").symlink_to("victim")
    done = ttitrace("import", "p.json")
    assert done.returncode and "--force" in done.stderr
    assert (tmp_path / "victim").read_text() == "precious"
