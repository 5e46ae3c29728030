# SPDX-License-Identifier: Apache-2.0
"""A program with a profiler of its own: it gets all that it gets without us, and so do we."""

import re

import pytest
import traced

OTHER = traced.FAKE / "other/libcupti.so.12"
BEFORE, AFTER, PROFILED = 10, 10, 200  # launches of the program around and in a profile


def both(run, *args, **env):
    """Bare and traced: the same output and exit code."""
    bare, with_us = run("profiled", *args, preload=None, **env), run("profiled", *args, **env)
    assert (with_us.exit_code, with_us.stderr) == (0, "")
    assert with_us.stdout == bare.stdout
    return with_us


def is_complete(r, launches):
    c = traced.coverage(r.traces[0])
    assert c["complete"]
    assert (c["launches"], c["matched"], c["kernel_records"]) == (launches, launches, launches)
    assert not traced.losses(r.traces[0])


def profiles(r):
    """What each profile has, by word."""
    return [
        {k: int(v) for k, v in re.findall(r"(\w+) (\d+)", line.partition(": ")[2])}
        for line in r.stdout.splitlines()
    ]


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("style", ["kineto", "proton", "jax", "tiny"])
def test_both_sides_are_complete(run, style, times):
    r = both(run, style, times)
    is_complete(r, BEFORE + times * (PROFILED + AFTER))
    assert [p["kernels"] for p in profiles(r)] == [PROFILED] * times
    assert [p["times"] for p in profiles(r)] == [0] * times
    assert r.seen["cupti_finalized"] == 0


def test_a_client_that_comes_before_us_stays(run):
    is_complete(both(run, "early"), PROFILED)


@pytest.mark.parametrize("style", ["unstopped", "atexit"])
def test_a_client_may_last_to_the_end(run, style):
    is_complete(both(run, style), BEFORE + PROFILED)


def test_only_what_was_launched_meanwhile_is_the_client_s(run):
    r = both(run, "backlog", 3)
    assert [p["kernels"] for p in profiles(r)] == [PROFILED // 2] * 3
    is_complete(r, BEFORE + 3 * (2 * PROFILED + PROFILED // 2 + AFTER))


def test_a_client_without_memory_loses_its_own_only(run):
    r = run("profiled", "refuses", 2)
    for p in profiles(r):
        got = p["kernels"] + p["copies"] + p["fills"] + p["calls"] + p["externals"]
        assert p["dropped"] > 0 and got > 0
    is_complete(r, BEFORE + 2 * (PROFILED + AFTER))


def test_a_child_leaves_cupti_alone(run):
    r = both(run, "forks", 2)
    assert r.seen["cupti_used_in_child"] == 0
    is_complete(r, BEFORE + 2 * (PROFILED + AFTER))


def test_a_child_of_a_parent_without_cuda_has_all(run):
    r = both(run, "child", 2)
    is_complete(r, BEFORE + 2 * (PROFILED + AFTER))


def test_starts_and_stops_while_other_threads_launch(run):
    r = both(run, "threads", 20, 4)
    is_complete(r, r.seen["launches"])


def test_another_copy_of_cupti_is_served_by_the_first(run):
    is_complete(both(run, "proton", 2, 0, OTHER), BEFORE + 2 * (PROFILED + AFTER))


def test_clients_in_two_copies_are_served_at_once(run):
    """Bare, the driver refuses the second."""
    r = run("profiled", "pair", 2, 0, f"{traced.CUPTI},{OTHER}")
    assert [p["kernels"] for p in profiles(r)] == [PROFILED, 2 * PROFILED] * 2
    assert [p["enters"] for p in profiles(r)] == [PROFILED, 0] * 2
    is_complete(r, BEFORE + 2 * (2 * PROFILED + AFTER))


@pytest.mark.parametrize("style", ["kineto", "proton", "jax"])
def test_programs_linked_with_cupti_come_here_too(run, style):
    bare = run("profiled_linked", style, 2, 0, "linked", preload=None)
    r = run("profiled_linked", style, 2, 0, "linked")
    assert (r.exit_code, r.stderr, r.stdout) == (0, "", bare.stdout)
    is_complete(r, BEFORE + 2 * (PROFILED + AFTER))


@pytest.mark.parametrize("timing", ["none"])
def test_without_gpu_times_clients_are_left_alone(run, timing):
    bare = run("profiled", "jax", 2, preload=None)
    r = run("profiled", "jax", 2, timing=timing)
    assert r.stdout == bare.stdout
    assert r.seen["cupti_finalized"] == bare.seen["cupti_finalized"] == 2


def test_a_client_is_refused_what_the_driver_refuses(run):
    bare = run("profiled", "proton", preload=None, FAKE_CUPTI_REFUSE=1)
    r = run("profiled", "proton", FAKE_CUPTI_REFUSE=1)
    assert r.stdout == bare.stdout
    assert "another profiler" in r.stderr
    assert len(r.trace.launches()) == BEFORE + PROFILED + AFTER


def test_records_of_kinds_that_only_the_client_wants_are_not_ours(run):
    r = both(run, "kineto")
    assert {g.template["activity"] for g in r.trace.gpu()} == {1, 2, 3}
    assert "unknown-record" not in traced.losses(r.traces[0])


def test_the_client_s_share_of_drops_is_told_to_both(run):
    r = run("profiled", "kineto", FAKE_CUPTI_DROP=10)
    (p,) = profiles(r)
    assert p["dropped"] > 0
    assert traced.losses(r.traces[0])["cupti-dropped"] >= p["dropped"]
