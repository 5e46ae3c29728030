# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells to type works: marked blocks run, and every option that is named exists."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# <!-- run: NAME=GOLDEN TRACE ...; needs: PROGRAM --> before a block of shell: it must run in a folder with those.
RUNNABLE = [
    pytest.param(match[1], match[2], match[3], id=f"{page.stem}-{number}")
    for page in PAGES
    for number, match in enumerate(
        re.finditer(r"<!-- run: ([^;>]*?)(?:; needs: (\w+))? -->\n```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    )
]


@pytest.mark.parametrize("traces, needs, script", RUNNABLE)
def test_a_block_runs_as_it_stands(binary, tmp_path, traces, needs, script):
    if needs and not shutil.which(needs):
        pytest.skip(f"no {needs}")
    for name, golden in (pair.split("=") for pair in traces.split()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / f"tests/golden/{golden}.ttt", tmp_path / name)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8",
             "PATH": f"{pathlib.Path(binary('ttitrace')).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 8 or "sqlite3" in script
    assert "nothing" not in done.stderr


def lines_of_shell():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.S | re.M):
            for line in block.replace("\\\n", " ").splitlines():
                if re.match(r"ttitrace [a-z]+ ", line):
                    yield pytest.param(line, id=line)


@pytest.mark.parametrize("line", lines_of_shell())
def test_options_and_their_words_exist(ttitrace, line):
    """As completion has it: what a line says is offered where it stands."""
    words = shlex.split(re.split(r"\s[|>&]|;", line)[0], comments=True)[1:]
    if "--" in words:
        words = words[: words.index("--")]
    for i, word in enumerate(words):
        if not word.startswith("-") or word == "-o":
            continue
        offered = [c.split("\t")[0] for c in ttitrace("--complete", *words[: i + 1]).stdout.splitlines()]
        assert word in offered or f"{word}=" in offered, f"{words[0]} has no {word}"
        values = [c for c in ttitrace("--complete", *words[: i + 1], "").stdout.splitlines() if not c.startswith(":")]
        if f"{word}=" in offered and values and i + 1 < len(words):
            assert any(words[i + 1].startswith(value) for value in values), f"{word} has no {words[i + 1]}"
