# SPDX-License-Identifier: Apache-2.0
"""A picture for each section that is better seen than read."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import sections

COLOURS = {
    "attention": "#d1495b",
    "convolution": "#30638e",
    "linear": "#edae49",
    "group_norm": "#66a182",
    "layer_norm": "#a3c9a8",
    "elementwise": "#8d96a3",
    "memory": "#c9c9d4",
    "other": "#eeeeee",
}
DPI = 80


def bars(figure, title, labels, stacks):
    """Horizontal stacked bars, the first on top: stacks is [{part: length}]."""
    axes = figure.subplots()
    for y, stack in enumerate(stacks):
        left = 0
        for part, colour in COLOURS.items():
            axes.barh(-y, stack.get(part, 0), left=left, color=colour, label=part if y == 0 else None)
            left += stack.get(part, 0)
    axes.set_yticks([-y for y in range(len(labels))], labels, fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=7, ncol=4, loc="upper center", bbox_to_anchor=(0.5, -0.06))


def breakdown(section, figure):
    figure.set_size_inches(9, 9)
    labels, stacks = [], []
    for workload, sides in section.data.items():
        whole = sides[0].total()
        for name, side in zip(("before", "after"), sides):
            parts = {op: 100 * side[op] / whole for op in COLOURS if op in side}
            parts["other"] = 100 * side.total() / whole - sum(parts.values())
            labels.append(f"{workload}, {name}")
            stacks.append(parts)
    bars(figure, "GPU time before and after flash attention, % of before", labels, stacks)


def gains(section, figure):
    axes = figure.subplots()
    names = list(section.data)
    for offset, index, label in ((-0.2, 0, "all GPU time"), (0.2, 1, "attention alone")):
        axes.bar(
            [i + offset for i in range(len(names))], [section.data[n][index] for n in names], 0.4, label=label
        )
    axes.axhline(1, color="black", linewidth=0.5)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    axes.set_title("Speed-up by flash attention", fontsize=10)
    axes.legend(fontsize=8)


def lengths_over_time(section, figure):
    figure.set_size_inches(12, 3)
    for axes, (name, (what, lengths)) in zip(figure.subplots(1, len(section.data)), section.data.items()):
        thin = max(1, len(lengths) // 2000)
        axes.plot(range(0, len(lengths), thin), lengths[::thin], ".", markersize=3)
        if what == "queries":
            axes.set_yscale("log", base=2)
        axes.set_title(f"{name}: {what}", fontsize=9)
        axes.set_xlabel("attention calls in order", fontsize=8)
        axes.tick_params(labelsize=7)


def lengths_by_size(section, figure):
    axes = figure.subplots()
    for row, (side, counts) in enumerate(section.data.items()):
        axes.scatter(list(counts), [row] * len(counts), s=[20 * n for n in counts.values()])
        for length, n in counts.items():
            axes.annotate(str(n), (length, row), ha="center", va="center", fontsize=8)
    axes.set_xscale("log", base=2)
    axes.set_yticks(range(len(section.data)), [f"{side} px" for side in section.data])
    axes.set_ylim(-0.7, len(section.data) - 0.3)
    axes.set_xlabel("queries; the number is how many calls a step")
    axes.set_title("Stable Diffusion: sequence lengths against image size", fontsize=10)


def by_size(section, figure):
    axes = figure.subplots()
    sides = sections.runs.IMAGE_SIDES
    for key, times in section.data.items():
        if key[1] in ("attention", "convolution"):
            style = "--" if key[0] == "baseline" else "-"
            axes.loglog(
                list(times),
                [t / 1e6 for t in times.values()],
                style + "o",
                color=COLOURS[key[1]],
                label=f"{key[1]}, {key[0]}",
            )
    axes.set_xticks(sides, map(str, sides))
    axes.set_xticks([], minor=True)
    axes.set_xlabel("pixels a side")
    axes.set_ylabel("GPU ms a step")
    axes.set_title("Stable Diffusion: attention and convolution", fontsize=10)
    axes.legend(fontsize=8)


def frames(section, figure):
    figure.set_size_inches(12, 3.5)
    labels = list(dict.fromkeys(key[0] for key in section.data))
    for axes, label in zip(figure.subplots(1, len(labels), sharey=True), labels):
        for name, colour in (("temporal", "#d1495b"), ("spatial", "#30638e"), ("convolution", "#8d96a3")):
            times = section.data.get((label, name))
            if times:
                axes.loglog(list(times), [t / 1e6 for t in times.values()], "-o", color=colour, label=name)
        axes.set_title(label, fontsize=10)
        axes.set_xlabel("frames")
        axes.legend(fontsize=8)


def intensity(section, figure):
    axes = figure.subplots()
    intensities = [2**i for i in range(-2, 23)]
    roof = [min(sections.H200_TFLOPS, sections.H200_TBPS * i) for i in intensities]
    axes.loglog(intensities, roof, color="black", linewidth=1)
    for name, (capacity, traffic, rate) in section.data.items():
        axes.plot([traffic, capacity], [rate, rate], color="#cccccc", linewidth=0.7, zorder=0)
        axes.plot(traffic, rate, "o", color="#d1495b")
        axes.plot(capacity, rate, "s", color="#30638e", markersize=4)
        axes.annotate(name, (traffic, rate), fontsize=7, xytext=(4, 3), textcoords="offset points")
    axes.set_xlabel("FLOP a byte: circles by traffic, squares by weights")
    axes.set_ylabel("TFLOP/s")
    axes.set_title("Roofline of an H200 (datasheet), with both intensities", fontsize=10)


def stage_split(section, figure):
    axes = figure.subplots()
    names = list(section.data)
    left = [0.0] * len(names)
    for stage in ("text", "prefill", "decode", "denoising", "super-resolution", "decoder"):
        parts = [100 * section.data[name].get(stage, 0) for name in names]
        axes.barh(names, parts, left=left, label=stage)
        left = [a + b for a, b in zip(left, parts)]
    axes.invert_yaxis()
    axes.set_title("Stages, % of GPU time", fontsize=10)
    axes.legend(fontsize=7, ncol=6, loc="upper center", bbox_to_anchor=(0.5, -0.06))


def decoder_share(section, figure):
    axes = figure.subplots()
    for name, shares in section.data.items():
        axes.plot(sections.STEPS, [100 * s for s in shares], "-o", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sections.STEPS, map(str, sections.STEPS))
    axes.invert_xaxis()
    axes.set_xlabel("denoising steps")
    axes.set_ylabel("% of GPU time in the decoder")
    axes.legend(fontsize=8)


PICTURES = (
    breakdown,
    gains,
    lengths_over_time,
    lengths_by_size,
    by_size,
    frames,
    intensity,
    stage_split,
    decoder_share,
)


def draw(section, folder):
    """The file's name; None: this one has no picture."""
    picture = next((p for p in PICTURES if p.__name__ == section.name), None)
    if not picture or not section.rows:
        return None
    figure = plt.figure(figsize=(8, 4.5))
    picture(section, figure)
    name = f"{section.name}.png"
    figure.savefig(folder / name, dpi=DPI, bbox_inches="tight")
    plt.close(figure)
    return name
