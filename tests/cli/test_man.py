# SPDX-License-Identifier: Apache-2.0
"""The manual pages say what the program says: a page a command, every option, every variable."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "man").glob("*.[17]"))
COMMANDS = re.findall(r"^COMMAND\((\w+),", (ROOT / "analyzer/commands.def").read_text(), re.M)
EXAMPLES = [
    (command, line.replace('\\"', '"'))
    for command, line in re.findall(
        r'^EXAMPLE\((\w+), "((?:[^"\\]|\\.)*)", ', (ROOT / "analyzer/examples.def").read_text(), re.M
    )
]
# variable, option or NULL
OPTIONS = re.findall(
    r'^OPTION\(.*?"(TTITRACE_\w+)", (?:"([\w-]+)"|NULL)',
    (ROOT / "include/ttitrace/options.def").read_text(),
    re.M,
)


def page(name):
    """A page's text as written, with its escapes and macros undone as far as these tests need."""
    path = ROOT / "docs" / "man" / name
    assert path.exists(), f"{name}: write it, another command's page shows how"
    return path.read_text(encoding="utf-8").replace("\\-", "-")


def options_of_page(text):
    """Long options in the OPTIONS section, where each has an entry of its own."""
    section = text.split(".SH OPTIONS", 1)[1].split("\n.SH ", 1)[0]
    entries = " ".join(re.findall(r"^\.TP\n(.*)$", section, re.M))
    return set(re.findall(r"--[a-z][\w-]*", entries)) | ({"--usage"} if "--usage" in section else set())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_page_have_the_same_options(ttitrace, command):
    in_help = set(re.findall(r"^ {2,6}(?:-\S, +)?(--[\w-]+)", ttitrace(command, "--help").stdout, re.M))
    assert {"--help", "--usage", "--version"} <= in_help
    assert options_of_page(page(f"ttitrace-{command}.1")) == in_help


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_ttitrace_names_every_command(command):
    assert f'.BR {command} " (see " ttitrace-{command} (1))' in page("ttitrace.1")


def test_every_variable_is_in_the_pages_and_in_help():
    assert OPTIONS
    text = page("libttitrace.7")
    assert set(re.findall(r"^\.B (TTITRACE_\w+)$", text, re.M)) == {v for v, _ in OPTIONS}


def test_help_of_record_has_every_variable(ttitrace):
    text = " ".join(ttitrace("record", "--help").stdout.split())
    for variable, option in OPTIONS:
        assert variable in text
        if option:
            assert f"--{option}=" in text


def test_the_page_of_record_names_every_variable_with_its_option():
    text = page("ttitrace-record.1")
    for variable, option in OPTIONS:
        if option:
            assert f".RB ( {variable} )" in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_renders_without_warnings(path):
    if not shutil.which("groff"):
        pytest.skip("no groff")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_page_end_with_the_same_examples(ttitrace, command):
    lines = [line for name, line in EXAMPLES if name == command]
    assert len(lines) >= 2, f"analyzer/examples.def: lines for {command}, help teaches by example"
    in_help = ttitrace(command, "--help").stdout.split("Examples:")[1]
    in_page = page(f"ttitrace-{command}.1").split(".SH EXAMPLES")[1]
    for line in lines:
        assert f"  {line}\n" in in_help
        assert f"\n{line}\n" in in_page
