# SPDX-License-Identifier: Apache-2.0
"""Every launch inside a call of cuBLAS, cuBLASLt or cuDNN carries it, with the right problem."""

import subprocess

import pytest
import traced

if not (traced.PROGRAMS / "library_calls").exists():
    pytest.skip("no headers of cuDNN: the programs are not built", allow_module_level=True)

LINKED = ("library_calls_linked", "linked")
WAYS = (LINKED, ("library_calls", "plugin"), ("library_calls", "dlsym"))
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda w: w[1])
KINDS = ("gemm", "convolution", "sdpa", "operation")


def calls_of(trace):
    return {r["id"]: r for kind in KINDS for r in trace.records[kind]}


def launches_by_call(trace):
    """(call or None, [kernel names]), neighbours of one call together, in order."""
    calls = calls_of(trace)
    groups = []
    for row in trace.host():
        if row.template["op"] not in (traced.LAUNCH, traced.NODE):
            continue
        call = calls.get(row.template["call"])
        if not groups or groups[-1][0] is not call or call is None:
            groups.append((call, []))
        groups[-1][1].append(trace.kernel_name(row))
    return groups


def api(trace, call):
    return trace.strings[call["api"]]


def numbers(call, *names):
    return tuple(call[n] for n in names)


@each_way
@pytest.mark.parametrize("preload", ("libttitrace.so", "libttitrace-nop.so"))
def test_every_status_is_the_same(run, way, preload):
    scenarios = ("products", "matmul", "convolutions", "plans", "odd_plans", "capture", "threads")
    program, name = way
    bare = run(program, name, *scenarios, preload=None)
    hooked = run(program, name, *scenarios, preload=traced.BUILD / preload, timing="none")
    assert bare.exit_code == hooked.exit_code == 0, hooked.stderr
    assert hooked.stdout == bare.stdout
    assert hooked.seen == bare.seen
    assert ": 7\n" in bare.stdout  # and some were refused


@each_way
def test_products_carry_their_sizes(run, way):
    trace = run(*way, "products", timing="none").trace
    seen = [
        (api(trace, call), *numbers(call, "m", "n", "k", "batch", "transpose_a", "type_a"), kernels)
        for call, kernels in launches_by_call(trace)
    ]
    split = ["nvjet_hsh_128x128_64x5_TNN", "splitKreduce_kernel"]
    assert seen == [
        ("cublasSgemm_v2", 64, 32, 16, 1, 1, 0, ["fake_gemm"]),
        ("cublasGemmEx", 320, 77, 8192, 1, 0, 2, split),
        ("cublasSgemmStridedBatched", 77, 4096, 40, 16, 1, 0, ["fake_gemm"]),
        ("cublasGemmStridedBatchedEx_64", 40, 4096, 77, 8, 0, 14, ["fake_gemm"]),
        ("cublasSgemv_v2", 50, 1, 100, 1, 1, 0, ["fake_gemm"]),
        # 16 and 24 columns: no number for both.
        ("cublasGemmGroupedBatchedEx", 48, 0, 32, 5, 1, 2, ["fake_gemm"]),
    ]


def test_leading_dimensions_and_types_are_kept(run):
    trace = run(*LINKED, "products", timing="none").trace
    first, second = trace.records["gemm"][:2]
    assert numbers(first, "ld_a", "ld_b", "ld_d", "compute", "epilogue") == (16, 17, 64, 68, 1)
    assert numbers(second, "type_a", "type_b", "type_c", "type_d") == (2, 2, 2, 2)


@each_way
def test_matmul_is_read_from_its_descriptors_at_each_call(run, way):
    trace = run(*way, "matmul", timing="none").trace
    fields = ("m", "n", "k", "batch", "transpose_a", "type_d", "compute", "epilogue", "order")
    seen = [(api(trace, c), *numbers(c, *fields)) for c, _ in launches_by_call(trace)]
    assert seen == [
        ("cublasLtMatmul", 2560, 1024, 640, 3, 1, 14, 68, 36, 0),
        ("cublasLtMatmul", 2560, 1024, 640, 3, 1, 14, 68, 36, 1),
    ]


@each_way
def test_convolutions_without_plans(run, way):
    trace = run(*way, "convolutions", timing="none").trace
    groups = launches_by_call(trace)
    assert [(api(trace, c), c["direction"], c["pointwise"]) for c, _ in groups] == [
        ("cudnnConvolutionForward", 0, []),
        ("cudnnConvolutionBiasActivationForward", 0, [0, 100]),
        ("cudnnConvolutionBackwardData", 1, []),
        ("cudnnConvolutionBackwardFilter", 2, []),
    ]
    for call, kernels in groups:
        assert kernels == [
            "nchwToNhwcKernel",
            "sm90_xmma_fprop_implicit_gemm_f16f16",
            "nhwcToNchwKernel",
        ]
        assert call["x"] == [2, 320, 64, 48]
        assert call["w"] == [640, 160, 3, 3]
        assert call["y"] == [2, 640, 32, 24]
        assert call["x_strides"] == [983040, 1, 15360, 320]
        assert numbers(call, "pads", "post_pads", "strides", "dilations") == (
            [1, 1],
            [1, 1],
            [2, 2],
            [1, 1],
        )
        assert numbers(call, "type_x", "type_w", "type_y", "compute") == (2, 2, 2, 0)


@each_way
def test_plans_keep_their_problem_when_all_else_is_gone(run, way):
    trace = run(*way, "plans", timing="none").trace
    groups = launches_by_call(trace)
    assert len(groups) == 12
    assert [c["id"] for c, _ in groups[:6]] == [c["id"] for c, _ in groups[6:]]
    assert {api(trace, c) for c, _ in groups} == {"cudnnBackendExecute"}
    convolution, attention, masked, sdpa, product, norm = (c for c, _ in groups[:6])
    assert convolution["record"] == "convolution"
    assert numbers(convolution, "x", "w", "y") == ([2, 4, 64, 64], [320, 4, 3, 3], [2, 320, 63, 64])
    assert numbers(convolution, "pads", "post_pads", "pointwise") == ([1, 1], [0, 1], [0])
    assert len(groups[0][1]) == 3
    assert attention["record"] == "sdpa"
    assert numbers(attention, "q", "k") == ([2, 8, 4096, 40], [2, 8, 77, 40])
    assert numbers(attention, "v", "o") == ([2, 8, 77, 64], [2, 8, 4096, 64])
    assert (attention["flags"], masked["flags"]) == (0, 2)
    assert numbers(sdpa, "q", "k", "flags") == ([1, 24, 1021, 128], [1, 8, 2042, 128], 2)
    assert product["record"] == "gemm"
    assert numbers(product, "m", "n", "k", "batch", "order", "type_a") == (128, 256, 64, 15, 1, 2)
    # cuDNN's engine asked cuBLASLt: the launch belongs to what the program asked for.
    assert groups[4][1] == ["nvjet_hsh_128x128_64x5_TNN"]
    assert norm["record"] == "operation"
    assert numbers(norm, "operations", "x", "modes") == ([29], [7, 4096, 1, 1], [4])


@each_way
def test_graph_nodes_and_shapes_given_at_execution(run, way):
    trace = run(*way, "odd_plans", timing="none").trace
    node, executed = launches_by_call(trace)
    assert node[0]["record"] == "convolution"
    assert node[1] == ["sm90_xmma_fprop_implicit_gemm_f16f16"]
    # The plan's shapes do not hold: only what it does is said.
    assert executed[0]["record"] == "operation"
    assert numbers(executed[0], "operations", "x", "y") == ([10], [], [])


def test_calls_captured_into_a_graph(run):
    trace = run(*LINKED, "capture").trace
    call, kernels = launches_by_call(trace)[-1]
    assert numbers(call, "m", "n", "k") == (12, 13, 14)
    captured = [r for r in trace.host() if r.template["flags"] & traced.CAPTURED]
    assert [r.template["call"] for r in captured] == [call["id"]]


def test_launches_outside_carry_none(run):
    trace = run("library_calls", "dlsym", "outside", timing="none").trace
    groups = launches_by_call(trace)
    assert [c is None for c, _ in groups] == [True] + [False] * 6 + [True]


@each_way
def test_threads_do_not_mix_their_problems(run, way):
    trace = run(*way, "threads", timing="none").trace
    calls = calls_of(trace)
    seen = 0
    for row in trace.launches():
        call = calls[row.template["call"]]
        assert call["x"][1] == row.template["grid_x"]
        seen += 1
    assert seen == 8 * 100 * 3
    assert len(calls) == 8


def test_two_versions_of_a_library_get_their_own_calls(run):
    bare = run("library_calls", "plugin12", "products", "matmul", "plans", preload=None)
    traced_run = run("library_calls", "plugin12", "products", "matmul", "plans", timing="none")
    assert traced_run.stdout == bare.stdout
    assert "GemmEx" in bare.stdout and ": 1\n" not in bare.stdout
    groups = launches_by_call(traced_run.trace)
    assert None not in [c for c, _ in groups]
    assert len(groups) == 2 * (6 + 2 + 12)


@pytest.mark.parametrize("preload", (None, traced.LIBRARY))
def test_what_is_not_loaded_is_not_found(run, preload):
    r = run("library_calls", "absent", preload=preload)
    assert r.exit_code == 0
    lines = r.stdout.splitlines()
    assert len(lines) == 6
    assert all("undefined symbol" in line for line in lines)
    assert not r.traces


def test_the_libraries_are_never_loaded_by_us(tmp_path):
    process = subprocess.run(
        [str(traced.PROGRAMS / "routes"), "getproc"],
        cwd=tmp_path,
        env=traced.environment(tmp_path, traced.LIBRARY, "none", LD_DEBUG="files"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0
    assert "libcuda.so.1" in process.stderr
    assert "libcublas" not in process.stderr and "libcudnn" not in process.stderr


def test_the_trace_is_sound(run):
    r = run(*LINKED, "products", "matmul", "convolutions", "plans", "odd_plans", "capture")
    assert traced.check(*r.traces) == 0


def own_launches(trace):
    """What the program launched outside of any library, and what call it was taken for."""
    return {r.template["grid_x"]: r.template["call"] for r in trace.launches() if r.template["grid_x"] >= 100}


def products(trace):
    """m of each product that a launch was made in, and the grids of those launches."""
    calls = calls_of(trace)
    return {(calls[r.template["call"]]["m"], r.template["grid_x"]) for r in trace.launches() if r.template["call"]}


@pytest.mark.parametrize("preload", (None, "libttitrace.so", "libttitrace-nop.so"))
@pytest.mark.parametrize("scenario", ("exception", "launch"))
def test_an_exception_reaches_its_handler(run, scenario, preload):
    r = run("throws", scenario, preload=preload and traced.BUILD / preload, timing="none")
    assert (r.exit_code, r.stdout) == (0, "caught 3, ended 3\n"), r.stderr


def test_a_call_that_an_exception_left_is_over(run):
    trace = run("throws", "exception").trace
    assert own_launches(trace) == dict.fromkeys((100, 101, 102, 200, 201, 202), 0)
    assert products(trace) == {(m, m) for m in (1, 20, 21, 22)}


def test_a_call_that_a_longjmp_left_is_over_for_the_next_one(run):
    r = run("throws", "longjmp")
    assert r.exit_code == 0, r.stderr
    assert own_launches(r.trace) == dict.fromkeys((100, 101, 102), 0)
    assert products(r.trace) == {(m, m) for m in (1, 20, 21, 22)}


def test_a_thread_may_end_inside_of_a_call(run):
    r = run("throws", "exit")
    assert r.exit_code == 0, r.stderr
    assert products(r.trace) == {(1, 1), (20, 20)}
