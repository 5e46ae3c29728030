# SPDX-License-Identifier: Apache-2.0
"""Modules and phases: report --by module, --by phase, and what --focus and --phase leave."""

import json
import pathlib
import re

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/text"
CALLS = ("Module._wrapped_call_impl", "Module._call_impl")
TORCH = "/x/site-packages/torch/nn/modules/module.py"
KERNELS = ("_Z4convv", "_Z4normv", "sm90_xmma_gemm_f16f16_f16f32_f32_tn_n")
LAUNCH_NS, KERNEL_NS = 100, 60


def call(class_name, self, function="forward"):
    """Frames of a call of a module."""
    frames = [(name, TORCH, 1, class_name, self) for name in CALLS]
    return [*frames, (f"{class_name}.{function}", "model.py", 7, class_name, self)]


def function(name, line=1, class_name=None, self=0):
    return [(name, "app.py", line, class_name, self)]


class Text:
    """A trace as text: one launch after the other, each with a Python path."""

    def __init__(self):
        self.definitions = ['process pid=1 command="app"', 'device ordinal=0 name="NVIDIA H200"']
        self.strings, self.codes, self.frames, self.templates = {}, {}, {}, {}
        self.host, self.gpu, self.marks = [], [], []
        for number, name in enumerate(KERNELS, 1):
            self.define(f"kernel id={number} name={self.string(name)}")
            self.define(f"device_template id={number} activity=1 name={self.string(name)} grid_x=1 grid_y=1 grid_z=1 block_x=32 block_y=1 block_z=1")

    def define(self, line):
        self.definitions.append(line)

    def string(self, text):
        if text not in self.strings:
            self.strings[text] = len(self.strings) + 1
            self.define(f'string id={self.strings[text]} text="{text}"')
        return self.strings[text]

    def path(self, frames):
        parent = 0
        for name, file, line, class_name, self_id in frames:
            code = (self.string(name), self.string(file))
            if code not in self.codes:
                self.codes[code] = len(self.codes) + 1
                self.define(f"code id={self.codes[code]} name={code[0]} file={code[1]} line=1")
            class_id = self.string(class_name) if class_name else 0
            key = (parent, self.codes[code], line, class_id, self_id)
            if key not in self.frames:
                self.frames[key] = len(self.frames) + 1
                self.define(
                    f"python_frame id={self.frames[key]} parent={parent} code={key[1]} line={line} "
                    f"class={class_id} self={self_id}"
                )
            parent = self.frames[key]
        return parent

    def launch(self, frames, kernel=1):
        key = (self.path(frames), kernel)
        if key not in self.templates:
            self.templates[key] = len(self.templates) + 1
            self.define(
                f"template id={self.templates[key]} op=1 kernel={kernel} grid_x=1 grid_y=1 grid_z=1 "
                f"block_x=32 block_y=1 block_z=1 path={key[0]}"
            )
        number = len(self.host) + 1
        begin = 1000 * number
        self.host.append(f"\t{self.templates[key]} {LAUNCH_NS} {begin} {number}")
        self.gpu.append(f"\t{kernel} {KERNEL_NS} {begin + 200} {number}")

    def mark(self, text):
        self.marks.append(f'mark time_ns={1000 * len(self.host) + 900} tid=1 text="{text}"')

    def __str__(self):
        return "\n".join(
            [*self.definitions, *self.marks, "host tid=1", *self.host, "gpu", *self.gpu, "finish reason=1", ""]
        )


def denoise(text, caller, unet=100):
    """One call of a denoiser of two blocks, with two attentions each."""
    top = [*caller, *call("UNet2DConditionModel", unet)]
    text.launch([*top, *call("Conv2d", unet + 1)])
    for block in (unet + 10, unet + 20):
        inner = [*top, *call("DownBlock", block)]
        for attention in (block + 1, block + 2):
            text.launch([*inner, *call("Attention", attention), *call("Linear", attention + 5)], 3)
    text.launch([*top, *call("GroupNorm", unet + 2)], 2)


def pipeline(nr_steps=3, is_batched=False):
    """Set-up, text, steps with guidance by two calls, VAE."""
    text = Text()
    program = function("<module>")
    main = [*program, *function("main"), *function("wrap.<locals>.inner")]
    text.launch([*main, ("UNet2DConditionModel.__init__", "model.py", 1, "UNet2DConditionModel", 100)])
    run = [*main, *function("Pipeline.__call__", 5, "Pipeline", 500)]
    text.launch([*run, *call("CLIPTextModel", 300), *call("Linear", 301)], 3)
    for _ in range(nr_steps):
        for line in (20,) if is_batched else (20, 21):
            denoise(text, [*main, *function("Pipeline.__call__", line, "Pipeline", 500)])
        text.launch([*run, *function("Scheduler.step", 3, "Scheduler", 600)], 2)
    decode = [*run, *function("AutoencoderKL.decode", 3, "AutoencoderKL", 400)]
    text.launch([*decode, *call("Decoder", 401), *call("Conv2d", 402)])
    text.launch(program, 2)
    return text


def as_json(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def report(ttitrace, mktrace, text, *options):
    return as_json(ttitrace("report", "--json", *options, mktrace(str(text))))


def shape(nodes):
    return {node["name"]: shape(node["children"]) for node in nodes}


BLOCK = {"Attention[0]": {"Linear": {}}, "Attention[1]": {"Linear": {}}}
UNET = {"Conv2d": {}, "DownBlock[0]": BLOCK, "DownBlock[1]": BLOCK, "GroupNorm": {}}


def test_wrappers_fold_and_instances_are_numbered(ttitrace, mktrace):
    tree = report(ttitrace, mktrace, pipeline(), "--by", "module")["modules"]
    assert shape(tree) == {
        "main": {
            "UNet2DConditionModel (set up)": {},
            "Pipeline": {
                "CLIPTextModel": {"Linear": {}},
                "UNet2DConditionModel": UNET,
                "Scheduler": {},
                "AutoencoderKL": {"Decoder": {"Conv2d": {}}},
            },
        },
        "(main program)": {},
    }


def test_times_of_the_tree_add_up(ttitrace, mktrace):
    answer = report(ttitrace, mktrace, pipeline(), "--by", "module")

    def check(node):
        below = sum(check(child) for child in node["children"])
        assert node["time_ns"] == node["self_ns"] + below
        assert sum(row["time_ns"] for row in node["operators"]) == node["time_ns"]
        return node["time_ns"]

    assert sum(map(check, answer["modules"])) == sum(row["time_ns"] for row in answer["operators"])


def calls(nodes):
    return {node["name"]: node["calls"] or calls(node["children"]) for node in nodes}


def test_calls_of_modules_are_counted(ttitrace, mktrace):
    tree = report(ttitrace, mktrace, pipeline(3), "--by", "module")["modules"]
    assert calls(tree) == {
        "main": {
            "UNet2DConditionModel (set up)": {},
            "Pipeline": {"CLIPTextModel": 1, "UNet2DConditionModel": 6, "Scheduler": {}, "AutoencoderKL": {"Decoder": 1}},
        },
        "(main program)": {},
    }


def test_a_call_of_more_launches_is_still_one(ttitrace, mktrace):
    """A loop inside; something that only the first call does; a part that every second call leaves out."""
    text = Text()
    for number in range(6):
        top = [*function("loop", 3), *call("UNet", 1)]
        text.launch([*top, *call("Conv2d", 2)])
        for _ in range(3):
            text.launch([*top, *call("Linear", 3)], 3)
        text.launch([*top, *call("GroupNorm", 4)], 2)
        if not number:
            text.launch([*top, *call("GroupNorm", 4)], 3)
        for part in range(number % 2):
            text.launch([*top, *call("Attention", 5 + part)], 3)
        text.launch(function("loop", 9))
    (loop,) = report(ttitrace, mktrace, text, "--by", "module")["modules"]
    (unet,) = loop["children"]
    assert unet["calls"] == 6
    found = {node["name"]: node["calls"] for node in unet["children"]}
    assert found["Conv2d"] == found["GroupNorm"] == 6 and found["Attention"] == 3


def test_depth_cuts_the_tree_and_keeps_sums(ttitrace, mktrace):
    (main, _) = report(ttitrace, mktrace, pipeline(), "--by", "module", "--depth", "1")["modules"]
    assert main["children"] == [] and main["launches"] == 3 * (2 * 6 + 1) + 3


def test_focus_leaves_what_is_below(ttitrace, mktrace):
    answer = report(ttitrace, mktrace, pipeline(), "--by", "module", "--focus", r"DownBlock\[1\]")
    assert sum(node["launches"] for node in answer["modules"]) == 3 * 2 * 2
    assert "DownBlock[1]" in json.dumps(answer["modules"])
    assert "DownBlock[0]" not in json.dumps(answer["modules"])


def test_a_focus_that_is_no_regular_expression_is_told(ttitrace, mktrace):
    done = ttitrace("report", "--focus", "(", mktrace(str(pipeline())))
    assert done.returncode != 0 and "'('" in done.stderr


@pytest.mark.parametrize("is_batched", [False, True])
def test_a_step_is_from_call_to_call_of_one_line(ttitrace, mktrace, is_batched):
    answer = report(ttitrace, mktrace, pipeline(4, is_batched), "--by", "phase")
    found = [(row["name"], row["index"], row["launches"]) for row in answer["phases"]]
    calls = 1 if is_batched else 2
    steps = [("denoising step", i, 6 * calls + (i < 3)) for i in range(4)]
    assert found == [("text encoding", 0, 1), *steps, ("VAE decode", 0, 1)]
    assert answer["residual"]["launches"] == 3  # set-up, the last step's scheduler, the end


def test_busy_and_idle_fill_a_phase(ttitrace, mktrace):
    for row in report(ttitrace, mktrace, pipeline(), "--by", "phase")["phases"]:
        assert row["busy_ns"] == row["kernel_ns"] == KERNEL_NS * row["launches"]
        assert row["busy_ns"] + row["idle_ns"] == row["end_ns"] - row["begin_ns"]
        assert sum(o["time_ns"] for o in row["operators"]) == row["kernel_ns"]


def test_calls_right_behind_each_other_are_apart(ttitrace, mktrace):
    text = Text()
    for _ in range(5):
        denoise(text, function("loop", 3))
    answer = report(ttitrace, mktrace, text, "--by", "phase")
    assert [row["launches"] for row in answer["phases"]] == [6] * 5


def test_steps_may_differ(ttitrace, mktrace):
    """Every other step leaves out all but its first and last layers, as caches of features do."""
    text = Text()
    top = [*function("loop", 3), *call("UNet2DConditionModel", 1)]
    for step in range(6):
        if step % 2:
            text.launch([*top, *call("Conv2d", 101)])
            text.launch([*top, *call("GroupNorm", 102)], 2)
        else:
            denoise(text, function("loop", 3), 1)
        text.launch(function("loop", 9))
    answer = report(ttitrace, mktrace, text, "--by", "phase")
    assert [row["name"] for row in answer["phases"]] == ["denoising step"] * 6


def test_language_models_prefill_and_decode(ttitrace, mktrace):
    text = Text()
    for function_name, count in (("Mixin._prefill", 1), ("Mixin._sample", 3)) * 2:
        for _ in range(count):
            caller = function(function_name, 4, "LlamaForCausalLM", 9)
            text.launch([*caller, *call("LlamaForCausalLM", 9), *call("Linear", 10)], 3)
            text.launch(caller, 2)
    answer = report(ttitrace, mktrace, text, "--by", "phase")
    assert [row["name"] for row in answer["phases"]] == ["prefill", *["decode step"] * 3] * 2


def test_marks_win(ttitrace, mktrace):
    text = Text()
    text.launch(function("f"))
    for name in ("one", "two", ""):
        text.mark(name)
        denoise(text, function("loop", 3))
    answer = report(ttitrace, mktrace, text, "--by", "phase")
    assert [(row["name"], row["launches"]) for row in answer["phases"]] == [("one", 6), ("two", 6)]
    assert answer["residual"]["launches"] == 7


def without_paths(text):
    return re.sub(r" path=\d+", " path=0", re.sub(r"(?m)^python_frame .*\n", "", str(text))).replace("Model", "M_")


def test_without_paths_steps_are_periods(ttitrace, mktrace):
    text = Text()
    text.launch(function("set_up"))
    for step in range(10):
        text.launch(function("begin"))
        for layer in range(3 if step % 3 else 30):
            text.launch(function(f"layer{layer}"), 3)
        text.launch(function("end"), 2)
    for _ in range(50):
        text.launch(function("decode"), 2)
    plain = without_paths(text).replace("_call_impl", "_")
    answer = report(ttitrace, mktrace, plain, "--by", "phase")
    assert [row["name"] for row in answer["phases"]] == ["step"] * 10
    assert answer["phases"][1]["launches"] == 5
    assert answer["phases"][9]["launches"] == 32 and answer["residual"]["launches"] == 51


def test_a_larger_image_and_a_decoder_without_a_name_of_its_own_are_phases(ttitrace, mktrace):
    text = Text()
    run = function("generate", 3)
    for _ in range(3):
        text.launch([*run, *call("ImagenUNet", 1), *call("Conv2d", 2)])
        text.launch([*run, *call("ImagenUNet", 1), *call("GroupNorm", 3)], 2)
    for _ in range(2):
        text.launch([*run, *call("ImagenSuperResUNet", 4), *call("Conv2d", 5)])
        text.launch([*run, *call("ImagenSuperResUNet", 4), *call("GroupNorm", 6)], 2)
    text.launch([*run, *call("CViViTDecoder", 7), *call("Linear", 8)], 3)
    answer = report(ttitrace, mktrace, text, "--by", "phase")
    names = [row["name"] for row in answer["phases"]]
    assert names == ["denoising step"] * 3 + ["super-resolution step"] * 2 + ["VAE decode"]


def test_no_path_is_told(ttitrace, mktrace):
    tree = report(ttitrace, mktrace, without_paths(pipeline()), "--by", "module")["modules"]
    assert [node["name"] for node in tree] == ["(no Python path)"]


@pytest.mark.parametrize(
    "phases, launches", [("denoising", 4 * 13 - 1), ("denoising step:1..2", 26), ("1", 1), ("2..3", 26), ("vae", 1)]
)
def test_reports_of_some_phases(ttitrace, mktrace, phases, launches):
    answer = report(ttitrace, mktrace, pipeline(4), "--phase", phases)

    assert sum(row["launches"] for row in answer["operators"]) == launches


def test_phases_that_are_none_are_refused(ttitrace, mktrace):
    assert ttitrace("report", "--phase", "3..x:", mktrace(str(pipeline()))).returncode in (0, 2)
    assert ttitrace("report", "--phase", "", mktrace(str(pipeline()))).returncode == 2


@pytest.mark.parametrize("axis", ["module", "phase"])
def test_the_text_is_as_expected(accept_or_compare, ttitrace, mktrace, axis):
    done = ttitrace("report", "--by", axis, mktrace(str(pipeline())).name)
    assert done.returncode == 0
    accept_or_compare(done.stdout, GOLDEN / f"places.report.{axis}")
