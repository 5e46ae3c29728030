# SPDX-License-Identifier: Apache-2.0
"""make install: all files are in their places below DESTDIR, and work from there."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(build, tmp_path_factory):
    """The folder of an installation with PREFIX=/opt/tti below a DESTDIR."""
    destination = tmp_path_factory.mktemp("install")
    done = subprocess.run(
        ["make", "-C", ROOT, "install", f"O={os.path.relpath(build, ROOT)}", "PREFIX=/opt/tti",
         f"DESTDIR={destination}"],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return destination / "opt/tti"


def has_library(build):
    return (build / "libttitrace.so").exists()


def test_every_file_is_there_and_nothing_else(installed, build):
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    wanted = {"bin/ttitrace", "lib/pkgconfig/ttitrace.pc"}
    wanted |= {f"include/ttitrace/{p.name}" for p in (ROOT / "include/ttitrace").iterdir()}
    wanted |= {f"share/man/man{p.suffix[1]}/{p.name}" for p in (ROOT / "docs/man").iterdir()}
    wanted |= {"share/bash-completion/completions/ttitrace", "share/zsh/site-functions/_ttitrace"}
    if has_library(build):
        wanted.add("lib/ttitrace/libttitrace.so")
    assert found == wanted


def test_nothing_mentions_the_destination(installed):
    text = (installed / "lib/pkgconfig/ttitrace.pc").read_text()
    assert "@" not in text
    assert str(installed) not in text and "prefix=/opt/tti" in text


def test_the_installed_command_runs(installed):
    done = subprocess.run(
        [installed / "bin/ttitrace", "--version"], capture_output=True, text=True, check=True
    )
    version = re.search(r'TTI_VERSION "(.*)"', (ROOT / "include/ttitrace/ttitrace.h").read_text())[1]
    assert done.stdout == f"ttitrace {version}\n"


def test_pkg_config_knows_version_and_place(installed):
    if not shutil.which("pkg-config"):
        pytest.skip("no pkg-config")
    package = installed / "lib/pkgconfig/ttitrace.pc"

    def ask(*arguments):
        return subprocess.run(
            ["pkg-config", *arguments, package], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert ask("--modversion") in (ROOT / "include/ttitrace/ttitrace.h").read_text()
    assert ask("--variable=libdir") == "/opt/tti/lib/ttitrace"
    assert ask("--cflags") == "-I/opt/tti/include"
    subprocess.run(["pkg-config", "--validate", package], check=True)


def test_the_installed_headers_stand_alone(installed, tmp_path):
    headers = sorted(p.name for p in (installed / "include/ttitrace").glob("*.h"))
    source = tmp_path / "all.c"
    source.write_text("".join(f"#include <ttitrace/{name}>\n" for name in headers))
    done = subprocess.run(
        ["cc", "-std=gnu11", "-Wall", "-Werror", "-fsyntax-only", f"-I{installed}/include", source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_installed_record_finds_its_library(installed, build, tmp_path):
    program = build / "tests/programs/routes"
    if not has_library(build) or not program.exists():
        pytest.skip("built without CUDA headers")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TTITRACE_")}
    environment["LD_LIBRARY_PATH"] = str(build / "tests/fake")
    done = subprocess.run(
        [installed / "bin/ttitrace", "record", "--cupti", build / "tests/fake/libcupti.so.13", "--",
         build / "tests/programs/diffusion_loop"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.ttt"))


def test_the_installed_pages_render(installed):
    if not shutil.which("man"):
        pytest.skip("no man")
    for path in sorted((installed / "share/man").glob("man*/*")):
        done = subprocess.run(
            ["man", "--warnings", "-l", path],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "PAGER": "cat"},
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "NAME" in done.stdout
