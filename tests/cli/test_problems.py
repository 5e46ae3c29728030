# SPDX-License-Identifier: Apache-2.0
"""report, roofline and seqlen on a trace with library calls and parameters: exact output."""

import csv
import io
import json
import pathlib

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/text"
DIFFUSION = (GOLDEN / "diffusion.txt").read_text()


def as_json(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def operators(report):
    return {row["name"]: row["launches"] for row in report["operators"]}


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("diffusion.report", ["report"]),
        ("diffusion.report.call", ["report", "--by", "library-call"]),
        ("diffusion.report.attention", ["report", "--by", "attention"]),
        ("diffusion.report.evidence", ["report", "--by", "evidence"]),
        ("diffusion.roofline", ["roofline"]),
        ("diffusion.roofline.call", ["roofline", "--by", "library-call"]),
        ("diffusion.roofline.json", ["roofline", "--json"]),
        ("diffusion.seqlen", ["seqlen"]),
        ("diffusion.seqlen.csv", ["seqlen", "--csv"]),
        ("diffusion.seqlen.json", ["seqlen", "--json", "--role", "cross"]),
    ],
)
def test_the_output_is_as_expected(accept_or_compare, ttitrace, mktrace, name, arguments):
    done = ttitrace(*arguments, mktrace(DIFFUSION).name)
    assert done.returncode == 0
    assert done.stderr == ""
    accept_or_compare(done.stdout, GOLDEN / name)


def test_flops_count_each_call_once(ttitrace, mktrace):
    """Two steps and a replayed graph: six convolutions of four kernels, six linear layers ..."""
    rows = {r["name"]: r for r in as_json(ttitrace("roofline", "--json", mktrace(DIFFUSION)))["rows"]}
    assert rows["convolution"]["calls"] == 6
    assert rows["convolution"]["flops"] == 6 * 2 * 2 * 320 * 64 * 64 * 4 * 9
    assert rows["linear"]["flops"] == 6 * 2 * 320 * 8192 * 320
    math = 4 * 16 * 256 * 256 * 64
    flash = 4 * 2 * 8 * (4096**2 + 1024**2) * 40
    cudnn = 4 * 2 * 8 * 1024 * 77 * 80
    assert rows["attention"]["flops"] == 3 * (math + flash + cudnn)


def test_every_attention_is_listed_in_order(ttitrace, mktrace):
    rows = list(csv.DictReader(io.StringIO(ttitrace("seqlen", "--csv", mktrace(DIFFUSION)).stdout)))
    step = [("256", "256"), ("4096", "4096"), ("1024", "1024"), ("1024", "77")]
    assert [(r["s_q"], r["s_k"]) for r in rows] == 3 * step
    assert {r["exactness"] for r in rows} == {"exact"}


def test_products_whose_shapes_do_not_fit_are_no_attention(ttitrace, mktrace):
    other = DIFFUSION.replace("gemm id=4 api=3 m=64 n=256 k=256", "gemm id=4 api=3 m=64 n=256 k=128")
    report = as_json(ttitrace("report", "--json", mktrace(other)))
    assert operators(report)["softmax"] == 3
    assert operators(report)["linear"] == 12


def test_a_softmax_of_other_rows_is_no_attention(ttitrace, mktrace):
    rows = r"\x00\x10\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"
    assert DIFFUSION.count(rows) == 1
    other = DIFFUSION.replace(rows, rows.replace(r"\x10", r"\x20", 1))
    assert operators(as_json(ttitrace("report", "--json", mktrace(other))))["softmax"] == 3


def test_a_softmax_in_pieces_is_one(ttitrace, mktrace):
    """PyTorch cuts one of more than 2^30 elements; what the graph replays has half of the rows."""
    rows = r"\x00\x10\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"
    pieces = DIFFUSION.replace(rows, rows.replace(r"\x10", r"\x08", 1))
    for host, gpu in (("6000 110", "74000 110"), ("14000 126", "231100 126")):
        begin, number = map(int, host.split())
        begin_gpu = int(gpu.split()[0]) + 3000
        pieces = pieces.replace(f"\t7 100 {host} 0 0 1\n", f"\t7 100 {host} 0 0 1\n\t7 100 {begin + 200} {number + 900} 0 0 1\n")
        pieces = pieces.replace(f"\t7 6000 {gpu}\n", f"\t7 3000 {gpu}\n\t7 3000 {begin_gpu} {number + 900}\n")
    whole, report = (as_json(ttitrace("report", "--json", mktrace(text))) for text in (DIFFUSION, pieces))
    assert operators(report)["softmax"] == 1
    calls, times = (
        [sum(row[key] for row in answer["attention"] if row.get("backend") == "math") for answer in (whole, report)]
        for key in ("calls", "time_ns")
    )
    assert calls == [3, 2]
    assert times[0] * 2 == times[1] * 3  # all pieces count


def test_without_calls_and_parameters_names_and_order_do_what_they_can(ttitrace, mktrace):
    drop = ("convolution ", "gemm ", "sdpa ", "parameters ")
    lines = [line for line in DIFFUSION.splitlines() if not line.startswith(drop)]
    names_only = "\n".join(lines).replace(" call=", " cluster_x=") + "\n"
    names_only = names_only.replace("parameters=[", "ptx_version=1 parameters=[")
    report = as_json(ttitrace("report", "--json", mktrace(names_only)))
    full = as_json(ttitrace("report", "--json", mktrace(DIFFUSION, "full.ttt")))
    assert operators(report) == operators(full)
    assert report["evidence"]["library_calls"] is False
    assert all(row["exactness"] == "unknown" for row in report["attention"] if "exactness" in row)


def test_sources_that_contradict_each_other_are_told(ttitrace, mktrace):
    """A fused attention kernel inside a call that says it is a convolution."""
    other = DIFFUSION.replace("template id=9 op=1 kernel=17", "template id=9 call=1 op=1 kernel=17")
    path = mktrace(other)
    assert as_json(ttitrace("report", "--json", path))["evidence"]["conflicts"] == 4
    text = ttitrace("check", path).stdout
    assert "Conflicts 4 launches" in text
    assert "convolution by call, against parameters" in text


def test_peaks_can_be_given(ttitrace, mktrace):
    path = mktrace(DIFFUSION)
    done = ttitrace("roofline", "--peak", "fp16=780", "--bandwidth", "4300", path)
    assert "780 TFLOP/s fp16" in done.stdout and "4.30 TB/s (partly given)" in done.stdout
    unknown = mktrace(DIFFUSION.replace("NVIDIA H200", "Unheard-of 1"), "u.ttt")
    assert "peaks not known" in ttitrace("roofline", unknown).stdout
    for wrong in (["--peak", "fp16"], ["--bandwidth", "fast"], ["--by", "moon"]):
        assert ttitrace("roofline", *wrong, path).returncode == 2
    assert ttitrace("seqlen", "--role", "moon", path).returncode == 2


def test_symbols_must_be_lines_of_address_and_symbol(ttitrace, mktrace, tmp_path):
    (tmp_path / "symbols").write_text("# fine\n10\t_ZN2at4_ops6conv2d4callE\nnonsense\n")
    done = ttitrace("report", "--symbols", "symbols", mktrace(DIFFUSION))
    assert done.returncode == 2
    assert "symbols:3: expected address TAB symbol" in done.stderr
    assert ttitrace("report", "--symbols", "nowhere", mktrace(DIFFUSION)).returncode == 2


@pytest.mark.parametrize("axis", ["module", "phase"])
def test_roofline_by_place_adds_up(ttitrace, axis):
    trace = pathlib.Path(__file__).resolve().parents[1] / "golden/llama.ttt"
    done = ttitrace("roofline", "--json", "--symbols", "none", "--by", axis, trace)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["axis"] == axis
    for key in ("time_ns", "flops", "bytes_min"):
        assert sum(row[key] for row in answer["rows"]) == answer[key]
    if axis == "module":
        text = ttitrace("roofline", "--symbols", "none", "--by", axis, "--depth", "1", trace).stdout
        assert "LlamaForCausalLM" in text and "LlamaModel" not in text


def seqlen_by(ttitrace, *arguments):
    trace = pathlib.Path(__file__).resolve().parents[1] / "golden/sd15.ttt"
    done = ttitrace("seqlen", "--json", "--symbols", "none", *arguments, trace)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["by"]


def test_seqlen_by_phase(ttitrace):
    rows = {row["name"]: row for row in seqlen_by(ttitrace, "--by", "phase")["rows"]}
    assert {name: row["calls"] for name, row in rows.items()} == {"text encoding": 24, "denoising step": 640, "VAE decode": 1}
    assert rows["denoising step"]["level_ratio"] == 4 and rows["denoising step"]["span"] == 64


def test_seqlen_by_module_has_the_u_of_a_unet(ttitrace):
    rows = seqlen_by(ttitrace, "--by", "module", "--depth", "5")["rows"]
    unet = [row for row in rows if "UNet2DConditionModel" in row["name"]]
    assert [row["longest"] for row in unet] == [4096, 1024, 256, 64, 256, 1024, 4096]
    deep = seqlen_by(ttitrace, "--by", "module")["rows"]
    assert len(deep) > len(rows) and sum(r["calls"] for r in deep) == sum(r["calls"] for r in rows) == 665


def test_seqlen_by_what_there_is_not(ttitrace):
    assert ttitrace("seqlen", "--by", "colour").returncode == 2
