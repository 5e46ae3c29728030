# SPDX-License-Identifier: Apache-2.0
"""ttitrace model: what PyTorch counts, what papers print, and what real traces measured."""

import csv
import io
import json
import pathlib

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"


def model(ttitrace, *arguments, code=0):
    done = ttitrace("model", "--json", *arguments)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def part(answer, name):
    return next(part for part in answer["parts"] if part["name"] == name)


def gflop(part, operator):
    return part["operators"][operator]["flops"] / 1e9


def one_image(name="sd15", *more):
    """A single image without guidance in one step."""
    return (name, "--set", "guidance=1", "--set", "steps=1", *more)


# --- Stable Diffusion 1.5: numbers that others have counted ------------------------------------------


def test_the_unet_is_what_flop_counter_counts_for_a_batch_of_two(ttitrace):
    """torch.utils.flop_counter, UNet2DConditionModel, 512 pixels: convolution, addmm and mm, attention."""
    unet = part(model(ttitrace, "sd15", "--set", "steps=1"), "denoising step")
    assert gflop(unet, "convolution") == pytest.approx(887.89, abs=0.005)
    assert gflop(unet, "linear") == pytest.approx(358.30 + 108.25, abs=0.01)
    assert gflop(unet, "attention") == pytest.approx(252.10, abs=0.005)


def test_the_unet_has_its_layers_and_its_weights(ttitrace):
    unet = part(model(ttitrace, *one_image()), "denoising step")
    calls = {name: row["calls"] for name, row in unet["operators"].items()}
    assert calls["convolution"] == 98
    assert calls["linear"] == 184
    assert calls["attention"] == 32
    assert calls["group_norm"] == 61
    assert calls["layer_norm"] == 48
    assert unet["weights"] == 859_520_964


def test_the_decoder_is_what_flop_counter_counts(ttitrace):
    decoder = part(model(ttitrace, *one_image()), "VAE decode")
    assert gflop(decoder, "convolution") == pytest.approx(2471.57, abs=0.005)
    assert gflop(decoder, "linear") == pytest.approx(2.15 + 6.44, abs=0.01)
    assert gflop(decoder, "attention") == pytest.approx(34.36, abs=0.005)
    assert decoder["operators"]["convolution"]["calls"] == 36
    assert decoder["operators"]["group_norm"]["calls"] == 30
    assert decoder["weights"] == 49_490_199


def test_sequence_lengths_go_down_and_up_again(ttitrace):
    layers = model(ttitrace, *one_image(), "--by", "layer")["layers"]
    lengths = [
        layer["queries"]
        for layer in layers
        if layer["kind"] == "attention" and layer["part"] == "denoising step"
    ]
    pairs = [4096] * 2 + [1024] * 2 + [256] * 2 + [64] + [256] * 3 + [1024] * 3 + [4096] * 3
    assert lengths == [length for length in pairs for _ in ("self", "cross")]


def test_similarity_matrices_are_those_of_the_formula(ttitrace):
    unet = part(model(ttitrace, *one_image()), "denoising step")
    sides = {64: 5, 32: 5, 16: 5, 8: 1}
    head = sum(n * 2 * side**2 * (side**2 + 77) for side, n in sides.items())
    assert head == 183_070_848
    assert unet["similarity"]["pass_head_bytes"] == head
    assert unet["similarity"]["pass_bytes"] == 8 * head
    assert unet["similarity"]["largest_bytes"] == 256 << 20


def test_image_size_gives_the_published_table(ttitrace):
    """GFLOP of convolution and attention; GiB that attention moves, written out and fused."""
    table = {
        256: (111.0, 8.6, 0.40, 0.036),
        512: (444.0, 126.1, 5.59, 0.133),
        768: (999.0, 628.1, 27.6, 0.29),
        1024: (1776.0, 1974.1, 86.3, 0.52),
        2048: (7104.1, 31415.5, 1369, 2.07),
    }
    for px, (convolution, attention, baseline, fused) in table.items():
        answer = model(ttitrace, *one_image(), "--set", f"px={px}")
        unet = part(answer, "denoising step")
        levels = [level for level in answer["levels"] if level["part"] == "denoising step"]
        assert gflop(unet, "convolution") == pytest.approx(convolution, rel=5e-4)
        assert gflop(unet, "attention") == pytest.approx(attention, rel=1e-2)
        assert sum(level["bytes_baseline"] for level in levels) / 2**30 == pytest.approx(baseline, rel=0.02)
        assert sum(level["bytes_fused"] for level in levels) / 2**30 == pytest.approx(fused, rel=0.03)


def test_capacity_counts_weights_once_and_steps_each(ttitrace):
    one, fifty = (model(ttitrace, "sd15", "--set", f"steps={steps}") for steps in (1, 50))
    assert one["weights"] == fifty["weights"]
    unet = part(fifty, "denoising step")
    assert unet["all"]["flops"] / unet["weight_bytes"] == pytest.approx(46_800, rel=0.005)


# --- LLaMA2 ------------------------------------------------------------------------------------------


def test_prefill_and_decode_of_llama2(ttitrace):
    """With all logits 6,765.7 GFLOP of linear layers, the last position's only 6,631.7; causal in full."""
    answer = model(ttitrace, "llama2", "--set", "logits=512", "--set", "tokens=2")
    prefill, decode = part(answer, "prefill"), part(answer, "decode step")
    assert gflop(prefill, "linear") == pytest.approx(6765.7, abs=0.1)
    assert gflop(prefill, "attention") == pytest.approx(2 * 68.7, abs=0.05)
    assert gflop(decode, "linear") == pytest.approx(13.2, abs=0.05)
    assert gflop(decode, "attention") == pytest.approx(0.27, abs=0.005)
    assert decode["all"]["traffic_intensity"] == pytest.approx(1.0, abs=0.02)
    assert prefill["weights"] == 6_738_415_616 and decode["weights"] == 0
    last = part(model(ttitrace, "llama2"), "prefill")
    assert gflop(last, "linear") == pytest.approx(6631.7, abs=0.1)


def test_the_cache_grows_by_a_token_a_step(ttitrace):
    token = 2 * 32 * 4096 * 2
    assert model(ttitrace, "llama2")["cache_bytes"] == (512 + 255) * token
    keys = [level for level in model(ttitrace, "llama2")["levels"] if level["part"] == "decode step"]
    assert [(level["keys"], level["keys_last"], level["calls"]) for level in keys] == [(513, 767, 255 * 32)]


# --- all presets -------------------------------------------------------------------------------------

# Numbers of the modules that PyTorch makes from the same configurations (sum of p.numel()).
WEIGHTS = {
    "llama2": {"prefill": 6_738_415_616},
    "sd15": {"text encoding": 123_060_480, "denoising step": 859_520_964, "VAE decode": 49_490_199},
    "sdxl": {"denoising step": 2_567_463_684},
    "deepfloyd-if": {
        "text encoding": 4_762_310_656,
        "denoising step": 4_304_695_110,
        "super-resolution step": 1_187_608_070,
    },
    "make-a-video": {"denoising step": 1_411_233_860},
    "amused": {"denoising step": 608_257_792},
    "sd3": {"denoising step": 2_028_328_000},
    "flux": {"denoising step": 11_901_408_320},
    "wan": {"denoising step": 1_418_996_800},
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_presets_have_the_weights_of_the_modules(ttitrace, name):
    answer = model(ttitrace, name)
    assert {key: part(answer, key)["weights"] for key in WEIGHTS[name]} == WEIGHTS[name]


# FLOPs of convolution, linear layers and attention of one generation, and how many attentions: what
# ttitrace roofline and seqlen say of traces of examples/suite on an H200, PyTorch 2.11, diffusers 0.42.1,
# transformers 5.17, for as many steps.
MEASURED = {
    "llama2": ("tokens=256", 0, 10001301208960, 223002755072, 8192),
    "imagen": ("steps=6", 28077811826688, 4919549362176, 905567010816, 213),
    "deepfloyd-if": ("steps=6", 48220820471808, 5370617561088, 925469442048, 258),
    "sd15": ("steps=4", 6023138115584, 1900950323200, 1043215032320, 153),
    "sdxl": ("steps=4", 22871171137536, 35087976759296, 6823459102720, 649),
    "muse": ("steps=6", 1823180062720, 35455592562688, 9918118363136, 752),
    "amused": ("steps=4", 2051327131648, 1636502339584, 67705380864, 248),
    "parti": ("tokens=1024", 0, 10614525132800, 561868963840, 73772),
    "make-a-video": ("steps=4", 28669376987136, 19287535517696, 1185179623424, 311),
    "phenaki": ("steps=4", 0, 36809362898944, 3904836993024, 248),
    "sd3": ("steps=4", 9894530908160, 53084183592960, 23743698903040, 233),
    "flux": ("steps=4", 9888088457216, 242838105227264, 60142645612544, 265),
    "wan": ("steps=2", 274121997926400, 337836317343744, 805090487697408, 309),
}


@pytest.mark.parametrize("name", MEASURED)
def test_presets_have_the_flops_that_were_measured(ttitrace, name):
    setting, *flops, attentions = MEASURED[name]
    operators = model(ttitrace, name, "--set", setting)["operators"]
    none = {"flops": 0}
    assert [operators.get(key, none)["flops"] for key in ("convolution", "linear", "attention")] == flops
    assert operators["attention"]["calls"] == attentions


def test_every_preset_is_listed_and_walks(ttitrace):
    rows = model(ttitrace, "--list")
    assert {row["preset"] for row in rows} >= set(WEIGHTS) | {"imagen", "muse", "parti", "phenaki"}
    for row in rows:
        answer = model(ttitrace, row["preset"])
        assert answer["all"]["flops"] > 1e12
        assert answer["all"]["flops"] == sum(part["all"]["flops"] for part in answer["parts"])


# --- against a run -----------------------------------------------------------------------------------


def test_a_trace_of_stable_diffusion_agrees_to_the_last_flop(ttitrace):
    (answer,) = model(ttitrace, "sd15", "--against", GOLDEN / "sd15.ttt")
    assert answer["agrees"] and answer["lengths"]["is_equal"]
    assert answer["parameters"]["px"] == 512 and answer["parameters"]["steps"] == 20
    assert {row["operator"] for row in answer["operators"]} == {"convolution", "linear", "attention"}
    for row in answer["operators"] + answer["phases"] + answer["levels"]:
        assert row["flops"] == row["flops_measured"] > 0
        assert row["calls"] == row["calls_measured"] > 0
        assert row["time_ns"] > 1e9 * row["seconds_min"] > 0
    assert answer["lengths"]["measured"] == 2 * 12 + 20 * 32 + 1


def test_a_trace_with_attention_written_out_agrees_as_well(ttitrace):
    (answer,) = model(ttitrace, "sd15", "--against", GOLDEN / "sd15_unfused.ttt")
    assert answer["agrees"] and answer["lengths"]["is_equal"]


def test_what_the_trace_cannot_say_is_set(ttitrace):
    """The trace is of four layers that are narrower inside."""
    trace = GOLDEN / "llama.ttt"
    (answer,) = model(ttitrace, "llama2", "--set", "layers=4", "--set", "inner=8960", "--against", trace)
    assert answer["parameters"]["prompt"] == 512 and answer["parameters"]["tokens"] == 8
    assert answer["agrees"]
    (wrong,) = model(ttitrace, "llama2", "--against", trace, code=1)
    assert not wrong["agrees"] and not wrong["lengths"]["is_equal"]
    assert wrong["lengths"]["first_different"] == 4


def test_the_exit_code_follows_the_tolerance(ttitrace):
    """One key more in 77: cross attention and what projects its keys differ by some percent."""
    trace = GOLDEN / "sd15.ttt"
    done = ttitrace("model", "sd15", "--set", "text=78", "--against", trace)
    assert done.returncode == 1
    assert "differ by more than 0.1%" in done.stdout and "number 1 is the first" in done.stdout
    (answer,) = model(ttitrace, "sd15", "--set", "text=78", "--tolerance", "5", "--against", trace, code=1)
    assert all(row["is_near"] for row in answer["operators"]) and not answer["agrees"]


def test_several_traces_are_runs_of_their_own(ttitrace):
    traces = [GOLDEN / "sd15.ttt", GOLDEN / "sd15_unfused.ttt"]
    answer = model(ttitrace, "sd15", "--against", *traces)
    assert [run["trace"] for run in answer] == list(map(str, traces))
    done = ttitrace("model", "sd15", "--csv", "--against", *traces)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["trace"] for row in rows} == set(map(str, traces))
    assert all(row["flops"] == row["flops_measured"] for row in rows)


# --- GPUs, sweeps ------------------------------------------------------------------------------------


def test_time_at_best_is_the_roofline_s(ttitrace):
    answer = model(ttitrace, "llama2", "--gpu", "H200", "--peak", "fp16=800", "--bandwidth", "4000")
    assert answer["gpu"]["fp16_flops_per_s"] == 800e12 and answer["gpu"]["bytes_per_s"] == 4e12
    for row in answer["levels"]:
        assert row["seconds_min"] == pytest.approx(max(row["flops"] / 800e12, row["bytes_min"] / 4e12), rel=1e-5)


def test_baseline_attention_costs_bytes_and_may_not_fit(ttitrace):
    sizes = ("sd15", "--set", "px=2048", "--gpu", "A100")
    fused, baseline = model(ttitrace, *sizes), model(ttitrace, *sizes, "--attention", "baseline")
    assert baseline["operators"]["attention"]["flops"] == fused["operators"]["attention"]["flops"]
    assert baseline["operators"]["attention"]["bytes_min"] > 100 * fused["operators"]["attention"]["bytes_min"]
    assert fused["gpu"]["fits"] and not fused["gpu"]["fits_baseline"]
    assert "baseline attention cannot run" in ttitrace("model", *sizes).stdout
    assert "cannot run" not in ttitrace("model", "sd15", "--gpu", "A100").stdout
    assert "does not fit" in ttitrace("model", "flux", "--gpu", "RTX 4090").stdout


def test_a_sweep_finds_where_attention_overtakes_convolution(ttitrace):
    """Of the UNet alone: with the decoder's convolutions it is somewhere else."""
    unet = one_image("sd15", "--part", "denoising")
    answer = model(ttitrace, *unet, "--sweep", "px=1024,256,512,2048")
    assert [point["x"] for point in answer["points"]] == [256, 512, 1024, 2048]
    at = answer["attention_exceeds_convolution"]
    assert 900 < at < 1024
    below, above = (
        model(ttitrace, *unet, "--set", f"px={64 * round(side / 64)}")["operators"] for side in (0.9 * at, 1.1 * at)
    )
    assert below["attention"]["flops"] < below["convolution"]["flops"]
    assert above["attention"]["flops"] > above["convolution"]["flops"]
    done = ttitrace("model", *unet, "--sweep", "px=256,512", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    convolution = [int(row["flops"]) for row in rows if row["operator"] == "convolution"]
    assert [row["px"] for row in rows if row["operator"] == "convolution"] == ["256", "512"]
    assert convolution[1] == 4 * convolution[0]


def test_frames_make_temporal_attention_grow_with_their_square(ttitrace):
    answers = [model(ttitrace, "make-a-video", "--set", f"frames={frames}") for frames in (16, 32)]
    temporal, spatial = (
        [sum(level["flops"] for level in answer["levels"] if is_one(level)) for answer in answers]
        for is_one in (lambda level: level["queries"] in (16, 32), lambda level: level["queries"] == 1024)
    )
    assert temporal[1] == pytest.approx(4 * temporal[0], rel=0.05)
    assert spatial[1] == 2 * spatial[0]


# --- one's own descriptions --------------------------------------------------------------------------


@pytest.fixture
def described(tmp_path):
    def write(layers, **more):
        path = tmp_path / "own.json"
        path.write_text(json.dumps({"parts": [{"layers": layers}], **more}))
        return path

    return write


LINEAR = {"linear": {"rows": 2, "in": 3, "out": "5"}}


def test_layers_have_the_flops_of_their_formulas(ttitrace, described):
    layers = [
        LINEAR,
        {"conv": {"batch": 2, "in": 8, "out": 16, "kernel": 3, "stride": 2, "padding": 1, "size": [9, 9]}},
        {"conv": {"batch": 1, "in": 8, "out": 8, "kernel": [3, 1, 1], "groups": 8, "size": [4, 5, 5]}},
        {"conv": {"batch": 1, "in": 8, "out": 4, "kernel": 2, "stride": 2, "padding": 0, "transposed": 1, "size": [5, 5]}},
        {"attention": {"batch": 2, "heads": 4, "kv_heads": 2, "q": 10, "k": 20, "size": 8, "value_size": 16}},
    ]
    rows = model(ttitrace, described(layers), "--by", "layer")["layers"]
    flops = [2 * 2 * 3 * 5, 2 * 2 * 16 * 25 * 8 * 9, 2 * 8 * 100 * 3, 2 * 8 * 25 * 4 * 4, 2 * 2 * 4 * 10 * 20 * 24]
    assert [row["flops"] for row in rows] == flops
    assert [row["weights"] for row in rows] == [3 * 5 + 5, 8 * 16 * 9 + 16, 8 * 3 + 8, 8 * 4 * 4 + 4, 0]
    assert rows[4]["bytes_min"] == 2 * 2 * (4 * 10 * 8 + 2 * 20 * (8 + 16) + 4 * 10 * 16)


def test_blocks_loops_conditions_and_names(ttitrace, described):
    layers = [
        {"repeat": "n", "as": "i", "name": "level", "layers": [
            {"let": {"c": "sizes[i]"}, "layers": [
                {"when": "i % 2 == 0", "layers": [{"use": "pair", "in": "c"}], "else": [LINEAR]},
            ]},
        ]},
    ]  # fmt: skip
    pair = {"arguments": {"in": None, "out": "2 * in"}, "layers": [{"linear": {"rows": 1, "in": "in", "out": "out"}}]}
    own = described(layers, parameters={"n": 3, "sizes": [1, 10, "n * 100"]}, blocks={"pair": pair})
    rows = model(ttitrace, own, "--by", "layer")["layers"]
    assert [(row["path"], row["flops"]) for row in rows] == [
        ("level[0]/pair/linear", 2 * 1 * 2),
        ("level[1]/linear", 60),
        ("level[2]/pair/linear", 2 * 300 * 600),
    ]
    assert len(model(ttitrace, own, "--by", "layer", "--set", "n=2")["layers"]) == 2


def test_what_is_held_is_in_memory_until_it_is_released(ttitrace, described):
    layers = [LINEAR, {"hold": 1000}, LINEAR, {"release": 1000}, LINEAR]
    assert model(ttitrace, described(layers))["activation_bytes"] == 2 * (1000 + 6 + 10)
    assert model(ttitrace, described([LINEAR]))["activation_bytes"] == 2 * (6 + 10)


def test_show_gives_a_description_that_is_the_same_model(ttitrace, tmp_path):
    shown = ttitrace("model", "sd15", "--show").stdout
    (tmp_path / "mine.json").write_text(shown)
    assert model(ttitrace, "mine.json")["all"] == model(ttitrace, "sd15")["all"]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([{"linear": {"rows": 2, "in": 3}}], '"out" is missing'),
        ([{"linear": {"rows": "2 +", "in": 3, "out": 5}}], "a number or a name is missing"),
        ([{"linear": {"rows": "unheard", "in": 3, "out": 5}}], "this name is not known"),
        ([{"linear": {"rows": "1 / 0", "in": 3, "out": 5}}], "division by zero"),
        ([{"linear": {"rows": -1, "in": 3, "out": 5}}], '"rows" is -1'),
        ([{"unheard": {}}], "a layer of no known kind"),
        ([{"use": "unheard"}], 'no block "unheard"'),
        ([{"repeat": 1e12, "layers": []}], "more than 4000000 layers"),
        ([{"conv": {"batch": 1, "in": 1, "out": 1, "kernel": 5, "padding": 0, "size": [3]}}], "window is larger"),
        ([{"attention": {"heads": 1, "q": 1, "size": 1, "role": "unheard"}}], 'no role "unheard"'),
        (17, '"layers" must be a list'),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(ttitrace, described, layers, message):
    done = ttitrace("model", described(layers))
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.count("\n") == 1 and message in done.stderr and "forward pass" in done.stderr


def test_passes_without_layers_end(ttitrace, tmp_path):
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"parts": [{"times": 1e15, "as": "i", "layers": []}]}))
    done = ttitrace("model", own, timeout=30)
    assert done.returncode == 2 and "more than 4000000 layers" in done.stderr


def test_blocks_that_use_themselves_end(ttitrace, described):
    twice = {"layers": [{"use": "twice"}, {"use": "twice"}]}
    done = ttitrace("model", described([{"use": "twice"}], blocks={"twice": twice}), timeout=30)
    assert done.returncode == 2 and "nested too deep" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("unheard",),
        ("sd15", "--set", "unheard=1"),
        ("sd15", "--set", "px"),
        ("sd15", "--gpu", "unheard"),
        ("sd15", "--by", "unheard"),
        ("sd15", "--sweep", "px=a"),
        ("sd15", "--sweep", "px="),
        ("sd15", "sd15"),
        ("sd15", "--tolerance", "-1", "--against", "t.ttt"),
        ("sd15", "--csv", "--json"),
    ],
)
def test_wrong_usage(ttitrace, arguments):
    done = ttitrace("model", *arguments)
    assert done.returncode == 2 and not done.stdout and done.stderr
