# SPDX-License-Identifier: Apache-2.0
"""ttitrace sweep: x is found in the traces, exponents come out as they were put in."""

import csv
import io
import json
import math
import pathlib
import re
import statistics

import pytest
from runs import attention, convolution, flash, plain, run

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/text"


@pytest.fixture
def series(mktrace):
    """series(make, values): a trace for each value, and their names."""

    def make_all(make, values, prefix="p"):
        return [mktrace(make(value), f"{prefix}{i}.ttt").name for i, value in enumerate(values)]

    return make_all


def sweep(ttitrace, *arguments):
    done = ttitrace("sweep", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows(answer, index=0):
    return {row["name"]: row for row in answer["series"][index]["rows"]}


def image(side, is_flash=False, noise_ns=0):
    """Convolution's time grows as side^2; attention's as side^4, or side^3 with flash attention."""
    tokens = side * side // 64
    self_attention = flash if is_flash else attention
    time = side**3 // 100 if is_flash else side**4 // 10000
    return run([(None, [
        convolution(40 * side**2 + noise_ns, 2, 320, side, side),
        self_attention(time, 2, 8, tokens, 40),
        attention(7 * side, 2, 8, tokens, 40, 77),
        plain("elementwise", 5 * side**2),
    ])])  # fmt: skip


SIDES = (256, 512, 768, 1024)


def test_image_size_is_found_and_exponents_are_exact(ttitrace, series):
    answer = sweep(ttitrace, *series(image, SIDES))
    assert answer["x"] == "image" and not answer["x_was_given"]
    assert [point["x"] for point in answer["series"][0]["points"]] == list(SIDES)
    found = rows(answer)
    for name, time, flops in (
        ("convolution", 2, 2), ("attention/self", 4, 4), ("attention/cross", 1, 2), ("elementwise", 2, None)
    ):  # fmt: skip
        assert found[name]["time"]["exponent"] == pytest.approx(time, abs=1e-3)
        assert found[name]["time"]["half_width_95"] < 1e-2
        assert found[name]["left_out"]["error"] == pytest.approx(0, abs=1e-3)
        assert (found[name]["flops"] or {}).get("exponent") == (pytest.approx(flops) if flops else None)
    assert found["all"]["time"]["exponent"] > 2


def test_the_order_of_traces_does_not_matter(ttitrace, series):
    names = series(image, SIDES)
    assert rows(sweep(ttitrace, *names)) == rows(sweep(ttitrace, *reversed(names)))


def test_an_interval_has_the_exponent_and_follows_the_residuals(ttitrace, series):
    times = {side: int(40 * side**2 * factor) for side, factor in zip(SIDES, (1.1, 0.9, 1.1, 0.9))}
    answer = sweep(ttitrace, *series(lambda side: image(side, noise_ns=times[side] - 40 * side**2), SIDES))
    found = rows(answer)["convolution"]
    x, y = ([math.log(value) for value in values] for values in (times, times.values()))
    line = statistics.linear_regression(x, y)
    residuals = [b - line.intercept - line.slope * a for a, b in zip(x, y)]
    squares = sum((a - statistics.mean(x)) ** 2 for a in x)
    width = 4.302653 * math.sqrt(sum(r * r for r in residuals) / 2 / squares)  # t of 2 degrees, 95%
    assert found["time"]["exponent"] == pytest.approx(line.slope, rel=1e-5)
    assert found["time"]["half_width_95"] == pytest.approx(width, rel=1e-5)
    assert found["time"]["worst_residual"] == pytest.approx(max(abs(math.expm1(r)) for r in residuals), rel=1e-5)
    rest = statistics.linear_regression(x[:-1], y[:-1])
    error = math.exp(rest.intercept + rest.slope * x[-1] - y[-1]) - 1
    assert found["left_out"]["error"] == pytest.approx(error, rel=1e-5)


def test_curves_meet_where_they_should(ttitrace, series):
    answer = sweep(ttitrace, *series(image, SIDES))
    by_flops = next(pair for pair in answer["series"][0]["pairs"] if pair["by"] == "flops")
    assert by_flops["of"] == "attention" and by_flops["to"] == "convolution" and by_flops["differ"]

    # Only self attention: side^4 / 10000 = 40 side^2 at 632.5; elsewhere it is extrapolated.
    def bare(side):
        return run([(None, [convolution(40 * side**2, 2, 320, side, side),
                            attention(side**4 // 10000, 2, 8, side * side // 64, 40)])])  # fmt: skip

    (pair,) = [p for p in sweep(ttitrace, *series(bare, SIDES))["series"][0]["pairs"] if p["by"] == "time"]
    assert pair["crossing"] == pytest.approx(632.5, rel=1e-3) and pair["is_measured_there"]
    (pair,) = [p for p in sweep(ttitrace, *series(bare, SIDES[2:]))["series"][0]["pairs"] if p["by"] == "time"]
    assert pair["crossing"] == pytest.approx(632.5, rel=1e-3) and not pair["is_measured_there"]


def video(frames, batch=1):
    """Spatial attention of all frames; temporal attention of every place; temporal convolutions."""
    side, inner = 32, 64
    return run([(None, [
        convolution(1000 * frames * batch, batch * frames, 64, side, side),
        convolution(500 * frames * batch, batch, 64, frames, side, side),
        attention(3000 * frames * batch, batch * frames, 5, side * side, inner),
        attention(100 * frames**2 * batch, batch * side * side, 5, frames, inner),
    ])])  # fmt: skip


def test_frames_are_found_where_batch_and_frames_are_one_dimension(ttitrace, series):
    answer = sweep(ttitrace, *series(video, (4, 8, 16)))
    assert answer["x"] == "frames"
    assert {point["found"]["batch"] for point in answer["series"][0]["points"]} == {1}
    found = rows(answer)
    assert found["attention/temporal"]["time"]["exponent"] == pytest.approx(2)
    assert found["attention/temporal"]["flops"]["exponent"] == pytest.approx(2)
    assert found["attention/self"]["flops"]["exponent"] == pytest.approx(1)
    # F* = SUM n C (HW)^2 / SUM n_t C HW: here HW.
    pairs = {(p["of"], p["by"]): p for p in answer["series"][0]["pairs"]}
    assert pairs["attention/temporal", "flops"]["crossing"] == pytest.approx(32 * 32)
    assert pairs["attention/temporal", "time"]["crossing"] == pytest.approx(30)


def test_batch_is_found(ttitrace, series):
    answer = sweep(ttitrace, *series(lambda batch: video(8, batch), (1, 2, 4)))
    assert answer["x"] == "batch" and rows(answer)["all"]["time"]["exponent"] == pytest.approx(1)


def language(tokens):
    return run([(None, [attention(tokens**2, 1, 32, tokens, 128), attention(tokens, 1, 32, 1, 128, tokens)])])


def test_tokens_are_found_where_there_is_no_image(ttitrace, series):
    answer = sweep(ttitrace, *series(language, (512, 1024, 2048)))
    assert answer["x"] == "tokens"
    assert rows(answer)["attention/decode"]["time"]["exponent"] == pytest.approx(1)


def test_several_things_that_vary_are_named_and_one_can_be_chosen(ttitrace, series):
    names = series(lambda frames: video(frames, frames // 2), (4, 8, 16))
    done = ttitrace("sweep", *names)
    assert done.returncode == 2 and done.stdout == ""
    assert "more than one thing varies: frames (4..16), batch (2..8); choose one with --x NAME" in done.stderr
    assert sweep(ttitrace, "--x", "batch", *names)["x"] == "batch"


def test_values_can_be_given(ttitrace, series):
    answer = sweep(ttitrace, "--x", "frames=3,6,12", *series(image, (256, 512, 1024)))
    assert answer["x_was_given"] and [p["x"] for p in answer["series"][0]["points"]] == [3, 6, 12]
    assert rows(answer)["convolution"]["time"]["exponent"] == pytest.approx(2)


@pytest.mark.parametrize(
    "values, because",
    [
        ("n=1,2,3,4", "more values than traces (3)"),
        ("n=1,2", "2 values for 3 traces"),
        ("n=1,x,3", "'x,3' is no number above 0"),
        ("n=1,,3", "is no number above 0"),
        ("n=0,1,2", "is no number above 0"),
        ("n=-1,1,2", "is no number above 0"),
        ("n=inf,1,2", "is no number above 0"),
        ("n=nan,1,2", "is no number above 0"),
        ("n=", "is no number above 0"),
        ("n=5", "n is the same in all traces (5)"),
        ("colour", "--x colour: not image, frames, batch"),
        ("frames", "does not say its frames"),
    ],
)
def test_values_that_make_no_sense_are_refused(ttitrace, series, values, because):
    done = ttitrace("sweep", "--x", values, *series(image, (256, 512, 1024)))
    assert done.returncode == 2 and done.stdout == "" and because in done.stderr


def test_series_by_name(ttitrace, series):
    before = series(image, (256, 512, 1024))
    after = series(lambda side: image(side, True), (256, 512, 1024), "q")
    answer = sweep(ttitrace, "--series", "baseline", *before, "--series", "flash", *after)
    assert [s["name"] for s in answer["series"]] == ["baseline", "flash"]
    assert rows(answer, 0)["attention/self"]["time"]["exponent"] == pytest.approx(4, abs=1e-3)
    assert rows(answer, 1)["attention/self"]["time"]["exponent"] == pytest.approx(3, abs=1e-3)
    given = sweep(ttitrace, "--x", "side=1,2,4", "--series", "a", *before, "--series", "b", *after)
    assert [p["x"] for s in given["series"] for p in s["points"]] == [1, 2, 4] * 2


def test_backends_at_one_place_are_series(ttitrace, series):
    names = series(image, SIDES[:2]) + series(lambda side: image(side, True), SIDES[:2], "q")
    assert [s["name"] for s in sweep(ttitrace, *names)["series"]] == ["cudnn", "flash2"]
    assert [s["name"] for s in sweep(ttitrace, "--group", "none", *names)["series"]] == [None]
    assert ttitrace("sweep", "--group", "colour", *names).returncode == 2


def steps(side, count):
    return run([("step", [convolution(40 * side**2, 2, 320, side, side)])] * count)


def test_runs_of_other_numbers_of_steps_are_compared_by_step(ttitrace, mktrace):
    names = [mktrace(steps(side, n), f"{side}.ttt").name for side, n in ((256, 2), (512, 4), (1024, 2))]
    answer = sweep(ttitrace, *names)
    assert answer["is_scaled"] and rows(answer)["convolution"]["time"]["exponent"] == pytest.approx(2)
    again = sweep(ttitrace, "--as-is", *names)
    assert rows(again)["convolution"]["points"][1]["time_ns"] == 2 * rows(answer)["convolution"]["points"][1]["time_ns"]


def test_a_directory_is_one_run(ttitrace, mktrace, tmp_path):
    for side in (256, 512):
        (tmp_path / str(side)).mkdir()
        for process in "ab":
            mktrace(image(side), f"{side}/{process}.ttt")
    answer = sweep(ttitrace, "256", "512")
    assert rows(answer)["convolution"]["points"][0]["time_ns"] == 2 * 40 * 256**2


def test_two_points_have_no_interval(ttitrace, series):
    fit = rows(sweep(ttitrace, *series(image, SIDES[:2])))["convolution"]
    assert fit["time"]["half_width_95"] is None and fit["left_out"] is None


def test_csv_has_all_rows_at_all_points(ttitrace, series):
    done = ttitrace("sweep", "--csv", *series(image, SIDES))
    assert done.returncode == 0
    table = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(table) == 4 * len({row["row"] for row in table})
    assert [int(r["time_ns"]) for r in table if r["row"] == "elementwise"] == [5 * side**2 for side in SIDES]
    assert all(abs(float(r["residual"])) < 1e-6 for r in table if r["row"] == "elementwise")


def test_one_run_is_no_sweep(ttitrace, series):
    for names in ([], series(image, [256])):
        done = ttitrace("sweep", *names)
        assert done.returncode == 2 and "a sweep is of two runs or more" in done.stderr


def test_the_same_run_twice_is_no_sweep(ttitrace, series):
    (name,) = series(image, [256])
    done = ttitrace("sweep", name, name)
    assert done.returncode == 2 and "nothing that was looked for varies" in done.stderr


def test_runs_without_attention_or_launches(ttitrace, series):
    answer = sweep(ttitrace, *series(lambda side: steps(side, 1), SIDES))
    assert "attention" not in rows(answer) and answer["series"][0]["pairs"] == []
    names = series(lambda n: run([]), (1, 2), "empty")
    done = ttitrace("sweep", "--x", "n=1,2", *names)
    assert done.returncode == 0, done.stderr
    assert rows(sweep(ttitrace, "--x", "n=1,2", *names))["all"]["time"] is None


def test_different_gpus_and_clocks_are_told(ttitrace, mktrace):
    other = run([(None, [convolution(99, 2, 320, 512, 512)])], gpu="NVIDIA A100", with_gpu_rows=False)
    names = [mktrace(image(256), "a.ttt").name, mktrace(other, "b.ttt").name]
    done = ttitrace("sweep", *names)
    assert "not the same GPU everywhere: NVIDIA H200 and NVIDIA A100" in done.stdout
    assert "b.ttt has no GPU times" in done.stdout


def test_a_trace_that_is_none_is_an_error(ttitrace, series, tmp_path):
    (tmp_path / "x.ttt").write_text("no trace at all, but longer than a header is\n")
    done = ttitrace("sweep", *series(image, [256]), "x.ttt")
    assert done.returncode == 1 and "x.ttt: not a ttitrace trace" in done.stderr and done.stdout == ""


def test_the_text_is_as_expected(ttitrace, series, accept_or_compare):
    names = series(image, SIDES) + series(lambda side: image(side, True), SIDES, "q")
    accept_or_compare(ttitrace("sweep", *names).stdout, GOLDEN / "image.sweep")
    done = ttitrace("sweep", "--ascii", *series(video, (4, 8, 16, 24, 32), "v"))
    accept_or_compare(done.stdout, GOLDEN / "frames.sweep.ascii")
    assert not re.search(r"[^\x00-\x7f]", done.stdout)
