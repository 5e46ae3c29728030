# SPDX-License-Identifier: Apache-2.0
"""What ttitrace says of the study's traces.  Every figure of the study comes through ask()."""

import collections
import functools
import json
import os
import pathlib
import shlex
import statistics
import subprocess

import runs

ROOT = pathlib.Path(__file__).resolve().parents[2]
TTITRACE = os.environ.get("TTITRACE", str(ROOT / "build/release/ttitrace"))
OPERATORS = ("attention", "convolution", "linear", "group_norm", "layer_norm", "elementwise", "memory")
TRACES = pathlib.Path("build/study")


def path_of(name):
    return TRACES / f"{name}.ttt"


def has(*names):
    return all(path_of(name).exists() for name in names)


def shown(command, *words):
    """The command line as a reader would give it."""
    return " ".join(["ttitrace", command, *(shlex.quote(str(word)) for word in words)])


@functools.cache
def ask(command, *words):
    """The answer to `ttitrace command words... --json`."""
    line = [TTITRACE, command, "--json", "--symbols", "none", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode > 1 or not done.stdout:
        raise SystemExit(f"{' '.join(line)}: {done.stderr}")
    return json.loads(done.stdout)


def phases(name):
    return ask("report", "--by", "phase", path_of(name))


class Stage:
    """A part of a generation: GPU time, FLOPs and time by the clock, as often as a whole one has it."""

    def __init__(self, name, rows, repeats):
        self.name, self.repeats, self.nr = name, repeats, len(rows)
        factor = repeats / len(rows) if rows else 0
        self.operators, self.flops = collections.Counter(), collections.Counter()
        for row in rows:
            for operator in row["operators"]:
                self.operators[operator["name"]] += operator["time_ns"] * factor
                self.flops[operator["name"]] += operator["flops"] * factor
        self.busy_ns = sum(row["busy_ns"] for row in rows) * factor
        warm = rows[1:] or rows
        self.clock_ns = statistics.median(row["end_ns"] - row["begin_ns"] for row in warm) if warm else 0
        self.step_busy_ns = statistics.median(row["busy_ns"] for row in warm) if warm else 0


def stages(workload, setting, steps=None):
    """Those of a whole generation, of as many steps as the model is used with (or steps)."""
    steps = steps or runs.FULL_STEPS[workload]
    rows = phases(f"{workload}.{setting}")["phases"]
    result = []
    for name, phase, per_step, numbers in runs.STAGES.get(workload, runs.USUAL_STAGES):
        mine = [row for row in rows if row["name"] == phase]
        if numbers:
            mine = [row for row in mine if numbers[0] <= row["index"] <= numbers[1]]
        if mine:
            result.append(Stage(name, mine, max(1, round(steps * per_step)) if per_step else len(mine)))
    return result


def operators(workload, setting):
    """{operator: ns of a whole generation}"""
    total = collections.Counter()
    for stage in stages(workload, setting):
        total.update(stage.operators)
    return total


def flops(workload, setting):
    total = collections.Counter()
    for stage in stages(workload, setting):
        total.update(stage.flops)
    return total


def weight_bytes(name):
    answer = ask("roofline", path_of(name))
    return answer["flops"] / answer["capacity_intensity"] if answer["capacity_intensity"] else 0


def sequence_calls(name, *options):
    return ask("seqlen", *options, path_of(name))["calls"]


def attention_rows(name, *options):
    return [row for row in ask("report", *options, path_of(name))["attention"] if row["calls"]]


def attention_flops(row):
    return 2 * row["b"] * row["h"] * row["s_q"] * row["s_k"] * (row["d"] + row["d_v"]) * row["calls"]


def sweep(variable, series, *options):
    """series: {name: [runs]}"""
    words = []
    for name, members in series.items():
        words += ["--series", name, *map(path_of, members)]
    return ask("sweep", "--x", variable, "--phase", "denoising step", *options, *words)
