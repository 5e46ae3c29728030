# SPDX-License-Identifier: Apache-2.0
"""Without CUPTI, or with one that misbehaves, the host side is whole and the loss is told."""

import pytest
import traced


def host_side_is_whole(r):
    trace = r.trace
    assert r.exit_code == 0, r.stderr
    assert len(trace.launches()) == r.seen["launches"] == 9
    assert not list(trace.gpu())
    assert r.seen["cupti_subscribed"] == 0


def test_no_cupti_costs_one_line(run):
    r = run("routes", TTITRACE_CUPTI="/nonexistent/libcupti.so", CUDA_HOME="/nonexistent")
    host_side_is_whole(r)
    assert len(r.stderr.splitlines()) == 1


def test_a_refused_cupti_costs_one_line_that_says_why(run):
    r = run("routes", FAKE_CUPTI_REFUSE=1)
    host_side_is_whole(r)
    assert len(r.stderr.splitlines()) == 1
    assert "CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED" in r.stderr


def test_timing_none_is_silent_and_leaves_cupti_alone(run):
    r = run("routes", timing="none")
    host_side_is_whole(r)
    assert r.stderr == ""


def test_a_normal_run_is_silent(run):
    assert run("routes").stderr == ""


def test_what_cupti_dropped_is_counted(run):
    r = run("many_threads", 4, 1000, FAKE_CUPTI_DROP=10)
    assert r.seen["cupti_dropped"] == 400
    assert len(r.trace.kernels_run()) == 3600
    assert traced.losses(r.traces[0])["cupti-dropped"] == 400
    c = traced.coverage(r.traces[0])
    assert c["launches_without_record"] == 400
    assert c["mismatched"] == 0
    assert not c["complete"]


def test_records_without_times_are_counted(run):
    r = run("many_threads", 4, 1000, FAKE_CUPTI_ZERO=8)
    assert r.seen["cupti_zeroed"] == 500
    assert traced.losses(r.traces[0])["no-timestamp"] == 500


def test_cupti_is_never_finalized(run):
    r = run("many_threads", 2, 100)
    assert r.seen["cupti_finalized"] == 0
    assert r.seen["cupti_incomplete"] == 0


@pytest.mark.parametrize("how", ["return", "destroy", "_exit", "quick_exit"])
def test_all_records_are_fetched_before_the_end(run, how):
    r = run("endings", how)
    assert len(r.trace.kernels_run()) == 1000
