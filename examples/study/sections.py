# SPDX-License-Identifier: Apache-2.0
"""The study's figures, each from ttitrace commands: a table, and what a picture of it needs."""

import collections
import dataclasses
import math

import facts
import runs
from facts import ask, has, path_of, shown

BEFORE, AFTER = "baseline", "flash"
NOT_NORMS = ("attention", "convolution", "linear")
H200_TFLOPS, H200_TBPS = 990, 4.8  # as ttitrace roofline has them, of the datasheet
GPU_BOUND = 0.8  # busy of a step's time
TILE = 128  # queries and keys of flash attention's tiles


@dataclasses.dataclass
class Section:
    name: str
    title: str
    text: str
    commands: list
    header: tuple
    rows: list
    data: object = None  # for pictures.py's function of this name


def trace(name):
    """A trace as commands for readers name it."""
    return f"{name}.ttt"


def workloads(*settings):
    return [w for w in runs.RECORDED_STEPS if has(*(f"{w}.{setting}" for setting in settings))]


def percent(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "-"


def ms(ns):
    return f"{ns / 1e6:,.1f}" if ns < 1e9 else f"{ns / 1e6:,.0f}"


def share(operators, name):
    return percent(operators[name], operators.total())


def breakdown():
    data, rows = {}, []
    for workload in workloads(BEFORE, AFTER):
        sides = [facts.operators(workload, setting) for setting in (BEFORE, AFTER)]
        data[workload] = sides
        for setting, side in zip((BEFORE, AFTER), sides):
            rows.append((workload, setting, ms(side.total()), *(share(side, o) for o in facts.OPERATORS)))
    return Section(
        "breakdown",
        "Operators before and after flash attention",
        "GPU time of a whole generation, ms, and each operator's percent of it. Before: attention "
        "written out "
        "as two products and a softmax; after: PyTorch's flash attention wherever it can be.",
        [shown("report", "--by", "phase", "--json", trace("WORKLOAD.baseline"))],
        ("workload", "attention", "ms", *facts.OPERATORS),
        rows,
        data,
    )


def stage_gains(workload):
    """Of stages that work on sequences of different kinds: a prompt and tokens, a small image and a "
    "large one."""
    sides = [facts.stages(workload, setting) for setting in (BEFORE, AFTER)]
    if len({stage.name for stage in sides[0]} & {"prefill", "decode", "super-resolution"}) == 0:
        return []
    rows = []
    for before, after in zip(*sides):
        if before.name in ("prefill", "decode", "denoising", "super-resolution"):
            attention = [stage.operators["attention"] for stage in (before, after)]
            whole = [stage.operators.total() for stage in (before, after)]
            part, alone = attention[0] / whole[0], attention[0] / attention[1]
            cells = (100 * part, 100 * attention[1] / whole[1])
            rows.append(
                (
                    f"- {before.name}",
                    *(f"{cell:.1f}" for cell in cells),
                    f"{alone:.2f}",
                    f"{1 / (1 - part + part / alone):.2f}",
                    f"{whole[0] / whole[1]:.2f}",
                    "",
                )
            )
    return rows


def gains():
    rows, data = [], {}
    for workload in workloads(BEFORE, AFTER):
        before, after = (facts.operators(workload, setting) for setting in (BEFORE, AFTER))
        loops = [max(facts.stages(workload, setting), key=lambda s: s.repeats) for setting in (BEFORE, AFTER)]
        is_gpu_bound = all(loop.step_busy_ns > GPU_BOUND * loop.clock_ns for loop in loops)
        part = before["attention"] / before.total()
        alone = before["attention"] / after["attention"]
        whole = before.total() / after.total()
        expected = 1 / (1 - part + part / alone)
        data[workload] = (whole, alone)
        rows.append(
            (
                workload,
                f"{100 * part:.1f}",
                f"{100 * after['attention'] / after.total():.1f}",
                f"{alone:.2f}",
                f"{expected:.2f}",
                f"{whole:.2f}",
                f"{loops[0].clock_ns / loops[1].clock_ns:.2f}" if is_gpu_bound else "-",
            )
        )
        rows += stage_gains(workload)
    return Section(
        "gains",
        "What flash attention gains",
        "Attention's percent of GPU time before and after, its own speed-up, what that alone makes of "
        "the whole "
        "(Amdahl), the whole's speed-up in GPU time; by the clock, a step, where the GPU is busy for "
        "80 % of it before and "
        "after: else launches take the time, attention or not.",
        [shown("diff", trace("WORKLOAD.baseline"), trace("WORKLOAD.flash"))],
        ("workload", "% before", "% after", "attention alone", "expected", "GPU time", "clock"),
        rows,
        data,
    )


OVER_TIME = (
    ("stable_diffusion", ("--phase", "denoising step:1..1", "--role", "self"), "s_q"),
    ("make_a_video", ("--phase", "denoising step:1..1"), "s_q"),
    ("muse", ("--phase", "denoising step"), "s_q"),
    ("parti", (), "s_k"),
    ("llama2", (), "s_k"),
)


def lengths_over_time():
    rows, data, commands = [], {}, []
    for workload, options, what in OVER_TIME:
        if not has(f"{workload}.{AFTER}"):
            continue
        calls = facts.sequence_calls(f"{workload}.{AFTER}", *options)
        lengths = [call[what] for call in calls if call["role"] not in ("vae", "cross") or what == "s_q"]
        data[workload] = ("keys" if what == "s_k" else "queries", lengths)
        commands.append(shown("seqlen", *options, trace(f"{workload}.{AFTER}")))
        distinct = sorted(set(lengths))
        span = distinct[-1] / distinct[0]
        few = ", ".join(map(str, distinct)) if len(distinct) < 8 else f"{distinct[0]} ... {distinct[-1]}"
        rows.append((workload, data[workload][0], f"{len(lengths):,}", few, f"{span:.1f}"))
    return Section(
        "lengths_over_time",
        "Sequence length over an inference",
        "One step of the UNets, all steps of Muse's first model, the whole generation of Parti and LLaMA2.",
        commands,
        ("workload", "of", "calls", "lengths", "longest / shortest"),
        rows,
        data,
    )


def sides_there(setting=AFTER):
    return [side for side in runs.IMAGE_SIDES if has(f"stable_diffusion_{side}.{setting}")]


def lengths_by_size():
    rows, data = [], {}
    for side in sides_there():
        name = f"stable_diffusion_{side}.{AFTER}"
        calls = facts.sequence_calls(name, "--phase", "denoising step:1..1")
        counts = collections.Counter(call["s_q"] for call in calls)
        data[side] = counts
        text = ", ".join(f"{length}: {counts[length]}" for length in sorted(counts, reverse=True))
        levels = sorted(counts)
        rows.append((side, text, f"{levels[1] / levels[0]:.0f}", f"{levels[-1] / levels[0]:.0f}"))
    return Section(
        "lengths_by_size",
        "Sequence lengths against image size",
        "Stable Diffusion, one step: how many attention calls have how many queries.",
        [shown("seqlen", "--phase", "denoising step:1..1", trace("stable_diffusion_SIDE.flash"))],
        ("pixels", "queries: calls", "level to level", "longest / shortest"),
        rows,
        data,
    )


def exponent(row, key="time"):
    found = row.get(key)
    if not found or found.get("exponent") is None:
        return "-"
    width = found.get("half_width_95")
    return f"{found['exponent']:.2f}" + (f" ±{width:.2f}" if width is not None else "")


def last_exponent(row, key="time"):
    found = row.get(key) or {}
    return f"{found['exponent_of_last_two']:.2f}" if found.get("exponent_of_last_two") is not None else "-"


def by_size():
    there = {s: sides_there(s) for s in (BEFORE, AFTER) if len(sides_there(s)) > 2}
    names = {s: [f"stable_diffusion_{side}.{s}" for side in sides] for s, sides in there.items()}
    values = "image=" + ",".join(str(side) for sides in there.values() for side in sides)
    answer = facts.sweep(values, names) if there else {"series": []}
    rows, data = [], {}
    for series in answer["series"]:
        for row in series["rows"]:
            if row["name"] not in ("attention", "convolution", "linear", "group_norm", "all"):
                continue
            points = {point["x"]: point["time_ns"] / runs.SWEEP_STEPS for point in row["points"]}
            data[series["name"], row["name"]] = points
            left_out = row.get("left_out")
            error = f"{100 * left_out['error']:.0f}" if left_out else "-"
            times = (f"{points[side] / 1e6:.2f}" if side in points else "-" for side in runs.IMAGE_SIDES)
            rows.append(
                (
                    series["name"],
                    row["name"],
                    *times,
                    exponent(row),
                    last_exponent(row),
                    exponent(row, "flops"),
                    error,
                )
            )
    words = []
    for setting in there:
        words += ["--series", setting, *(trace(name) for name in names[setting])]
    return Section(
        "by_size",
        "Attention and convolution against image size",
        "Stable Diffusion, ms of GPU time a step; k of time ~ pixels^k (the side) with its 95 % "
        "interval, k between "
        "the two largest, k of the FLOPs; how far the smaller three miss the largest, %.",
        [shown("sweep", "--x", values, "--phase", "denoising step", *words)],
        (
            "attention",
            "operator",
            *(f"{side} px" for side in runs.IMAGE_SIDES),
            "k",
            "last two",
            "k FLOPs",
            "left out",
        ),
        rows,
        data,
    )


def is_temporal(row):
    return row["role"] == "temporal"


def is_spatial(row):
    return row["role"] == "self" and row["s_q"] == row["s_k"]


# With their projections and what copies heads about.  The spatial transformer's second attention is cross.
MODULES_OF = {
    "spatial self attention modules": r"Transformer2DModel.*Attention\[0\]",
    "spatial cross attention modules": r"Transformer2DModel.*Attention\[1\]",
    "temporal attention modules": r"TransformerTemporalModel.*Attention\[",
}


def space_and_time():
    """Of one step; cross attention, which is neither, beside them."""
    rows, data = [], {}
    for setting in (BEFORE, AFTER):
        name = f"make_a_video.{setting}"
        if not has(name):
            continue
        found = facts.attention_rows(name, "--phase", "denoising step:1..1")
        kinds = {"spatial": is_spatial, "temporal": is_temporal, "cross": lambda row: row["role"] == "cross"}
        whole = sum(row["time_ns"] for row in found)
        for kind, test in kinds.items():
            mine = [row for row in found if test(row)]
            time, work = sum(r["time_ns"] for r in mine), sum(map(facts.attention_flops, mine))
            data[setting, kind] = (time, work)
            rows.append(
                (
                    setting,
                    kind,
                    sum(r["calls"] for r in mine),
                    f"{time / 1e6:.3f}",
                    percent(time, whole),
                    f"{work / 1e9:.1f}",
                    f"{work / time / 1e3:.2f}",
                )
            )
        for kind, focus in MODULES_OF.items():
            answer = ask("report", "--phase", "denoising step:1..1", "--focus", focus, path_of(name))
            time = sum(row["time_ns"] for row in answer["operators"])
            data[setting, kind] = (time, None)
            rows.append((setting, kind, "", f"{time / 1e6:.3f}", "", "", ""))
    return Section(
        "space_and_time",
        "Attention in space and in time",
        "ms-1.7b, 16 frames of 256 pixels, one step; 2 x 16 frames in a batch.",
        [
            shown(
                "report", "--by", "attention", "--phase", "denoising step:1..1", trace("make_a_video.SETTING")
            )
        ],
        ("attention", "kind", "calls", "ms", "% of attention", "GFLOP", "TFLOP/s"),
        rows,
        data,
    )


def frames():
    rows, data, commands = [], {}, []
    for label, stem, setting in (
        ("256 px, flash", "make_a_video_f", AFTER),
        ("256 px, baseline", "make_a_video_f", BEFORE),
        ("128 px, flash", "make_a_video_small_f", AFTER),
    ):
        there = [f for f in runs.FRAMES if has(f"{stem}{f}.{setting}")]
        if len(there) < 3:
            continue
        names = {label: [f"{stem}{f}.{setting}" for f in there]}
        values = "frames=" + ",".join(map(str, there))
        answer = facts.sweep(values, names)["series"][0]
        commands.append(
            shown("sweep", "--x", values, "--phase", "denoising step", *(trace(n) for n in names[label]))
        )
        found = {row["name"]: row for row in answer["rows"]}
        for row_name in ("attention/temporal", "attention/self", "attention", "convolution", "all"):
            if row_name not in found:
                continue
            row, name = (
                found[row_name],
                row_name.replace("attention/self", "spatial").replace("attention/", ""),
            )
            times = {point["x"]: point["time_ns"] / runs.SWEEP_STEPS for point in row["points"]}
            data[label, name] = times
            cells = [f"{times[f] / 1e6:.2f}" if f in times else "-" for f in runs.FRAMES]
            rows.append((label, name, *cells, exponent(row), last_exponent(row), exponent(row, "flops")))
        for pair in answer["pairs"]:
            if pair["of"] == "attention/temporal" and pair["to"] == "attention/self" and pair["crossing"]:
                crossing = pair["crossing"]
                where = f"{crossing:.0f} frames" if crossing < 4 * there[-1] else "far beyond"
                data[label, "meet", pair["by"]] = crossing
                rows.append((label, f"curves meet, {pair['by']}", where, *[""] * 9))
    return Section(
        "frames",
        "Frames: temporal against spatial attention",
        "ms of GPU time a step of ms-1.7b; k of time ~ frames^k, between the two largest, and of the FLOPs.",
        commands,
        ("series", "", *(f"{f} f" for f in runs.FRAMES), "k", "last two", "k FLOPs"),
        rows,
        data,
    )


def intensity():
    rows, data = [], {}
    for workload in workloads(AFTER):
        name = f"{workload}.{AFTER}"
        weights = facts.weight_bytes(name)
        total = facts.flops(workload, AFTER).total()
        loop = facts.stages(workload, AFTER)
        main = max(loop, key=lambda stage: stage.busy_ns)
        phase = next(s for s in runs.STAGES.get(workload, runs.USUAL_STAGES) if s[0] == main.name)
        words = phase[1] + (f":{phase[3][0]}..{phase[3][1]}" if phase[3] else "")
        answer = ask("roofline", "--phase", words, path_of(name))
        busy = sum(stage.busy_ns for stage in loop if stage.name == main.name)
        rate = main.flops.total() / busy / 1e3
        data[workload] = (total / weights, answer["traffic_intensity"], rate)
        rows.append(
            (
                workload,
                f"{weights / 2**30:.2f}",
                f"{total / 1e12:,.1f}",
                f"{total / weights:,.0f}",
                main.name,
                f"{answer['traffic_intensity']:.1f}",
                f"{rate:.1f}",
            )
        )
    return Section(
        "intensity",
        "Two intensities",
        "Capacity: FLOPs of a whole generation by bytes of weights. Traffic: FLOPs by the fewest bytes "
        "that the "
        "problems move, of the stage that takes most time; and what that stage attains, TFLOP/s of its "
        "busy time.",
        [
            shown("roofline", trace("WORKLOAD.flash")),
            shown("roofline", "--phase", "STAGE", trace("WORKLOAD.flash")),
        ],
        ("workload", "weights GiB", "TFLOP", "capacity FLOP/B", "stage", "traffic FLOP/B", "TFLOP/s"),
        rows,
        data,
    )


SD_LEVELS = ((0, 5), (1, 5), (2, 5), (3, 1))  # halvings of the latent, transformer blocks there


def formula_bytes(side, tokens=77):
    latent = side // 8
    lengths = [(latent >> halvings) ** 2 for halvings, _ in SD_LEVELS]
    return sum(blocks * 2 * s * (s + tokens) for s, (_, blocks) in zip(lengths, SD_LEVELS))


def similarity():
    rows, data = [], {}
    for side in sides_there():
        calls = facts.sequence_calls(f"stable_diffusion_{side}.{AFTER}", "--phase", "denoising step:1..1")
        heads = 16  # 8 of each half of the guidance batch
        seen = sum(2 * call["b"] * call["h"] * call["s_q"] * call["s_k"] for call in calls)
        largest = max(2 * call["b"] * call["h"] * call["s_q"] * call["s_k"] for call in calls)
        wanted = formula_bytes(side) * heads
        data[side] = (seen, wanted)
        rows.append(
            (
                side,
                f"{seen / 2**20:,.1f}",
                f"{wanted / 2**20:,.1f}",
                f"{100 * (seen / wanted - 1):.2f}",
                f"{largest / 2**20:,.0f}",
            )
        )
    if len(data) > 1:
        first, last = min(data), max(data)
        slope = math.log(data[last][0] / data[first][0]) / math.log(last / first)
        rows.append(("exponent of the side", f"{slope:.2f}", "", "", ""))
    return Section(
        "similarity",
        "Memory of similarity matrices against the formula",
        "Stable Diffusion, MiB a step in fp16 over all heads, batch 2: from the lengths of every call "
        "of the trace, and "
        "M = sum of m_n 2 S_n (S_n + T) with m = 5, 5, 5, 1.",
        [shown("seqlen", "--json", "--phase", "denoising step:1..1", trace("stable_diffusion_SIDE.flash"))],
        ("pixels", "trace", "formula", "difference %", "largest call"),
        rows,
        data,
    )


def stage_split():
    rows, data = [], {}
    for workload in workloads(AFTER):
        found = facts.stages(workload, AFTER)
        whole = sum(stage.busy_ns for stage in found)
        residual = facts.phases(f"{workload}.{AFTER}")["residual"]
        set_up = sum(o["time_ns"] for o in residual["operators"] if o["name"] == "sampling")
        data[workload] = {stage.name: stage.busy_ns / whole for stage in found}
        text = ", ".join(f"{stage.name} {percent(stage.busy_ns, whole)}" for stage in found)
        rows.append((workload, ms(whole), text, ms(residual["busy_ns"]), ms(residual["busy_ns"] - set_up)))
    return Section(
        "stage_split",
        "Stages",
        "GPU time of a whole generation, ms, and each stage's percent of it. What no stage explains, "
        "ms: all, and "
        "without the making of random weights.",
        [shown("report", "--by", "phase", trace("WORKLOAD.flash"))],
        ("workload", "ms", "stages %", "residual", "without set-up"),
        rows,
        data,
    )


def idle():
    rows, data = [], {}
    for workload in workloads(AFTER):
        found = facts.stages(workload, AFTER)
        steps = max(found, key=lambda stage: stage.repeats)
        launches = [
            row["launches"]
            for row in facts.phases(f"{workload}.{AFTER}")["phases"]
            if row["name"] in ("denoising step", "decode step")
        ]
        part = 1 - steps.step_busy_ns / steps.clock_ns
        data[workload] = part
        rows.append(
            (
                workload,
                f"{steps.clock_ns / 1e6:.2f}",
                f"{steps.step_busy_ns / 1e6:.2f}",
                f"{100 * part:.0f}",
                f"{launches[len(launches) // 2]:,}",
                "launches" if 1 - part < GPU_BOUND else "GPU",
            )
        )
    return Section(
        "idle",
        "Busy and idle",
        "A step after the first, medians: ms by the clock, of them the GPU busy, percent idle, "
        "kernels. Idle means that the "
        "CPU is late: batch 1, eager, with Python paths recorded.",
        [shown("report", "--by", "phase", trace("WORKLOAD.flash"))],
        ("workload", "clock ms", "busy ms", "idle %", "kernels", "bound by"),
        rows,
        data,
    )


def backends():
    rows, data = [], {}
    for workload in runs.COMPARED:
        there = [s for s in (*runs.BACKENDS, BEFORE) if has(f"{workload}.{s}")]
        for setting in there:
            steps = next(s for s in facts.stages(workload, setting) if s.name == "denoising")
            each = {op: ns / steps.repeats for op, ns in steps.operators.items()}
            rate = steps.flops["attention"] / steps.operators["attention"] / 1e3
            data[workload, setting] = (each["attention"], sum(each.values()))
            rows.append(
                (
                    workload,
                    setting,
                    f"{each['attention'] / 1e6:.2f}",
                    f"{rate:.0f}",
                    f"{sum(each.values()) / 1e6:.2f}",
                )
            )
    return Section(
        "backends",
        "Attention backends side by side",
        "GPU time of a step, ms; attention's TFLOP/s.",
        [shown("report", "--by", "operator", "--phase", "denoising step", trace("WORKLOAD.BACKEND"))],
        ("workload", "backend", "attention ms", "TFLOP/s", "step ms"),
        rows,
        data,
    )


def layout():
    rows, data = [], {}
    for label, name in (
        ("channels first", f"stable_diffusion.{AFTER}"),
        ("channels last", f"stable_diffusion_channels_last.{AFTER}"),
    ):
        if not has(name):
            continue
        for phase in ("denoising step:1..1", "VAE decode"):
            answer = ask("report", "--phase", phase, path_of(name))
            kinds = {row["kind"]: row["time_ns"] for row in answer["kinds"]}
            times = {row["name"]: row["time_ns"] for row in answer["operators"]}
            whole = sum(times.values())
            data[label, phase] = (times, kinds)
            cells = (times.get(o, 0) for o in ("convolution", "group_norm", "elementwise", "memory"))
            rows.append(
                (
                    label,
                    phase.split(":")[0],
                    f"{whole / 1e6:.2f}",
                    percent(kinds.get("layout", 0), whole),
                    *(f"{c / 1e6:.2f}" for c in cells),
                )
            )
    return Section(
        "layout",
        "Layout",
        "Stable Diffusion, GPU ms; percent in kernels that only change the layout, and operators, ms.",
        [shown("report", "--by", "kind", "--phase", "denoising step:1..1", trace("stable_diffusion.flash"))],
        ("tensors", "stage", "ms", "layout %", "convolution", "group_norm", "elementwise", "memory"),
        rows,
        data,
    )


STEPS = (50, 28, 8, 4, 2, 1)


def decoder_share():
    rows, data = [], {}
    for workload in ("stable_diffusion", "prod_image", "sd3", "flux", "make_a_video", "wan"):
        if not has(f"{workload}.{AFTER}"):
            continue
        shares = []
        for steps in STEPS:
            found = facts.stages(workload, AFTER, steps)
            whole = sum(stage.busy_ns for stage in found)
            shares.append(sum(s.busy_ns for s in found if s.name == "decoder") / whole)
        data[workload] = shares
        rows.append((workload, *(f"{100 * share:.1f}" for share in shares)))
    return Section(
        "decoder_share",
        "The decoder's share as steps fall",
        "Percent of GPU time in the VAE, by denoising steps.",
        [shown("report", "--by", "phase", trace("WORKLOAD.flash"))],
        ("workload", *(f"{steps} steps" for steps in STEPS)),
        rows,
        data,
    )


def tile_efficiency(length):
    padded = math.ceil(length / TILE) * TILE
    return (length / padded) ** 2


def tiles():
    rows, data = [], {}
    for frames_there in runs.FRAMES:
        name = f"make_a_video_f{frames_there}.{AFTER}"
        if not has(name):
            continue
        found = facts.attention_rows(name, "--phase", "denoising step:1..1")
        rates = {}
        for kind, test in (
            ("temporal", is_temporal),
            ("spatial", lambda row: is_spatial(row) and row["s_q"] == 1024),
        ):
            mine = [row for row in found if test(row)]
            time = sum(row["time_ns"] for row in mine)
            rates[kind] = sum(map(facts.attention_flops, mine)) / time / 1e3 if time else 0
        data[frames_there] = (rates["temporal"], tile_efficiency(frames_there), rates["spatial"])
        rows.append(
            (
                frames_there,
                f"{rates['temporal']:.2f}",
                f"{rates['spatial']:.1f}",
                f"{100 * rates['temporal'] / rates['spatial']:.1f}" if rates["spatial"] else "-",
                f"{100 * tile_efficiency(frames_there):.1f}",
            )
        )
    return Section(
        "tiles",
        "Short sequences waste tiles",
        f"TFLOP/s of flash attention, ms-1.7b at 256 pixels: temporal, spatial of 1,024 tokens, their "
        "ratio, and the share of "
        f"{TILE} x {TILE} tiles that the frames fill.",
        [
            shown(
                "report",
                "--by",
                "attention",
                "--phase",
                "denoising step:1..1",
                trace("make_a_video_fFRAMES.flash"),
            )
        ],
        ("frames", "temporal", "spatial", "ratio %", "tiles filled %"),
        rows,
        data,
    )


ALL = (
    breakdown,
    gains,
    lengths_over_time,
    lengths_by_size,
    by_size,
    space_and_time,
    frames,
    intensity,
    similarity,
    stage_split,
    idle,
    backends,
    layout,
    decoder_share,
    tiles,
)
