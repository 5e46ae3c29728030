# SPDX-License-Identifier: Apache-2.0
"""ttitrace record stands between a shell and a program, and neither notices.

The library here is a harmless one; programs that should have made a trace make it with mktrace.
"""

import ctypes.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

SMALL = (pathlib.Path(__file__).resolve().parents[1] / "golden/text/small.txt").read_text()
PYTHON = sys.executable


@pytest.fixture
def harmless_library():
    """Any library that can be preloaded without effect."""
    name = ctypes.util.find_library("m")
    for folder in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64",
                   "/lib/aarch64-linux-gnu", "/usr/lib", "/lib"):
        path = pathlib.Path(folder) / (name or "libm.so.6")
        if path.exists():
            return str(path.resolve())
    pytest.skip("no libm.so found to stand in for the library")


@pytest.fixture
def record(ttitrace, harmless_library):
    def run(*arguments, env=None, **options):
        return ttitrace(
            "record",
            *arguments,
            env={
                "TTITRACE_LIBRARY": harmless_library,
                # A sanitizer's build minds that another library comes first.
                "ASAN_OPTIONS": "verify_asan_link_order=0",
                **(env or {}),
            },
            **options,
        )

    return run


def environment_of(done):
    return json.loads(done.stdout)


SHOW = ["--", PYTHON, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]


def test_the_library_is_preloaded_in_front_of_others(record, harmless_library):
    assert environment_of(record(*SHOW, env={"LD_PRELOAD": ""}))["LD_PRELOAD"] == harmless_library
    other = os.path.join(os.path.dirname(harmless_library), "libc.so.6")
    if os.path.exists(other):
        seen = environment_of(record(*SHOW, env={"LD_PRELOAD": other}))["LD_PRELOAD"]
        assert seen == f"{harmless_library}:{other}"


def test_options_become_variables(record, tmp_path):
    seen = environment_of(
        record("-o", "x-%p.ttt", "--timing=none", "--flush-ms", "50", "--level=9", *SHOW)
    )
    assert seen["TTITRACE_OUTPUT"] == f"{tmp_path}/x-%p.ttt"
    assert seen["TTITRACE_TIMING"] == "none"
    assert seen["TTITRACE_FLUSH_MS"] == "50"
    assert seen["TTITRACE_LEVEL"] == "9"


def test_without_options_traces_go_to_the_current_directory(record, tmp_path):
    odd = tmp_path / "100%"
    odd.mkdir()
    seen = environment_of(record(*SHOW, cwd=odd))
    assert seen["TTITRACE_OUTPUT"] == f"{tmp_path}/100%%/ttitrace-%h-%p.ttt"


def test_every_run_has_its_own_id(record):
    first, second = (environment_of(record(*SHOW))["TTITRACE_RUN"] for _ in range(2))
    assert first and second and first != second


@pytest.mark.parametrize("arguments", [["--timing=maybe"], ["--level=high"], ["--flush-ms="]])
def test_a_wrong_value_is_wrong_usage(record, arguments):
    done = record(*arguments, "--", "true")
    assert done.returncode == 2
    assert arguments[0].split("=")[0] in done.stderr


def test_the_programs_options_are_its_own(record):
    done = record("echo", "--json", "-o", "x")
    assert done.stdout == "--json -o x\n"


@pytest.mark.parametrize("code", [0, 1, 2, 7, 255])
def test_the_exit_code_is_the_programs(record, code):
    assert record("--", "sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV"])
def test_a_signal_is_128_and_its_number(record, name):
    number = signal.Signals[f"SIG{name}"]
    assert record("--", "sh", "-c", f"kill -{name} $$").returncode == 128 + number


def test_a_program_that_is_not_there_is_127(record):
    done = record("--", "no-such-program")
    assert done.returncode == 127
    assert done.stderr == "ttitrace record: no-such-program: No such file or directory\n"


def test_a_program_that_cannot_be_executed_is_126(record, tmp_path):
    (tmp_path / "notes.txt").write_text("not a program")
    assert record("--", "./notes.txt").returncode == 126


def test_a_missing_library_is_told(ttitrace):
    done = ttitrace("record", "--", "true", env={"TTITRACE_LIBRARY": "/no/such/lib.so"})
    assert done.returncode == 1
    assert done.stderr == (
        "ttitrace record: TTITRACE_LIBRARY=/no/such/lib.so: No such file or directory\n"
    )


def test_input_and_output_pass_through(record):
    done = record("--", "cat", input="some text")
    assert done.stdout == "some text"


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1"])
def test_signals_are_passed_on(binary, harmless_library, tmp_path, name):
    number = signal.Signals[f"SIG{name}"]
    program = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    with subprocess.Popen(
        [binary("ttitrace"), "record", "--quiet", "--", PYTHON, "-c", program],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "TTITRACE_LIBRARY": harmless_library},
        # A shell's background job starts with INT and QUIT ignored.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == 42


def test_a_stopped_program_stops_the_command_too(binary, harmless_library, tmp_path):
    with subprocess.Popen(
        [binary("ttitrace"), "record", "--quiet", "--", "sh", "-c", "kill -STOP $$; exit 5"],
        cwd=tmp_path,
        env={**os.environ, "TTITRACE_LIBRARY": harmless_library},
    ) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        time.sleep(0.05)
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=10) == 5


def making_a_trace(binary, tmp_path, text=SMALL, name="made.ttt"):
    """A program that leaves a trace, with the id of the run, where the library would."""
    text = text.replace('info key="driver.v', 'info key="option.run" value="RUN"\ninfo key="driver.v')
    (tmp_path / "text").write_text(text)
    mktrace = binary("tests/mktrace")
    return ["--", "sh", "-c", f'sed "s/RUN/$TTITRACE_RUN/" text | env -u LD_PRELOAD {mktrace} > {name}']


def test_the_summary_says_what_was_captured_and_what_to_do_next(record, binary, tmp_path):
    done = record(*making_a_trace(binary, tmp_path))
    assert done.returncode == 0
    assert done.stdout == ""
    size = (tmp_path / "made.ttt").stat().st_size
    assert done.stderr.splitlines() == [
        "ttitrace: 3 launches and 2 graph launches in 1 process; GPU busy 10.60 us in 5 kernels",
        "ttitrace: nothing was lost: every launch has its GPU time",
        f"ttitrace: {size} bytes in made.ttt",
        "ttitrace: next: ttitrace report made.ttt",
    ]


def test_the_summary_says_what_was_lost(record, binary, tmp_path):
    lossy = SMALL.replace("finish", "count counter=19 value=12\nfinish")
    done = record(*making_a_trace(binary, tmp_path, lossy))
    assert "LOST 12 cupti-dropped: device records that CUPTI says it dropped" in done.stderr
    assert "NOT complete" in done.stderr


def test_traces_of_other_runs_are_not_counted(record, binary, mktrace, tmp_path):
    mktrace(SMALL, "other.ttt")
    done = record(*making_a_trace(binary, tmp_path))
    assert "in 1 process;" in done.stderr and "other.ttt" not in done.stderr


def test_a_program_without_a_gpu_is_told(record):
    done = record("--", "true")
    assert done.returncode == 0
    assert done.stderr == (
        "ttitrace: no trace was written: no process of the program has used a GPU\n"
    )


def test_quiet_says_nothing(record):
    assert record("--quiet", "--", "true").stderr == ""


def test_the_summary_as_json(record, binary, tmp_path):
    done = record("--json", *making_a_trace(binary, tmp_path))
    summary = json.loads(done.stderr)
    assert summary["traces"] == ["made.ttt"]
    assert summary["coverage"]["matched"] == 3 and summary["busy_ns"] == 10600


def test_traces_in_a_directory_of_their_own_are_found(record, binary, tmp_path):
    (tmp_path / "out").mkdir()
    done = record("-o", "out", *making_a_trace(binary, tmp_path, name="out/made.ttt"))
    assert f"next: ttitrace report {tmp_path}/out/made.ttt" in done.stderr
