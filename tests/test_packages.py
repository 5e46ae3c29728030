# SPDX-License-Identifier: Apache-2.0
"""make wheel, make deb: what they make is installed into a clean place, and records from there."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*arguments, **options):
    done = subprocess.run(
        [str(argument) for argument in arguments], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make(build, target, place):
    """A package, from what make says last, as it is in a folder of the caller's."""
    if not (build / "libttitrace.so").exists():
        pytest.skip("built without CUDA headers")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    with open(build / "package.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of other processes make it in the same folder
        said = run("make", "-C", ROOT, target, f"O={os.path.relpath(build, ROOT)}", env=clean)
        return pathlib.Path(shutil.copy(ROOT / re.findall(r"\S+\.(?:whl|deb)$", said, re.M)[-1], place))


@pytest.fixture(scope="module")
def wheel(build, tmp_path_factory):
    return make(build, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A Python environment with nothing in it but the wheel."""
    place = tmp_path_factory.mktemp("environment")
    try:
        run(sys.executable, "-m", "venv", place)
    except AssertionError:
        pytest.skip("no python3-venv")
    run(place / "bin/pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", wheel)
    return place


@pytest.fixture(scope="module")
def deb(build, tmp_path_factory):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no dpkg-dev")
    return make(build, "deb", tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def unpacked(deb, tmp_path_factory):
    place = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-x", deb, place)
    return place


def records_and_reports(command, build, tmp_path):
    """In an environment that knows nothing of the build but the stand-in for the driver."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TTITRACE_")}
    clean["LD_LIBRARY_PATH"] = str(build / "tests/fake")
    clean["LC_ALL"] = "C.UTF-8"
    run(command, "record", "--cupti", build / "tests/fake/libcupti.so.13", "--",
        build / "tests/programs/diffusion_loop", cwd=tmp_path, env=clean)
    assert "complete: every launch has its GPU time" in run(command, "report", cwd=tmp_path, env=clean)


def test_the_wheel_asks_for_what_its_binaries_need(wheel):
    major, minor = map(int, re.search(r"py3-none-manylinux_(\d+)_(\d+)_", wheel.name).groups())
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        binaries = [name for name in archive.namelist() if name.endswith(("/ttitrace", ".so"))]
        versions = {v for name in binaries for v in re.findall(rb"GLIBC_2\.(\d+)\0", archive.read(name))}
    assert (major, minor) == (2, max(map(int, versions)))
    assert minor <= 36, "newer than the oldest Debian it is built on"


def test_an_environment_with_the_wheel_records(environment, build, tmp_path):
    records_and_reports(environment / "bin/ttitrace", build, tmp_path)


def test_the_environment_has_pages_and_completion_and_gives_all_back(environment):
    assert (environment / "share/man/man1/ttitrace-record.1").exists()
    assert (environment / "share/bash-completion/completions/ttitrace").exists()
    assert (environment / "lib/ttitrace/libttitrace.so").exists()
    shown = run(environment / "bin/pip", "show", "--disable-pip-version-check", "ttitrace")
    assert "Version: " in shown and "License: Apache-2.0" in shown
    again = pathlib.Path(shutil.copytree(environment, f"{environment}-copy", symlinks=True))
    run(again / "bin/python", "-m", "pip", "--disable-pip-version-check", "uninstall", "-y", "ttitrace")
    assert not [path for path in again.rglob("*ttitrace*") if path.is_file()]


def test_the_same_sources_make_the_same_wheel(wheel, build, tmp_path):
    assert make(build, "wheel", tmp_path).read_bytes() == wheel.read_bytes()


def test_the_unpacked_package_records(unpacked, build, tmp_path):
    records_and_reports(unpacked / "usr/bin/ttitrace", build, tmp_path)


def test_the_package_says_what_it_needs_and_holds(deb, unpacked):
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", deb).split("\n") if ": " in line)
    assert fields["Package"] == "ttitrace" and "libc6 (>= 2." in fields["Depends"]
    found = {str(path.relative_to(unpacked / "usr")) for path in unpacked.rglob("*") if path.is_file()}
    assert {"bin/ttitrace", "lib/ttitrace/libttitrace.so", "share/man/man1/ttitrace.1.gz",
            "share/bash-completion/completions/ttitrace", "share/zsh/vendor-completions/_ttitrace",
            "share/doc/ttitrace/copyright", "include/ttitrace/ttitrace.h"} <= found
    owners = set(re.findall(r"^\S+ (\S+)", run("dpkg-deb", "-c", deb), re.M))
    assert owners == {"root/root"}
