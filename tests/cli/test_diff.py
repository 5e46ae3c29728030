# SPDX-License-Identifier: Apache-2.0
"""ttitrace diff: two runs row by row, phase by phase; what is noise and what is not."""

import csv
import io
import json
import math
import pathlib
import re
import statistics

import pytest
from runs import attention, convolution, flash, plain, run
from test_places import KERNEL_NS, Text, call, function, pipeline

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/text"
REAL = pathlib.Path(__file__).resolve().parents[1] / "golden"
STEPS = 4


def step(is_flash=False, convolution_ns=50_000, attention_ns=None):
    shape = (2, 8, 4096, 40)
    tail = [plain("elementwise", 20_000)]
    if is_flash:
        return [convolution(convolution_ns, 2, 320, 64, 64), flash(attention_ns or 10_000, *shape), *tail]
    return [convolution(convolution_ns, 2, 320, 64, 64), attention(attention_ns or 70_000, *shape), *tail, plain("norm", 99)]


def model(is_flash=False, steps=STEPS, decode_ns=30_000, **options):
    phases = [("denoise", step(is_flash))] * steps + [("decode", [convolution(decode_ns, 1, 3, 512, 512)])]
    return run(phases, command="python\\x00generate.py\\x00", **options)


@pytest.fixture
def diff(ttitrace, mktrace):
    """diff(a, b, options) of two texts is the answer as JSON."""

    def run_diff(a, b, *options):
        done = ttitrace("diff", "--json", *options, mktrace(a, "a.ttt").name, mktrace(b, "b.ttt").name)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_diff


def by_name(rows):
    return {row["name"]: row for row in rows}


def test_operators_change_by_what_they_changed_by(diff):
    answer = diff(model(), model(True))
    rows = by_name(answer["operators"])
    assert rows["attention"]["a"]["time_ns"] == STEPS * 70_000
    assert rows["attention"]["b"]["time_ns"] == STEPS * 10_000
    assert rows["attention"]["change_ns"] == -STEPS * 60_000 and rows["attention"]["speed_up"] == 7
    assert rows["convolution"]["change_ns"] == 0 and rows["convolution"]["is_noise"]
    assert rows["group_norm"]["speed_up"] is None and rows["group_norm"]["b"]["launches"] == 0
    assert [row["name"] for row in answer["operators"]][0] == "attention"  # most change first
    assert answer["total"]["change_ns"] == sum(row["change_ns"] for row in answer["operators"])
    assert answer["warnings"] == []


def test_amdahl_explains_what_attention_gained(diff):
    answer = diff(model(), model(True))
    whole = STEPS * (50_000 + 70_000 + 20_000 + 99) + 30_000
    share = STEPS * 70_000 / whole
    assert answer["amdahl"]["attention_share"] == pytest.approx(share, rel=1e-5)
    assert answer["amdahl"]["attention_speed_up"] == 7
    assert answer["amdahl"]["expected_speed_up"] == pytest.approx(1 / (1 - share + share / 7), rel=1e-5)
    assert answer["amdahl"]["speed_up"] == pytest.approx(whole / (whole - STEPS * 60_099), rel=1e-5)


def test_attention_of_one_shape_is_one_row_whatever_computes_it(diff):
    (row,) = diff(model(), model(True))["attention"]
    assert row["name"] == "self 16 heads x 4096x40"
    assert (row["a"]["backend"], row["b"]["backend"]) == ("cudnn", "flash2")
    assert row["a"]["calls"] == row["b"]["calls"] == STEPS and row["speed_up"] == 7


def test_kernels_come_and_go(diff):
    rows = diff(model(), model(True))["kernels"]
    gone = [row for row in rows if row["b"]["launches"] == 0]
    new = [row for row in rows if row["a"]["launches"] == 0]
    assert sorted(row["name"].split("_knob")[0] for row in gone) == [
        "at::native::RowwiseMomentsCUDAKernel<c10::Half>", "cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16"
    ]  # fmt: skip
    assert len(new) == 1 and "flash_fwd_kernel" in new[0]["name"]


def test_a_run_with_itself_is_unchanged(diff, ttitrace):
    answer = diff(model(), model())
    assert answer["total"]["change_ns"] == 0
    assert all(row["change_ns"] == 0 and row["speed_up"] == 1 for row in answer["operators"] + answer["kernels"])
    text = ttitrace("diff", "a.ttt", "a.ttt").stdout
    assert "B is as fast as A" in text and "warning" not in text.lower()


def test_swapping_turns_changes_round(diff):
    there, back = diff(model(), model(True)), diff(model(True), model())
    assert by_name(there["operators"])["attention"]["change_ns"] == -by_name(back["operators"])["attention"]["change_ns"]


def test_runs_of_other_numbers_of_steps_are_compared_by_step(diff):
    answer = diff(model(), model(steps=3 * STEPS))
    assert answer["b_is_scaled"] and answer["total"]["change_ns"] == pytest.approx(0)
    (denoise,) = [phase for phase in answer["phases"] if phase["name"] == "denoise"]
    assert (denoise["a"]["count"], denoise["b"]["count"]) == (STEPS, 3 * STEPS)
    assert denoise["weight_of_b"] == pytest.approx(1 / 3, rel=1e-5)
    as_is = diff(model(), model(steps=3 * STEPS), "--as-is")
    assert not as_is["b_is_scaled"] and as_is["total"]["change_ns"] == 2 * STEPS * 140_099
    assert as_is["total"]["noise_ns"] is None and as_is["phases"] == []


def jittered(times):
    return run([("denoise", step(convolution_ns=ns)) for ns in times])


def test_noise_is_the_interval_of_welchs_test(diff):
    a, b = [50_000, 51_000, 49_000, 50_500, 49_700], [50_400, 52_000, 49_900, 51_000, 50_100]
    row = by_name(diff(jittered(a), jittered(b))["operators"])["convolution"]
    parts = [len(x) * statistics.variance(x) for x in (a, b)]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(a) - 1) for part in parts)
    assert 7 < freedom < 8  # t(7) 2.3646, t(8) 2.3060
    t = row["noise_ns"] / math.sqrt(sum(parts))
    assert 2.3060 < t < 2.3646
    assert row["change_ns"] == sum(b) - sum(a) and row["is_noise"] == (abs(row["change_ns"]) < row["noise_ns"])
    assert row["is_noise"]
    far = [ns + 4_000 for ns in b]
    assert not by_name(diff(jittered(a), jittered(far))["operators"])["convolution"]["is_noise"]


def test_what_ran_once_spreads_like_the_rest_of_its_row(diff):
    times = [40_000, 60_000, 50_000, 50_000]
    once = [("decode", [convolution(400_000, 1, 3, 512, 512)])]
    a = run([("denoise", step(convolution_ns=ns)) for ns in times] + once)
    row = by_name(diff(a, a)["operators"])["convolution"]
    variance = statistics.variance(times)
    total = 2 * (4 * variance + variance / statistics.mean(times) ** 2 * 400_000**2)
    assert row["noise_ns"] > 1.96 * math.sqrt(total)


def test_without_samples_nothing_is_known_of_noise(diff, ttitrace):
    answer = diff(model(steps=1), model(True, steps=1))
    assert answer["total"]["noise_ns"] is None and not answer["total"]["is_noise"]
    assert "Nothing ran more than once" in ttitrace("diff", "a.ttt", "b.ttt").stdout


def test_wall_and_busy_of_phases(diff):
    answer = diff(model(), model(True))
    (denoise, decode) = answer["phases"]
    assert denoise["name"] == "denoise" and decode["name"] == "decode"
    # Kernels are 1,000 ns apart: three gaps between four.
    assert denoise["a"]["busy_ns_median"] == 140_099 and denoise["a"]["wall_ns_median"] == 143_099
    assert denoise["b"]["busy_ns_median"] == 80_000 and denoise["b"]["wall_ns_median"] == 82_000


def test_phase_and_focus_cut_both_runs(diff):
    assert diff(model(), model(True), "--phase", "decode")["total"]["a"]["time_ns"] == 30_000
    answer = diff(str(pipeline()), str(pipeline()), "--focus", "DownBlock")
    assert answer["total"]["a"]["launches"] == 24


def test_by_phase(diff):
    rows = by_name(diff(model(), model(True), "--by", "phase")["by"]["rows"])
    assert rows["denoise"]["change_ns"] == -STEPS * 60_099 and rows["decode"]["change_ns"] == 0


def find(rows, *path):
    row = by_name(rows)[path[0]]
    return find(row["children"], *path[1:]) if len(path) > 1 else row


def test_modules_are_laid_on_each_other_by_their_place(diff):
    answer = diff(str(pipeline(3)), str(pipeline(6)), "--by", "module")
    place = ("main", "Pipeline", "UNet2DConditionModel", "DownBlock[1]", "Attention[0]", "Linear")
    row = find(answer["by"]["rows"], *place)
    assert row["a"]["launches"] == 6 and row["b"]["launches"] == 6  # by step
    assert row["change_ns"] == 0
    again = diff(str(pipeline(3)), str(pipeline(6)), "--by", "module", "--as-is")
    assert find(again["by"]["rows"], *place)["change_ns"] == 6 * KERNEL_NS


def test_models_of_two_programs_are_laid_on_each_other(diff, ttitrace):
    def loop(*callers):
        text = Text()
        for _ in range(3):
            top = [frame for caller in callers for frame in function(caller)]
            for layer in (1, 2):
                text.launch([*top, *call("UNet", 100), *call("Conv2d", 100 + layer)])
        return str(text)

    a, b = loop("main", "generate"), loop("bench", "<lambda>", "run")
    rows = diff(a, b, "--by", "module")["by"]["rows"]
    row = find(rows, "UNet", "Conv2d[1]")
    assert row["a"]["launches"] == row["b"]["launches"] == 3
    assert "the trees are compared from the first" in ttitrace("diff", "--by", "module", "a.ttt", "b.ttt").stdout


def test_instances_have_numbers_where_one_run_has_several(diff):
    def block(count):
        text = Text()
        for layer in range(count):
            text.launch([*call("Block", 1), *call("Linear", 10 + layer)], 3)
        return str(text)

    (block_row,) = diff(block(1), block(3), "--by", "module")["by"]["rows"]
    assert {row["name"]: row["speed_up"] for row in block_row["children"]} == {
        "Linear[0]": 1, "Linear[1]": None, "Linear[2]": None
    }  # fmt: skip


def test_different_gpus_and_work_are_told(diff):
    other = run([("denoise", [convolution(1, 4, 320, 64, 64)])], gpu="NVIDIA A100")
    warnings = diff(model(), other)["warnings"]
    assert "not the same GPU: NVIDIA H200 and NVIDIA A100" in warnings
    assert any(line.startswith("not the same work: convolution") for line in warnings)


def test_gpu_times_and_host_times_are_not_compared(ttitrace, mktrace):
    a, b = mktrace(model(), "a.ttt").name, mktrace(model(with_gpu_rows=False), "b.ttt").name
    for pair in ((a, b), (b, a)):
        done = ttitrace("diff", *pair)
        assert done.returncode == 1 and done.stdout == "" and "they cannot be compared" in done.stderr
    assert "times are the host's" in ttitrace("diff", b, b).stdout


@pytest.mark.parametrize("other", [run([]), run([("denoise", [plain("elementwise", 5)])] * 3)])
@pytest.mark.parametrize("view", [[], ["--json"], ["--csv"], ["--by", "module"], ["--by", "attention"], ["--by", "kernel"]])
def test_runs_with_little_in_them(ttitrace, mktrace, other, view):
    a, b = mktrace(model(), "a.ttt").name, mktrace(other, "b.ttt").name
    for pair in ((a, b), (b, a), (b, b)):
        done = ttitrace("diff", *view, *pair)
        assert done.returncode == 0 and not re.search(r"\bnan\b|\binf\b", done.stdout), done.stderr


@pytest.mark.parametrize("names, because", [([], "two runs"), (["a.ttt"], "two runs"), (["a.ttt"] * 3, "more than two runs")])
def test_two_runs_are_needed(ttitrace, mktrace, names, because):
    mktrace(model(), "a.ttt")
    done = ttitrace("diff", *names)
    assert done.returncode == 2 and because in done.stderr and done.stdout == ""


def test_a_directory_is_one_run(ttitrace, mktrace, tmp_path):
    for side in "ab":
        (tmp_path / side).mkdir()
        for process in range(2):
            mktrace(str(pipeline()), f"{side}/{process}.ttt")
    answer = json.loads(ttitrace("diff", "--json", "--by", "module", "a", "b").stdout)
    assert answer["a"]["processes"] == 2 and answer["total"]["change_ns"] == 0
    assert [row["name"] for row in answer["by"]["rows"]] == ["process 0", "process 1"]


def test_a_trace_that_is_none_is_an_error(ttitrace, mktrace, tmp_path):
    (tmp_path / "x.ttt").write_text("no trace at all, but longer than a header is\n")
    done = ttitrace("diff", mktrace(model(), "a.ttt").name, "x.ttt")
    assert done.returncode == 1 and "x.ttt: not a ttitrace trace" in done.stderr and done.stdout == ""


def test_csv_has_the_whole_and_its_rows(ttitrace, mktrace):
    a, b = mktrace(model(), "a.ttt").name, mktrace(model(True), "b.ttt").name
    rows = list(csv.DictReader(io.StringIO(ttitrace("diff", "--csv", a, b).stdout)))
    assert rows[0]["name"] == "all" and rows[0]["change_ns"] == str(-STEPS * 60_099)
    assert sum(int(row["a_ns"]) for row in rows[1:]) == int(rows[0]["a_ns"])
    mktrace(str(pipeline()), "m.ttt")
    names = [row["name"] for row in csv.DictReader(io.StringIO(ttitrace("diff", "--csv", "--by", "module", "m.ttt", "m.ttt").stdout))]
    assert "main / Pipeline / UNet2DConditionModel / DownBlock[1] / Attention[0] / Linear" in names


@pytest.mark.parametrize("axis", ["operator", "kind", "shape", "library-call", "evidence", "stream", "device", "process"])
def test_every_axis_adds_up_to_the_whole(diff, axis):
    answer = diff(model(), model(True), "--by", axis)
    assert answer["by"]["axis"] == axis
    assert sum(row["a"]["time_ns"] for row in answer["by"]["rows"]) == answer["total"]["a"]["time_ns"]


def test_the_text_is_as_expected(ttitrace, mktrace, accept_or_compare):
    names = [mktrace(model(), "a.ttt").name, mktrace(model(True), "b.ttt").name]
    accept_or_compare(ttitrace("diff", *names).stdout, GOLDEN / "model.diff")
    done = ttitrace("diff", "--ascii", "--by", "kernel", *names)
    assert not re.search(r"[^\x00-\x7f]", done.stdout)


def test_real_runs_before_and_after_fused_attention(ttitrace, accept_or_compare):
    pair = (REAL / "sd15_unfused.ttt", REAL / "sd15.ttt")
    done = ttitrace("diff", "--symbols", "none", *pair)
    assert done.returncode == 0
    accept_or_compare(done.stdout, REAL / "sd15_unfused.diff")
    done = ttitrace("diff", "--symbols", "none", "--by", "module", "--depth", "7", *pair)
    accept_or_compare(done.stdout, REAL / "sd15_unfused.diff.module")
