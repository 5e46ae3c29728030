# SPDX-License-Identifier: Apache-2.0
"""Windows: only what somebody wants to see is recorded, and coverage is complete within it."""

import signal
import subprocess
import time

import pytest
import traced

OPEN, CLOSE = 5, 6  # TTI_MARK


def numbers(trace):
    """The grids of the launches: their numbers in the program."""
    return [row.template["grid_x"] for row in trace.launches()]


def turned(trace):
    marks = sorted(trace.records["mark"], key=lambda m: m["time_ns"])
    return [m["kind"] for m in marks if m["kind"] in (OPEN, CLOSE)]


def is_complete(trace):
    return traced.coverage(trace.path)["complete"] and traced.check(trace.path) == 0


def test_the_profiler_s_window(run):
    trace = run("windows", "profiler", TTITRACE_WINDOW="profiler").trace
    assert numbers(trace) == [*range(6, 13), *range(16, 23)]
    assert len(trace.kernels_run()) == 14
    assert turned(trace) == [OPEN, CLOSE, OPEN, CLOSE]
    assert is_complete(trace)


def test_without_a_window_the_profiler_s_marks_change_nothing(run):
    trace = run("windows", "profiler").trace
    assert numbers(trace) == [*range(1, 26)]
    assert turned(trace) == []


def test_ranges_of_a_name(run):
    trace = run("windows", "range", TTITRACE_WINDOW="range:step").trace
    assert numbers(trace) == [n for n in range(1, 51) if n % 5]
    assert len(trace.kernels_run()) == 40
    assert is_complete(trace)


@pytest.mark.parametrize("name", ["ste", "outside of", "STEP"])
def test_ranges_of_another_name_open_nothing(run, name):
    assert not run("windows", "range", TTITRACE_WINDOW=f"range:{name}").trace.launches()


def test_every_third_opening(run):
    trace = run("windows", "range", TTITRACE_WINDOW="range:step", TTITRACE_EVERY=3).trace
    assert numbers(trace) == [n for n in range(1, 51) if n % 5 and (n - 1) // 5 % 3 == 0]
    assert is_complete(trace)


def test_a_program_pauses_by_itself(run):
    trace = run("windows", "pause").trace
    assert numbers(trace) == [*range(1, 11), *range(31, 61)]
    assert len(trace.kernels_run()) == 40
    assert turned(trace) == [CLOSE, OPEN]
    assert [m["text"] for m in trace.records["mark"] if not m["kind"]] == ["half"]
    assert is_complete(trace)


def test_what_turns_a_thousand_times_a_second_is_complete_all_the_same(run):
    trace = run("windows", "toggle").trace
    turns = turned(trace)
    assert turns == [CLOSE, OPEN] * 1000
    recorded = sorted(row.correlation for row in trace.launches())
    assert sorted(row.correlation for row in trace.kernels_run()) == recorded
    assert len(recorded) > 1000 and set(numbers(trace)) == set(range(1, 9))
    assert is_complete(trace)


def test_a_range_with_many_inside_ends_where_it_ends(run):
    trace = run("windows", "nested", TTITRACE_WINDOW="range:step").trace
    assert numbers(trace) == [1, 2]
    assert turned(trace) == [OPEN, CLOSE]


@pytest.mark.parametrize("skip,take,expected", [(0, 10, range(1, 11)), (95, 0, range(96, 101)), (30, 5, range(31, 36))])
def test_launches_by_number(run, skip, take, expected):
    trace = run("windows", "count", TTITRACE_SKIP=skip, TTITRACE_TAKE=take).trace
    assert numbers(trace) == [*expected]
    assert len(trace.kernels_run()) == len(expected)
    assert is_complete(trace)


def test_what_was_captured_before_is_known_when_it_is_replayed(run):
    trace = run("windows", "capture", TTITRACE_WINDOW="profiler").trace
    assert trace.counts[traced.CAPTURED_COUNTER] == 6
    assert len(trace.kernels_run()) == 12
    assert is_complete(trace)


def test_an_unknown_window_is_told_and_everything_recorded(run):
    r = run("windows", "count", TTITRACE_WINDOW="sometimes")
    assert "TTITRACE_WINDOW=sometimes is not understood" in r.stderr
    assert len(r.trace.launches()) == 100


class Waiting:
    """The program while it runs; what it records is asked for from outside."""

    def __init__(self, directory, **env):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.process = subprocess.Popen(
            [traced.PROGRAMS / "windows", "wait"],
            cwd=directory,
            env=traced.environment(directory, traced.LIBRARY, "cupti", **env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def ctl(self, *words):
        return subprocess.run(
            [traced.TOOL, "ctl", *map(str, words)], capture_output=True, text=True, timeout=20
        )

    def end(self):
        self.process.communicate("", timeout=20)
        return traced.Trace(next(self.directory.glob("*.ttt")))


@pytest.fixture
def waiting(tmp_path):
    started = []

    def start(**env):
        started.append(Waiting(tmp_path / "run", **env))
        return started[-1]

    yield start
    for w in started:
        w.process.kill()
        w.process.wait()


def test_the_process_that_record_or_a_shell_is_stands_for_its_program(tmp_path):
    environment = traced.environment(tmp_path, None, "cupti")
    recording = subprocess.Popen(
        [traced.TOOL, "record", "--quiet", "--window", "closed", "-o", tmp_path / "w.ttt", "--",
         "sh", "-c", '"$0" wait; exit', traced.PROGRAMS / "windows"],
        cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    assert recording.stdout.readline() == "ready\n"
    for word in ("start", "stop"):
        done = Waiting.ctl(None, recording.pid, word)
        assert (done.returncode, done.stderr) == (0, "")
    recording.communicate("", timeout=20)
    assert turned(traced.Trace(tmp_path / "w.ttt")) == [OPEN, CLOSE]


def test_a_window_is_opened_and_closed_from_outside(waiting):
    w = waiting(TTITRACE_WINDOW="closed")
    time.sleep(0.1)
    assert w.ctl(w.process.pid, "start").returncode == 0
    time.sleep(0.2)
    done = w.ctl(w.process.pid, "stop")
    assert done.returncode == 0, done.stderr
    time.sleep(0.2)
    trace = w.end()
    assert turned(trace) == [OPEN, CLOSE]
    first, last = min(numbers(trace)), max(numbers(trace))
    assert first > 5 and numbers(trace) == [*range(first, last + 1)]
    assert len(trace.launches()) == len(trace.kernels_run())
    assert is_complete(trace)


def test_a_trace_s_path_is_as_good_as_the_process(waiting):
    w = waiting()
    time.sleep(0.5)
    path = next(w.directory.glob("*.ttt"))
    assert w.ctl(path, "stop").returncode == 0
    assert turned(w.end()) == [CLOSE]


def test_a_signal_turns(waiting):
    w = waiting(TTITRACE_SIGNAL=int(signal.SIGUSR2))
    for _ in range(2):
        time.sleep(0.4)
        w.process.send_signal(signal.SIGUSR2)
    time.sleep(0.4)
    assert turned(w.end()) == [CLOSE, OPEN]


def test_who_records_nothing_cannot_be_told(tmp_path):
    other = subprocess.Popen(["sleep", "30"])
    try:
        done = Waiting.ctl(None, other.pid, "stop")
        assert done.returncode == 1
        assert "records nothing" in done.stderr
    finally:
        other.kill()
        other.wait()


def test_who_reads_a_trace_does_not_record_it(tmp_path):
    (tmp_path / "read.ttt").write_bytes(b"")
    with (tmp_path / "read.ttt").open() as trace:
        reader = subprocess.Popen(["sleep", "30"], stdin=trace)
    try:
        done = Waiting.ctl(None, reader.pid, "stop")
        assert done.returncode == 1 and "records nothing" in done.stderr
        assert not list(tmp_path.glob("*.ctl"))
    finally:
        reader.kill()
        reader.wait()


@pytest.mark.parametrize("words", [(), ("1",), ("1", "turn"), ("1", "start", "2")])
def test_wrong_usage_is_told(words):
    done = Waiting.ctl(None, *words)
    assert done.returncode == 2 and not done.stdout


def test_somebody_else_s_word_is_not_heard(waiting):
    w = waiting()
    time.sleep(0.4)
    path = next(w.directory.glob("*.ttt"))
    (w.directory / "word").write_text("stop\n")
    path.with_suffix(".ttt.ctl").symlink_to(w.directory / "word")
    time.sleep(0.5)
    assert turned(w.end()) == []


def test_what_was_left_out_is_not_idle(run):
    r = run("windows", "pause")
    gpu = traced.tool("report", r.trace.path)[1]["gpu"]
    assert gpu["windows"] == 2 and gpu["closed_ns"] > 0
    assert gpu["span_ns"] + gpu["closed_ns"] == gpu["last_ns"] - gpu["first_ns"]
    assert gpu["busy_ns"] + gpu["idle_ns"] == gpu["span_ns"]
