# SPDX-License-Identifier: Apache-2.0
"""Traces of other profilers: hand-made ones that exercise each mapping, and damaged ones."""

import gzip
import json
import pathlib
import re
import sqlite3
import subprocess

import pytest

KERNEL = "void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>>(int, float)"
GEMM = "sm90_xmma_gemm_f16f16_f16f32_f32_tn_n_tilesize128x128x64"
CONVOLUTION = "sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nchw"
FLASH = "void flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128, 128, 4>>(flash::Flash_fwd_params)"
PID, TID = 4711, 4712


def span(category, name, begin, duration, tid=TID, pid=PID, **arguments):
    return {"ph": "X", "cat": category, "name": name, "pid": pid, "tid": tid, "ts": begin, "dur": duration, "args": arguments}


def launch(begin, correlation, name="cudaLaunchKernel", **more):
    return span("cuda_runtime", name, begin, 1, correlation=correlation, cbid=211, **more)


def kernel(begin, correlation, name=KERNEL, duration=10, **more):
    arguments = {
        "device": 0,
        "context": 1,
        "stream": 7,
        "correlation": correlation,
        "registers per thread": 32,
        "shared memory": 1024,
        "grid": [3, 2, 1],
        "block": [128, 1, 1],
    }
    return span("kernel", name, begin, duration, tid=7, pid=0, **{**arguments, **more})


def op(name, begin, duration, dims=None, types=None, strides=None, concrete=None):
    arguments = {"External id": 1, "Ev Idx": 1}
    for key, value in (("Input Dims", dims), ("Input type", types), ("Input Strides", strides), ("Concrete Inputs", concrete)):
        if value is not None:
            arguments[key] = value
    return span("cpu_op", name, begin, duration, **arguments)


HALF = "c10::Half"
DEVICE = {
    "id": 0,
    "name": "NVIDIA H200",
    "totalGlobalMem": 150109880320,
    "computeMajor": 9,
    "computeMinor": 0,
    "numSms": 132,
}


def document(events, **more):
    return {"schemaVersion": 1, "deviceProperties": [DEVICE], "cuda_driver_version": 13000, "traceEvents": events, **more}


@pytest.fixture
def imported(ttitrace, tmp_path):
    """imported(events, **top) is the path of the trace that they become."""

    def make(events, **top):
        (tmp_path / "t.json").write_text(json.dumps(document(events, **top)))
        done = ttitrace("import", "--force", "t.json")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return tmp_path / "t.ttt"

    return make


@pytest.fixture
def records(ttitrace, imported):
    """records(events, **top) is what the trace has: lines of dump without `block` and `codings`."""

    def make(events, **top):
        text = ttitrace("dump", imported(events, **top)).stdout
        return [line for line in text.splitlines() if not line.startswith(("trace", "block"))]

    return make


def fields(lines, record):
    """Of all records of a kind, their fields as a dictionary of texts."""
    return [
        dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)) for line in lines if line.startswith(record + " ")
    ]


def rows(lines, batch):
    """The rows of all batches of a kind, numbers."""
    found, inside = [], False
    for line in lines:
        if line.startswith("\t"):
            if inside:
                found.append([int(word) for word in line.split()])
        else:
            inside = line.startswith(batch + " ")
    return found


def report(ttitrace, path, *options):
    done = ttitrace("report", "--json", *options, path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- launches and devices -----------------------------------------------------------------------


def test_a_launch_and_its_kernel_are_joined(records, ttitrace, tmp_path):
    lines = records([kernel(110.25, 5), launch(100.125, 5)])
    (template,) = fields(lines, "template")
    assert template["op"] == "1"
    assert [template[key] for key in ("grid_x", "grid_y", "grid_z", "block_x")] == ["3", "2", "1", "128"]
    assert (template["shared_bytes"], template["stream"]) == ("1024", "7")
    (device,) = fields(lines, "device_template")
    assert (device["activity"], device["registers"], device["context"]) == ("1", "32", "1")
    strings = {row["id"]: row["text"] for row in fields(lines, "string")}
    assert strings[device["name"]] == strings[fields(lines, "kernel")[0]["name"]] == f'"{KERNEL}"'
    assert strings[template["api"]] == '"cudaLaunchKernel"'
    assert rows(lines, "host") == [[1, 1000, 100125, 5, 0, 0, 0]]
    assert rows(lines, "gpu") == [[1, 10000, 110250, 5, 0]]
    assert ttitrace("check", tmp_path / "t.ttt").returncode == 0


@pytest.mark.parametrize(
    "text,ns",
    [("0", 0), ("1.5", 1500), ("1428625731516.983", 1428625731516983), ("1712195495505543.2", 1712195495505543200),
     ("1.0009", 1001), ("1e3", 1000000), ('"7.25"', 7250)],
)  # fmt: skip
def test_times_are_exact(ttitrace, tmp_path, text, ns):
    body = json.dumps(document([kernel(0.5, 5), launch(123456, 5)]))
    (tmp_path / "t.json").write_text(body.replace("123456", text))
    assert ttitrace("import", "t.json").returncode == 0
    lines = ttitrace("dump", "t.ttt").stdout.splitlines()
    assert rows(lines, "host")[0][2] == ns


def test_who_was_traced_and_on_what(records):
    lines = records(
        [{"ph": "M", "name": "process_name", "pid": PID, "tid": 0, "ts": 1, "args": {"name": "python3"}}, kernel(9, 5), launch(8, 5)],
        distributedInfo={"backend": "nccl", "rank": 3, "pg_config": [{"ranks": [0, 1]}]},
        baseTimeNanoseconds=1700000000000000000,
    )
    (process,) = fields(lines, "process")
    assert (process["pid"], process["rank"], process["program"]) == (str(PID), '"3"', '"python3"')
    assert process["begin_realtime_ns"] == "1700000000000008000"
    (device,) = fields(lines, "device")
    assert (device["name"], device["multiprocessors"], device["compute_major"]) == ('"NVIDIA H200"', "132", "9")
    info = {row["key"]: row["value"] for row in fields(lines, "info")}
    assert info['"import.source"'] == '"torch.profiler"'
    assert info['"source.schemaVersion"'] == '"1"'
    assert fields(lines, "finish")[0]["reason"] == "5"


def test_copies_and_fills_say_what_they_moved(records):
    lines = records(
        [
            launch(1, 5, "cudaMemcpyAsync"),
            span("gpu_memcpy", "Memcpy HtoD (Pageable -> Device)", 3, 2, pid=0, stream=7, device=0, correlation=5, bytes=4096),
            launch(6, 6, "cudaMemsetAsync"),
            span("gpu_memset", "Memset (Device)", 8, 2, pid=0, stream=7, device=0, correlation=6, bytes=64),
            launch(11, 7, "cudaStreamSynchronize"),
            launch(12, 8, "cudaEventRecord"),
        ]
    )
    copy, fill = fields(lines, "device_template")
    assert [copy[key] for key in ("activity", "copy_kind", "source_memory", "target_memory", "bytes")] == ["2", "1", "1", "3", "4096"]
    assert (fill["activity"], fill["bytes"]) == ("3", "64")
    assert [row["op"] for row in fields(lines, "template")] == ["3", "4", "5"]


def test_a_driver_call_inside_a_runtime_call_is_no_second_launch(ttitrace, imported):
    inner = span("cuda_driver", "cuLaunchKernel", 100.2, 0.5, correlation=5, cbid=307)
    coverage = report(ttitrace, imported([inner, launch(100, 5), kernel(110, 5)]))["coverage"]
    assert (coverage["launches"], coverage["matched"]) == (1, 1)


def test_launches_of_hip_are_launches(ttitrace, imported):
    events = [launch(1, 5, "hipLaunchKernel"), launch(3, 6, "hipExtModuleLaunchKernel"), kernel(5, 5), kernel(20, 6)]
    assert report(ttitrace, imported(events))["coverage"]["matched"] == 2


def test_kernels_of_a_graph_are_nodes_of_its_launch(ttitrace, imported):
    events = [launch(1, 5, "cudaGraphLaunch"), kernel(5, 5), kernel(20, 5, GEMM), kernel(40, 5, GEMM, **{"graph node id": 77})]
    coverage = report(ttitrace, imported(events))["coverage"]
    assert (coverage["graph_launches"], coverage["node_records"], coverage["complete"]) == (1, 3, True)


def test_launches_while_a_stream_is_captured_run_nothing(ttitrace, imported):
    events = [
        launch(1, 2, "cudaStreamBeginCapture"),
        launch(3, 3),
        launch(5, 4, "cudaStreamEndCapture"),
        launch(7, 5),
        kernel(9, 5),
    ]
    coverage = report(ttitrace, imported(events))["coverage"]
    assert (coverage["captured"], coverage["launches"], coverage["complete"]) == (1, 1, True)


def test_events_of_several_threads_do_not_mix(records):
    events = [op("aten::relu", 0, 100), launch(10, 5), {**launch(20, 6), "tid": TID + 1}, kernel(30, 5), kernel(50, 6)]
    lines = records(events)
    assert sorted(row["stack"] for row in fields(lines, "template")) == ["0", "1"]
    assert {row["tid"] for row in fields(lines, "thread")} == {str(TID), str(TID + 1)}


# --- operations ---------------------------------------------------------------------------------


def test_operations_are_the_native_stack(records):
    lines = records([op("aten::linear", 0, 100), op("aten::addmm", 5, 50), launch(10, 5), launch(70, 6), kernel(90, 5), kernel(101, 6)])
    strings = {row["id"]: row["text"].strip('"') for row in fields(lines, "string")}
    symbols = {row["address"]: strings[row["name"]] for row in fields(lines, "symbol")}
    frames = {row["id"]: row for row in fields(lines, "frame")}
    inner, outer = (frames[row["stack"]] for row in fields(lines, "template"))
    assert [symbols[inner["address"]], symbols[outer["address"]]] == ["aten::addmm", "aten::linear"]
    assert frames[inner["parent"]] == outer and outer["parent"] == "0"


def test_an_operation_decides_what_a_kernel_is_for(ttitrace, imported):
    events = [op("aten::group_norm", 0, 100), op("aten::native_group_norm", 1, 50), launch(10, 5), kernel(30, 5)]
    (row,) = report(ttitrace, imported(events))["operators"]
    assert (row["name"], row["launches"]) == ("group_norm", 1)


def gemm_of(records, name, dims, strides=None, types=(HALF, HALF), concrete=None):
    lines = records([op(name, 0, 100, dims, list(types), strides, concrete), launch(10, 5), kernel(30, 5, GEMM)])
    gemms = fields(lines, "gemm")
    return {key: int(value) for key, value in gemms[0].items()} if gemms else None


def test_a_product_is_given_as_cublas_has_it(records):
    g = gemm_of(records, "aten::mm", [[2, 320], [320, 1280]], [[320, 1], [1, 320]])
    assert (g["m"], g["n"], g["k"], g["batch"]) == (1280, 2, 320, 1)
    assert (g["transpose_a"], g["transpose_b"], g["ld_a"], g["ld_b"], g["ld_d"]) == (1, 0, 320, 320, 1280)
    assert (g["type_a"], g["type_d"], g["epilogue"]) == (2, 2, 1)


def test_a_linear_layer_has_rows_of_all_its_batches(records):
    g = gemm_of(records, "aten::linear", [[2, 77, 768], [320, 768]])
    assert (g["m"], g["n"], g["k"], g["batch"], g["transpose_a"]) == (320, 154, 768, 1, 1)


def test_batched_and_biased_products(records):
    g = gemm_of(records, "aten::baddbmm", [[16, 64, 64], [16, 64, 40], [16, 40, 64]], types=(HALF,) * 3)
    assert (g["m"], g["n"], g["k"], g["batch"]) == (64, 64, 40, 16)
    g = gemm_of(records, "aten::addmm", [[320], [8, 16], [16, 320]], types=("float",) * 3)
    assert (g["m"], g["n"], g["k"], g["type_a"]) == (320, 8, 16, 0)


def test_a_product_of_8_bits_says_the_type_of_its_result(records):
    f8 = "c10::Float8_e4m3fn"
    dims, types = [[8, 16], [16, 32], [], [], [], [], []], [f8, f8, "float", "float", "", "", "Scalar"]
    g = gemm_of(records, "aten::_scaled_mm", dims, types=types, concrete=["", "", "", "", "", "", "15"])
    assert (g["type_a"], g["type_d"]) == (28, 14)


@pytest.mark.parametrize(
    "dims", [[[2, 320], [321, 8]], [[2, 320]], [[0, 320], [320, 8]], [[320], [320, 8]], [[2, 2**50], [2**50, 8]], []]
)
def test_what_is_no_product_has_no_problem(records, dims):
    assert gemm_of(records, "aten::mm", dims) is None


def convolution_of(records, name, dims, concrete):
    lines = records([op(name, 0, 100, dims, [HALF, HALF] + [""] * 7, None, concrete), launch(10, 5), kernel(30, 5, CONVOLUTION)])
    found = fields(lines, "convolution")
    return {key: json.loads(value) for key, value in found[0].items()} if found else None


def test_a_convolution_knows_its_result(records):
    c = convolution_of(
        records,
        "aten::cudnn_convolution",
        [[2, 320, 64, 64], [640, 320, 3, 3], [], [], [], []],
        ["", "", "[1, 1]", "[2, 2]", "[1, 1]", "1", "False", "False", "True"],
    )
    assert (c["x"], c["w"], c["y"]) == ([2, 320, 64, 64], [640, 320, 3, 3], [2, 640, 32, 32])
    assert (c["direction"], c["pads"], c["strides"], c["dilations"], c["type_x"]) == (0, [1, 1], [2, 2], [1, 1], 2)


def test_a_transposed_convolution_is_a_gradient(records):
    c = convolution_of(
        records,
        "aten::cudnn_convolution_transpose",
        [[1, 64, 16, 16], [64, 32, 4, 4], [], [], [], []],
        ["", "", "[1, 1]", "[0, 0]", "[2, 2]", "[1, 1]", "1"],
    )
    assert (c["direction"], c["x"], c["w"], c["y"]) == (1, [1, 32, 32, 32], [64, 32, 4, 4], [1, 64, 16, 16])


@pytest.mark.parametrize("concrete", [[], ["", "", "[1]", "[0, 0]", "[1, 1]"], ["", "", "same", "[1, 1]", "[1, 1]"], ["", "", "[-1, 1]", "[1, 1]", "[1, 1]"]])
def test_a_convolution_without_what_it_was_given_has_no_problem(records, concrete):
    assert convolution_of(records, "aten::cudnn_convolution", [[2, 320, 64, 64], [640, 320, 3, 3]], concrete) is None


def test_attention_has_the_shapes_of_the_outer_operation(ttitrace, imported):
    padded, plain = [[1, 77, 12, 72]] * 3, [[2, 12, 77, 64]] + [[2, 12, 99, 64]] * 2
    events = [
        op("aten::scaled_dot_product_attention", 0, 100, plain, [HALF] * 3, None, ["", "", "", "", "0.", "True"]),
        op("aten::_flash_attention_forward", 5, 80, padded, [HALF] * 3),
        launch(10, 5),
        kernel(30, 5, FLASH),
    ]
    (row,) = report(ttitrace, imported(events))["attention"]
    assert [row[key] for key in ("b", "h", "s_q", "s_k", "d", "causal")] == [2, 12, 77, 99, 64, True]
    assert (row["backend"], row["exactness"]) == ("flash2", "exact")


def test_flops_of_what_was_imported_are_known(ttitrace, imported):
    events = [op("aten::mm", 0, 100, [[2, 320], [320, 1280]], [HALF, HALF]), launch(10, 5), kernel(30, 5, GEMM)]
    done = ttitrace("roofline", "--json", imported(events))
    assert json.loads(done.stdout)["flops"] == 2 * 2 * 320 * 1280


# --- Python -------------------------------------------------------------------------------------


def function(name, begin, duration):
    return span("python_function", name, begin, duration, **{"Python id": 1, "Python parent id": None})


CALL = "torch/nn/modules/module.py(1773): _call_impl"
PYTHON = [
    function("run.py(12): main", 0, 1000),
    function("nn.Module: UNet_0", 10, 900),
    function(CALL, 11, 890),
    function("models/unet.py(30): forward", 12, 880),
    function("nn.Module: Conv2d_4", 20, 100),
    function(CALL, 21, 98),
    function("torch/nn/modules/conv.py(461): forward", 22, 90),
    function("torch/nn/modules/conv.py(440): _conv_forward", 23, 80),
    function("<built-in method conv2d of type object at 0x7f01>", 24, 70),
    launch(30, 5),
    kernel(200, 5),
    function("nn.Module: Conv2d_5", 220, 100),
    function(CALL, 221, 98),
    function("torch/nn/modules/conv.py(461): forward", 222, 90),
    launch(230, 6),
    kernel(400, 6),
]


def test_functions_and_modules_are_python_paths(records):
    lines = records(PYTHON)
    strings = {row["id"]: row["text"].strip('"') for row in fields(lines, "string")}
    codes = {row["id"]: row for row in fields(lines, "code")}
    frames = {row["id"]: row for row in fields(lines, "python_frame")}
    frame, path = frames[fields(lines, "template")[0]["path"]], []
    while frame:
        path.append((strings[codes[frame["code"]]["name"]], strings.get(frame["class"], "")))
        frame = frames.get(frame["parent"])
    assert path[::-1] == [
        ("main", ""),
        ("Module._wrapped_call_impl", "UNet"),
        ("_call_impl", "UNet"),
        ("forward", "UNet"),
        ("Module._wrapped_call_impl", "Conv2d"),
        ("_call_impl", "Conv2d"),
        ("forward", "Conv2d"),
        ("_conv_forward", ""),
    ]
    main = next(row for row in codes.values() if strings[row["name"]] == "main")
    assert (strings[main["file"]], main["line"]) == ("run.py", "12")


def test_modules_of_one_class_are_told_apart(ttitrace, imported):
    done = ttitrace("report", "--by", "module", imported(PYTHON))
    assert re.search(r"UNet\b", done.stdout)
    assert re.search(r"Conv2d\[0\]", done.stdout) and re.search(r"Conv2d\[1\]", done.stdout)


# --- ranges -------------------------------------------------------------------------------------


def annotated(name, begin, duration):
    return span("user_annotation", name, begin, duration, **{"External id": 1})


def test_annotations_are_ranges_and_phases(ttitrace, imported):
    events = [annotated("ProfilerStep#3", 0, 1000)]
    for i, name in enumerate(("encode", "step 0", "step 1", "decode")):
        events += [annotated(name, 10 + 100 * i, 90), launch(20 + 100 * i, i + 1), kernel(30 + 100 * i, i + 1)]
    path = imported(events)
    marks = fields(ttitrace("dump", path).stdout.splitlines(), "mark")
    assert [int(mark["time_ns"]) for mark in marks] == sorted(int(mark["time_ns"]) for mark in marks)
    assert [mark["kind"] for mark in marks] == ["1", *["1", "2"] * 4, "2"]
    assert {mark["domain"] for mark in marks if mark["text"] == '"ProfilerStep#3"'} == {'"torch"'}
    whole = report(ttitrace, path, "--by", "phase")
    assert [row["name"] for row in whole["phases"]] == ["encode", "step", "step", "decode"]


# --- what is lacking ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events,lacks",
    [
        ([kernel(5, 5)], "host calls, operations, shapes of operations, Python paths, kernel parameters"),
        ([launch(1, 5), kernel(5, 5), op("aten::relu", 0, 9)], "shapes of operations, Python paths, kernel parameters"),
        (PYTHON, "operations, shapes of operations, kernel parameters"),
    ],
)
def test_the_report_says_what_the_trace_lacks(ttitrace, imported, events, lacks):
    path = imported(events)
    text = ttitrace("report", path, env={"COLUMNS": "160"}).stdout
    assert "imported from torch.profiler, t.json" in text
    assert f"it has no {lacks}\n" in text
    assert report(ttitrace, path)["run"]["lacks"] == lacks


# --- there and back -----------------------------------------------------------------------------

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("name", ["triton", "cupy"])
def test_what_was_exported_comes_back(ttitrace, tmp_path, name):
    """The JSON that `export` writes as torch.profiler would: same launches, kinds, GPU times."""
    assert ttitrace("export", "--format", "chrome", "-o", "t.json", GOLDEN / f"{name}.ttt").returncode == 0
    assert ttitrace("import", "t.json").returncode == 0
    before, after = (report(ttitrace, "--symbols=none", path) for path in (GOLDEN / f"{name}.ttt", "t.ttt"))
    for key in ("launches", "matched", "kernel_records", "copy_records", "complete"):
        assert after["coverage"][key] == before["coverage"][key]
    assert after["gpu"]["kernel_ns"] == before["gpu"]["kernel_ns"]
    assert after["gpu"]["busy_ns"] == before["gpu"]["busy_ns"]
    # Demangled names lack the file of what is in no namespace: not so with PyTorch's gather.
    assert [(row["kind"], row["launches"]) for row in after["kinds"]] == [
        (row["kind"], row["launches"]) for row in before["kinds"]
    ]


# --- files --------------------------------------------------------------------------------------

SMALL = json.dumps(document([launch(1, 5), kernel(5, 5), launch(20, 6), kernel(30, 6)]))


def test_gzip_and_zstd_are_read(ttitrace, tmp_path):
    (tmp_path / "a.pt.trace.json.gz").write_bytes(gzip.compress(SMALL.encode()))
    packed = subprocess.run(["zstd", "-c"], input=SMALL.encode(), stdout=subprocess.PIPE, check=True).stdout
    (tmp_path / "b.json.zst").write_bytes(packed)
    (tmp_path / "c.json").write_text(SMALL)
    (tmp_path / "out").mkdir()
    done = ttitrace("import", "-o", "out", "a.pt.trace.json.gz", "b.json.zst", "c.json")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.ttt", "b.ttt", "c.ttt"]
    for name in "abc":
        assert report(ttitrace, f"out/{name}.ttt")["coverage"]["matched"] == 2


def test_a_list_of_events_is_a_trace_too(ttitrace, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps([launch(1, 5), kernel(5, 5)]))
    assert ttitrace("import", "t.json").returncode == 0
    assert report(ttitrace, "t.ttt")["coverage"]["matched"] == 1


def test_what_ends_early_is_imported_as_far_as_it_is_whole(ttitrace, tmp_path):
    cut = SMALL.index('"ts": 30') + 3
    (tmp_path / "t.json").write_text(SMALL[:cut])
    done = ttitrace("import", "t.json")
    assert done.returncode == 1
    assert done.stderr == f"ttitrace import: t.json: it ends too early at byte {cut}: what stands before it is imported\n"
    text = ttitrace("report", "t.ttt").stdout
    assert "2 launches, 1 matched" in text and "ended without finish" in text


@pytest.mark.parametrize("pack", [gzip.compress, lambda b: subprocess.run(["zstd", "-c"], input=b, stdout=subprocess.PIPE, check=True).stdout])
def test_compressed_data_that_end_early_too(ttitrace, tmp_path, pack):
    events = [event for i in range(20000) for event in (launch(40 * i, i + 1), kernel(40 * i + 9, i + 1, stream=i * i % 97))]
    packed = pack(json.dumps(document(events)).encode())
    (tmp_path / "t.json.x").write_bytes(packed[: len(packed) // 2])
    done = ttitrace("import", "-o", "t.ttt", "t.json.x")
    assert done.returncode == 1
    assert "the compressed data end early, or are damaged at byte" in done.stderr
    assert report(ttitrace, "t.ttt")["coverage"]["launches"] > 100


def test_a_place_that_is_no_json_is_told(ttitrace, tmp_path):
    (tmp_path / "t.json").write_text(SMALL.replace('"dur": 10, "args"', '"dur": nan, "args"'))
    done = ttitrace("import", "t.json")
    assert done.returncode == 1
    assert re.fullmatch(r"ttitrace import: t.json: lexical error: .* at byte \d+, and no GPU activity before it\n", done.stderr)
    assert not (tmp_path / "t.ttt").exists()


@pytest.mark.parametrize(
    "content,why",
    [
        (b"", "neither JSON of torch.profiler nor SQLite of Nsight Systems"),
        (b"hello", "neither JSON of torch.profiler nor SQLite of Nsight Systems"),
        (b"{}", "no GPU activity in it"),
        (b'{"traceEvents": []}', "no GPU activity in it"),
        (b"[" * 100000, "it nests too deeply at byte 65, and no GPU activity before it"),
        (b'{"a": "' + b"x" * (20 << 20), "one value has 16 MiB at byte"),
        (b"SQLite format 3\0" + b"\0" * 100, "file is not a database"),
    ],
    ids=["empty", "text", "object", "no events", "nested", "long", "no database"],
)
def test_what_is_no_trace_is_refused_in_one_line(ttitrace, tmp_path, content, why):
    (tmp_path / "t.json").write_bytes(content)
    done = ttitrace("import", "t.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ttitrace import: t.json: ") and why in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "t.ttt").exists()


def test_a_trace_of_ours_is_no_foreign_one(ttitrace, mktrace):
    done = ttitrace("import", mktrace("process pid=1\n"))
    assert done.returncode == 1 and "it is a trace of ttitrace already" in done.stderr


def test_nothing_is_replaced_unasked(ttitrace, tmp_path):
    (tmp_path / "t.json").write_text(SMALL)
    (tmp_path / "t.ttt").write_text("precious")
    done = ttitrace("import", "t.json")
    assert done.returncode == 1 and "it is there already" in done.stderr
    assert (tmp_path / "t.ttt").read_text() == "precious"
    assert ttitrace("import", "--force", "t.json").returncode == 0


@pytest.mark.parametrize("words", [[], ["--format=perf", "t.json"]])
def test_wrong_usage(ttitrace, words):
    assert ttitrace("import", *words).returncode == 2


# --- Nsight Systems -----------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, end INTEGER, eventClass INTEGER, globalTid INTEGER,
    correlationId INTEGER, nameId INTEGER, returnValue INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, deviceId INTEGER, contextId INTEGER,
    streamId INTEGER, correlationId INTEGER, globalPid INTEGER, demangledName INTEGER, shortName INTEGER,
    registersPerThread INTEGER, gridX INTEGER, gridY INTEGER, gridZ INTEGER, blockX INTEGER, blockY INTEGER,
    blockZ INTEGER, staticSharedMemory INTEGER, dynamicSharedMemory INTEGER, localMemoryPerThread INTEGER,
    graphNodeId INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INTEGER, end INTEGER, deviceId INTEGER, contextId INTEGER,
    streamId INTEGER, correlationId INTEGER, globalPid INTEGER, bytes INTEGER, copyKind INTEGER, srcKind INTEGER,
    dstKind INTEGER);
CREATE TABLE NVTX_EVENTS (start INTEGER, end INTEGER, eventType INTEGER, text TEXT, textId INTEGER, globalTid INTEGER,
    domainId INTEGER);
INSERT INTO NVTX_EVENTS VALUES (0, NULL, 75, 'NCCL', NULL, 0, 2);
CREATE TABLE TARGET_INFO_GPU (id INTEGER, name TEXT, clockRate INTEGER, smCount INTEGER, cuDevice INTEGER,
    totalMemory INTEGER, computeMajor INTEGER, computeMinor INTEGER);
CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER);
CREATE TABLE META_DATA_EXPORT (name TEXT, value TEXT);
CREATE TABLE PROCESSES (globalPid INTEGER, pid INTEGER, name TEXT);
INSERT INTO StringIds VALUES (1, 'cudaLaunchKernel_v7000'), (2, 'void softmax_warp_forward<float>(float*)'),
    (3, 'cudaMemcpyAsync_v3020'), (4, 'cudaGraphLaunch_v10000'), (5, 'aten::softmax');
INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA A100-SXM4-80GB', 1410000000, 108, 0, 84990623744, 8, 0);
INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (1696392839587175550);
INSERT INTO META_DATA_EXPORT VALUES ('EXPORT_PRODUCT_VERSION', '2024.5.1.113');
"""
HOST = 1 << 48  # what stands above the process in a serialised id


def add_process(db, pid, correlation=9):
    process, thread = HOST | pid << 24, HOST | pid << 24 | (pid + 1)
    db.execute("INSERT INTO PROCESSES VALUES (?, ?, ?)", (process, pid, f"python{pid}"))
    for name, begin, plus in ((1, 1000, 0), (3, 2000, 1), (4, 3000, 2)):
        db.execute(
            "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?, ?, 0, ?, ?, ?, 0)",
            (begin, begin + 100, thread, correlation + plus, name),
        )
    for begin, plus, node in ((1500, 0, None), (3500, 2, 33), (3800, 2, 34)):
        db.execute(
            "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (?, ?, 0, 1, 7, ?, ?, 2, 2, 40, 5, 1, 1, 64, 1, 1, 16, 32, 8, ?)",
            (begin, begin + 200, correlation + plus, process, node),
        )
    db.execute(
        "INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (2200, 2300, 0, 1, 7, ?, ?, 512, 2, 2, 0)",
        (correlation + 1, process),
    )
    db.execute("INSERT INTO NVTX_EVENTS VALUES (900, 1200, 59, 'aten::softmax, seq = 4, sizes = [[2, 2]]', NULL, ?, 0)", (thread,))
    for begin, name, domain in ((800, "work", 0), (850, "ncclAllReduce", 2)):
        db.execute("INSERT INTO NVTX_EVENTS VALUES (?, ?, 59, ?, NULL, ?, ?)", (begin, 4000 - begin, name, thread, domain))


@pytest.fixture
def nsys(tmp_path):
    def make(*pids, extra=""):
        db = sqlite3.connect(tmp_path / "n.sqlite")
        db.executescript(SCHEMA + extra)
        for pid in pids:
            add_process(db, pid)
        db.commit()
        db.close()
        return tmp_path / "n.sqlite"

    return make


def test_an_export_of_nsight_systems_becomes_a_trace(ttitrace, nsys):
    done = ttitrace("import", nsys(77))
    assert (done.returncode, done.stderr) == (0, "")
    lines = ttitrace("dump", "n.ttt").stdout.splitlines()
    assert [row["op"] for row in fields(lines, "template")] == ["1", "3", "2"]
    softmax = fields(lines, "device_template")[0]
    assert [softmax[key] for key in ("static_shared_bytes", "dynamic_shared_bytes", "registers", "local_bytes")] == ["16", "32", "40", "8"]
    copy = next(row for row in fields(lines, "device_template") if row["activity"] == "2")
    assert [copy[key] for key in ("copy_kind", "source_memory", "target_memory")] == ["2", "3", "1"]
    (process,) = fields(lines, "process")
    assert (process["pid"], process["program"]) == ("77", '"python77"')
    assert process["begin_realtime_ns"] == str(1696392839587175550 + 1000)
    pushed = [(row["text"], row["domain"]) for row in fields(lines, "mark") if row["kind"] == "1"]
    assert pushed == [('"work"', '""'), ('"ncclAllReduce"', '"NCCL"')]
    whole = report(ttitrace, "n.ttt")
    assert whole["coverage"]["complete"] and whole["coverage"]["node_records"] == 2
    assert whole["run"]["imported_from"] == "Nsight Systems"
    assert "softmax" in {row["name"] for row in whole["operators"]}


def test_each_process_of_an_export_is_a_trace(ttitrace, nsys, tmp_path):
    assert ttitrace("import", nsys(77, 78)).returncode == 0
    assert sorted(path.name for path in tmp_path.glob("*.ttt")) == ["n.77.ttt", "n.78.ttt"]
    assert report(ttitrace, "n.77.ttt", "n.78.ttt")["coverage"]["matched"] == 2


def test_a_view_is_no_table_of_an_export(ttitrace, tmp_path):
    db = sqlite3.connect(tmp_path / "n.sqlite")
    db.executescript(
        "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT x AS start, x AS end, x AS globalPid FROM c"
    )
    db.close()
    done = ttitrace("import", "n.sqlite", timeout=10)
    assert (done.returncode, done.stderr) == (1, "ttitrace import: n.sqlite: no GPU activity in it\n")


def test_a_torn_database_is_refused(ttitrace, nsys, tmp_path):
    path = nsys(77)
    path.write_bytes(path.read_bytes()[:9000])
    done = ttitrace("import", path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert not (tmp_path / "n.ttt").exists()
