# SPDX-License-Identifier: Apache-2.0
"""Generations of the suite's models on an H200: nothing unknown, every attention exact, phases, FLOPs.

FLOPs of Stable Diffusion are those that torch.utils.flop_counter gives; the other traces' are kept in
suite/*.facts, whose changes are to be read.
"""

import collections
import json
import pathlib

import pytest

HERE = pathlib.Path(__file__).parent
TRACES = sorted((HERE.parents[1] / "examples/study/traces").glob("*.ttt"))
MAX_UNKNOWN = 0.001
SD15_STEP_GFLOP = {"convolution": 887.89, "linear": 358.30 + 108.25, "attention": 252.10}  # batch 2
VAE_GFLOP = {"convolution": 2471.57, "linear": 2.15 + 6.44, "attention": 34.36}
WITH_FLOPS = ("attention", "convolution", "linear")


@pytest.fixture
def phases(ttitrace):
    def ask(trace):
        done = ttitrace("report", "--by", "phase", "--json", "--symbols", "none", trace)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def named(name):
    return next(path for path in TRACES if path.name == name)


def gflop(phase):
    return {row["name"]: row["flops"] / 1e9 for row in phase["operators"] if row["name"] in WITH_FLOPS}


def facts(report):
    """Text for people to read: phases with their launches and GFLOP, attention with its shapes."""
    lines, seen = [], collections.Counter()
    for phase in report["phases"]:
        work = ", ".join(f"{name} {flop:.2f}" for name, flop in sorted(gflop(phase).items()) if flop)
        seen[f"{phase['name']}: {phase['launches']} launches; GFLOP: {work}"] += 1
    # Most steps of a decoder are like no other: the first of each sort stand for all.
    lines += [f"{count:4} x {text}" for text, count in list(seen.items())[:12]]
    shapes = sorted(
        (row["role"], row["backend"], row["b"], row["h"], row["s_q"], row["s_k"], row["d"], row["calls"])
        for row in report["attention"]
        if row["calls"]
    )
    lines += [
        f"{calls:4} x {role} {backend} {b}x{h}x{q}x{d} k {k}"
        for role, backend, b, h, q, k, d, calls in shapes[:40]
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_a_generation_is_understood(phases, accept_or_compare, trace):
    report = phases(trace)
    assert report["coverage"]["complete"] and not report["losses"]
    whole = sum(row["time_ns"] for row in report["operators"])
    vague = sum(row["time_ns"] for row in report["operators"] if row["name"] in ("unknown", "other"))
    assert vague <= MAX_UNKNOWN * whole
    assert {row["exactness"] for row in report["attention"] if row["calls"]} == {"exact"}
    accept_or_compare(facts(report), HERE / "suite" / f"{trace.stem}.facts")


@pytest.mark.parametrize("setting", ["baseline", "flash"])
def test_flops_are_those_of_the_flop_counter(phases, setting):
    found = phases(named(f"stable_diffusion.{setting}.ttt"))["phases"]
    steps = [phase for phase in found if phase["name"] == "denoising step"]
    assert len(steps) == 4
    for step in steps:
        assert gflop(step) == pytest.approx(SD15_STEP_GFLOP, rel=0.001)
    assert gflop(next(phase for phase in found if phase["name"] == "VAE decode")) == pytest.approx(
        VAE_GFLOP, rel=0.001
    )


def test_attention_grows_with_each_token(ttitrace):
    """Parti: the keys of its own attention are one more for each of 1,024 tokens; text's are 128 always."""
    done = ttitrace("seqlen", "--json", "--symbols", "none", named("parti_4_layers.flash.ttt"))
    calls = [call for call in json.loads(done.stdout)["calls"] if call["s_q"] == 1]
    counts = collections.Counter(call["s_k"] for call in calls)
    assert counts.pop(128) == 4 * 1024 + 4
    assert counts == dict.fromkeys((n for n in range(1, 1025) if n != 128), 4)


def test_length_falls_and_rises_by_four(ttitrace):
    """Stable Diffusion's U, at each size; 4 is the ratio of neighbouring levels, 64 that of the ends."""
    for side in (256, 512, 768, 1024):
        trace = named(f"stable_diffusion_{side}.flash.ttt")
        done = ttitrace(
            "seqlen", "--json", "--symbols", "none", "--role", "self", "--phase", "denoising step:1..1", trace
        )
        top = (side // 8) ** 2
        want = (
            [top] * 2
            + [top // 4] * 2
            + [top // 16] * 2
            + [top // 64]
            + [top // 16] * 3
            + [top // 4] * 3
            + [top] * 3
        )
        answer = json.loads(done.stdout)
        assert [call["s_q"] for call in answer["calls"]] == want
        (role,) = [role for role in answer["roles"] if role["role"] == "self"]
        assert (role["level_ratio"], role["span"]) == (4, 64)
