# SPDX-License-Identifier: Apache-2.0
"""Fork, exec and every way to end: one trace per process that used CUDA, readable always."""

import pytest
import traced

EXIT, QUICK_EXIT, EXEC = 1, 2, 3  # TTI_ENDING


def launches_by_pid(r):
    traces = [traced.Trace(p) for p in r.traces]
    return {t.records["process"][0]["pid"]: len(t.launches()) for t in traces}


def driver_launches_by_pid(r):
    return {pid: seen["launches"] for pid, seen in r.seen_by_pid.items() if seen["launches"]}


FORKS = "before after exits _exits execs spawns vforks systems storms".split()


@pytest.mark.parametrize("what", FORKS)
def test_each_process_that_launched_has_one_whole_trace(run, what):
    r = run("forks", what)
    assert r.exit_code == 0, r.stderr
    assert launches_by_pid(r) == driver_launches_by_pid(r)
    for path in r.traces:
        assert traced.coverage(path)["complete"]


@pytest.mark.parametrize("what,expected", [("before", [5, 20]), ("execs", [15, 30])])
def test_parent_and_child_are_told_apart(run, what, expected):
    assert sorted(launches_by_pid(run("forks", what)).values()) == expected


@pytest.mark.parametrize("what", ["after", "exits", "_exits", "execs", "vforks", "storms"])
def test_a_forked_child_leaves_cupti_alone(run, what):
    assert run("forks", what).seen["cupti_used_in_child"] == 0


@pytest.mark.parametrize(
    "how,ending",
    [
        ("return", EXIT),
        ("exit", EXIT),
        ("destroy", EXIT),
        ("pthread_exit", EXIT),
        ("_exit", QUICK_EXIT),
        ("_Exit", QUICK_EXIT),
        ("quick_exit", QUICK_EXIT),
    ],
)
def test_a_normal_end_leaves_a_finished_trace(run, how, ending):
    trace = run("endings", how).trace
    assert len(trace.launches()) == 1000
    assert len(trace.kernels_run()) == 1000
    assert trace.finish == [ending]


EXECS = "execl execlp execle execv execve execvp execvpe fexecve execveat".split()


@pytest.mark.parametrize("how", EXECS)
def test_a_process_that_becomes_another_leaves_a_finished_trace(run, how):
    r = run("endings", how)
    assert r.stdout == "launched\nafter exec\n"
    assert len(r.trace.launches()) == len(r.trace.kernels_run()) == 1000
    assert r.trace.finish == [EXEC]


def test_one_that_could_not_become_another_goes_on(run):
    r = run("endings", "exec_in_vain")
    assert "exec: -1 -1\n" in r.stdout
    assert len(r.trace.launches()) == len(r.trace.kernels_run()) == 1500
    assert r.trace.finish == [EXIT]
    assert traced.check(r.trace.path) == 0


def test_what_it_becomes_has_a_trace_of_its_own(run):
    r = run("forks", "becomes")
    assert sorted(len(traced.Trace(p).launches()) for p in r.traces) == [10, 30]
    assert len(r.seen_by_pid) == 1


@pytest.mark.parametrize("how", ["daemon", "daemonise"])
def test_the_parent_of_a_daemon_leaves_a_finished_trace(run, how):
    trace = run("endings", how).trace
    assert len(trace.launches()) == 1000
    assert trace.finish == [QUICK_EXIT]


@pytest.mark.parametrize("how", ["closefrom", "takes", "stderr", "redirects"])
def test_a_program_may_do_what_it_likes_with_descriptors(run, how):
    r = run("descriptors", how, TTITRACE_VERBOSE=1)
    assert r.stdout == "0 bytes\n"
    assert len(r.trace.launches()) == 1000
    assert r.trace.finish == [EXIT]


@pytest.mark.parametrize("how", ["abort", "kill", "segv", "term", "exit_group"])
def test_a_violent_end_loses_a_fraction_of_a_second_at_most(run, how):
    trace = run("endings", how, 600).trace
    assert trace.finish == []
    assert len(trace.launches()) == 1000


@pytest.mark.parametrize("how", ["abort", "kill", "segv", "term", "exit_group"])
def test_a_violent_end_at_once_leaves_a_readable_file_or_none(run, how):
    r = run("endings", how)
    for path in r.traces:
        assert traced.Trace(path).exit_code in (0, 1)
