# SPDX-License-Identifier: Apache-2.0
"""Completion: the shells' functions offer what the command says may come next."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = re.findall(r"^COMMAND\((\w+),", (ROOT / "analyzer/commands.def").read_text(), re.M)
AXES = re.findall(r'^AXIS\(\w+, "([\w-]+)"', (ROOT / "analyzer/axes.def").read_text(), re.M)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "run.ttt").touch()
    (tmp_path / "a run.ttt").touch()
    (tmp_path / "run.txt").touch()
    (tmp_path / "traces").mkdir()


@pytest.fixture
def bash(binary, tmp_path, files):
    """What bash would offer for a line, by its own splitting of words; the cursor is at the end."""

    def ask(line):
        script = f"""
            shopt -s extglob
            source {ROOT}/tools/completion/ttitrace.bash
            read -ra COMP_WORDS <<<"$(sed 's/[=:]/ & /g' <<<"$LINE")"
            [[ $LINE == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _ttitrace ttitrace
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True,
            env={"PATH": f"{pathlib.Path(binary('ttitrace')).parent}:{os.environ['PATH']}", "LINE": line},
        )
        assert done.stderr == ""
        return [word for word in done.stdout.split("\n") if word]

    return ask


def candidates(ttitrace, *words):
    done = ttitrace("--complete", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def test_every_command_is_offered_and_each_offers_all_its_options(ttitrace):
    assert candidates(ttitrace, "") == COMMANDS
    for command in COMMANDS:
        in_help = set(re.findall(r"^ {2,6}(?:-\S, +)?(--[\w-]+)", ttitrace(command, "--help").stdout, re.M))
        assert {word.rstrip("=") for word in candidates(ttitrace, command, "--")} == in_help


def test_values_come_from_the_tables(ttitrace):
    assert candidates(ttitrace, "report", "--by", "") == [*AXES, "module", "phase", "stack"]
    assert candidates(ttitrace, "report", "--by=mo") == ["module"]
    assert candidates(ttitrace, "record", "--timing=") == ["cupti", "none"]
    assert candidates(ttitrace, "export", "--format", "sq") == ["sqlite"]
    assert candidates(ttitrace, "--no-pager", "report", "--by=mo") == ["module"]


def test_what_has_no_candidates_offers_none(ttitrace):
    for words in (["nosuch", ""], ["report", "--top", ""], ["diff", "a", "b", ""], ["explain", ""]):
        assert candidates(ttitrace, *words) == []


def test_what_a_program_is_given_is_its_own_matter(ttitrace):
    assert candidates(ttitrace, "record", "") == [":programs"]
    assert candidates(ttitrace, "record", "--", "") == [":programs"]
    assert candidates(ttitrace, "record", "-o", "") == [":files"]
    assert candidates(ttitrace, "record", "-o", "x", "python", "--t") == [":files"]


def test_bash_offers_commands_options_values_and_traces(bash):
    assert bash("ttitrace repo") == ["report"]
    assert bash("ttitrace ctl 123 st") == ["start", "stop"]
    assert bash("ttitrace report --full") == ["--full-names"]
    assert bash("ttitrace report --by=mod") == ["module"]
    assert bash("ttitrace report --by=") == [*AXES, "module", "phase", "stack"]
    assert bash("ttitrace report --by library") == ["library-call"]
    assert sorted(bash("ttitrace report ")) == ["a run.ttt", "run.ttt", "traces"]
    assert bash("ttitrace record -o run.tx") == ["run.txt"]
    assert "bash" in bash("ttitrace record -- bas")


def test_bash_itself_completes_a_line(binary, tmp_path, files):
    """Typed on a terminal: TAB finishes the word."""
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if not child:
        os.chdir(tmp_path)
        os.environ.update(PATH=f"{pathlib.Path(binary('ttitrace')).parent}:{os.environ['PATH']}", PS1="$ ",
                          INPUTRC="/dev/null", TERM="dumb")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    os.write(terminal, f"source {ROOT}/tools/completion/ttitrace.bash\n".encode())
    os.write(terminal, b"echo ttitrace; echo begin\n: && ttitrace rep\t--by=mod\tx\x01echo \nexit\n")
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # the shell has closed it
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    assert b"ttitrace report --by=module x" in seen, seen.decode()


ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='$ '; fpath=($FUNCTIONS \\$fpath); autoload -Uz compinit; compinit -D -u; unsetopt list_ambiguous; cd $DIRECTORY; bindkey '^I' complete-word; echo rea''dy"
zpty -r shell seen '*ready*'
zpty -w -n shell $'echo ttitrace >/dev/null; ttitrace '$LINE$'\\t\\x01echo \\n'
zpty -w shell "echo do''ne"
zpty -r shell seen '*done*'
print -r -- $seen
"""


@pytest.mark.parametrize("line, wanted", [
    ("rep", "ttitrace report"),
    ("report --by=mod", "ttitrace report --by=module"),
    ("report --full", "ttitrace report --full-names"),
    ("report run", "ttitrace report run.ttt"),
    ("ctl 1 sto", "ttitrace ctl 1 stop"),
])
def test_zsh_itself_completes_a_line(binary, tmp_path, files, line, wanted):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env={"PATH": f"{pathlib.Path(binary('ttitrace')).parent}:{os.environ['PATH']}", "TERM": "dumb",
             "FUNCTIONS": str(ROOT / "tools/completion"), "DIRECTORY": str(tmp_path), "LINE": line,
             "HOME": str(tmp_path)},
    )
    assert wanted in done.stdout, done.stdout + done.stderr
