# SPDX-License-Identifier: Apache-2.0
"""Every launch is seen, however the program reached the driver."""

import collections

import pytest
import traced

WAYS = [
    ("routes", "dlsym"),
    ("routes", "dlvsym"),
    ("routes", "getproc"),
    ("routes", "getproc_v1"),
    ("routes", "default"),
    ("routes", "dlsym+ptsz"),
    ("routes", "getproc+ptsz"),
    ("routes", "getproc_v1+ptsz"),
    ("routes", "default+ptsz"),
    ("routes_linked", "linked"),
    ("routes_linked", "next"),
    ("routes_linked", "next+ptsz"),
]


def go(run, program, way):
    # Only a driver with symbol versions can be asked by dlvsym.
    driver = traced.FAKE / "versioned" if way == "dlvsym" else traced.FAKE
    r = run(program, way, LD_LIBRARY_PATH=driver)
    assert r.exit_code == 0, r.stderr
    return r


@pytest.mark.parametrize("program,way", WAYS)
def test_every_kind_of_launch_is_recorded_once(run, program, way):
    r = go(run, program, way)
    trace = r.trace
    rows = trace.launches()
    assert len(rows) == r.seen["launches"] == 9
    by_kernel = collections.Counter(trace.kernel_name(row) for row in rows)
    assert by_kernel == {"plain": 4, "extended": 2, "cooperative": 2, "from_library": 1}
    host = list(trace.host())
    assert sum(row.template["op"] == traced.GRAPH_LAUNCH for row in host) == 2
    captured = [r for r in host if r.template["flags"] & traced.CAPTURED]
    assert len(captured) == r.seen["captured"] == 3
    refused = [r for r in host if r.result != 0]
    assert [row.result for row in refused] == [1]


@pytest.mark.parametrize("program,way", WAYS)
def test_the_report_covers_what_the_driver_saw(run, program, way):
    r = go(run, program, way)
    c = traced.coverage(r.traces[0])
    assert c["launches"] == r.seen["launches"]
    assert c["captured"] == r.seen["captured"]
    assert c["failed"] == r.seen["refused"]
    assert c["graph_launches"] == r.seen["graph_launches"]
    assert c["kernel_records"] == r.seen["launches"] + r.seen["node_runs"]
    assert c["node_records"] == r.seen["node_runs"]
    assert c["launches_without_record"] == 0
    assert c["records_without_launch"] == 0
    assert c["mismatched"] == 0
    assert c["complete"]
    assert traced.check(r.traces[0]) == 0


@pytest.mark.parametrize("way", ["getproc", "getproc+ptsz", "dlsym+ptsz"])
def test_the_entry_point_that_was_called_is_named(run, way):
    trace = go(run, "routes", way).trace
    names = {trace.api(row) for row in trace.host()}
    twin = "_ptsz" if "ptsz" in way else ""
    assert {
        "cuLaunchKernel" + twin,
        "cuLaunchKernelEx" + twin,
        "cuLaunchCooperativeKernel" + twin,
        "cuLaunchCooperativeKernelMultiDevice",
        "cuGraphLaunch" + twin,
        "cuMemcpyDtoHAsync_v2" + twin,
        "cuMemsetD8Async" + twin,
    } <= names


@pytest.mark.xfail(strict=True, reason="one launch for each correlation id is joined so far")
def test_kernels_that_one_call_launches_are_all_joined(run):
    r = run("routes", "getproc", 2)
    assert traced.coverage(r.traces[0])["matched"] == r.seen["launches"] == 10


def test_grid_block_shared_memory_and_cluster_are_those_of_the_launch(run):
    trace = go(run, "routes", "getproc").trace
    extended = [r.template for r in trace.launches() if trace.kernel_name(r) == "extended"]
    assert {traced.shape(t) for t in extended} == {(8, 2, 1, 128, 1, 1)}
    assert {t["shared_bytes"] for t in extended} == {1024}
    assert sorted(t["cluster_x"] for t in extended) == [0, 2]


def test_parameter_layout_and_attributes_are_recorded_for_functions_and_kernels(run):
    trace = go(run, "routes", "getproc").trace
    for kernel in trace.records["kernel"]:
        assert kernel["parameters"] == [0, 8, 8, 4]
        assert kernel["registers"] > 0
        assert kernel["max_threads"] == 1024
        assert kernel["binary_version"] == 90


def test_copies_and_fills_have_their_bytes_and_device_times(run):
    r = go(run, "routes", "getproc")
    trace = r.trace
    moved = [x for x in trace.host() if x.template["op"] in (traced.COPY, traced.FILL)]
    assert len(moved) == r.seen["copies"] + r.seen["fills"] == 3
    assert {x.template["bytes"] for x in moved} == {32}
    records = [x for x in trace.gpu() if x.template["activity"] != traced.KERNEL]
    assert sorted(x.correlation for x in records) == sorted(x.correlation for x in moved)


def test_the_profiler_calls_of_the_program_are_marks(run):
    trace = go(run, "routes", "getproc").trace
    assert [m["text"] for m in trace.records["mark"]] == ["cuProfilerStart", "cuProfilerStop"]


def test_parameters_reach_the_driver_unchanged(run):
    bare = run("routes", "getproc", preload=None)
    assert go(run, "routes", "getproc").stdout == bare.stdout


def test_a_handle_that_comes_back_gets_its_new_name(run):
    r = run("reload")
    assert "9 handles came back" in r.stdout
    trace = r.trace
    for row in trace.launches():
        assert trace.kernel_name(row) == f"generation_{row.template['grid_x']}"
    assert len(trace.launches()) == r.seen["launches"] == 55


def test_a_library_that_launches_from_its_constructor_is_traced(run):
    r = run("loads_plugin", traced.PLUGINS / "libat_load.so")
    assert r.stdout == "loaded\n"
    assert len(r.trace.launches()) == 7
    assert len(r.trace.kernels_run()) == 7


def test_the_diffusion_loop_is_whole(run):
    r = run("diffusion_loop")
    c = traced.coverage(r.traces[0])
    assert c["launches"] == r.seen["launches"]
    assert c["node_records"] == r.seen["node_runs"]
    assert c["complete"]
