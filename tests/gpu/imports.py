#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What torch.profiler recorded, imported, against what ttitrace recorded of the same program.

For each model one process runs under ttitrace and another inside torch.profiler with shapes and stacks,
whose JSON `ttitrace import` turns into a trace.  The two reports agree: launches, copies, the count of
every kernel name, attention calls with their shapes, and modules by class are equal; operator shares are within
0.5 point, FLOPs within 0.1 %, GPU time within 2 %.

`--again FOLDER` judges NAME.ttt and NAME.json.gz that an earlier run left there.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import sys
import tempfile

from common import (
    PROGRAMS,
    TTITRACE,
    keep_files,
    limit_time,
    python,
    recorded,
    run,
    skip_without_gpu,
    table,
    write_results,
)

TIME_LIMIT_S = 200
TIMEOUT_S = 150
MODELS = ("sd15", "llama")
NR_FORWARDS = 2
MAX_SHARE_DIFFERENCE = 0.005
MAX_FLOPS_DIFFERENCE = 0.001
MAX_TIME_DIFFERENCE = 0.02
MAX_FAULTS_SHOWN = 12


def must_succeed(finished, what):
    if finished.code != 0:
        sys.exit(f"{what}: exit code {finished.code}\n{finished.tail()}")
    return finished


def record(scratch, name):
    """NAME.ttt and NAME.json.gz in scratch; both processes import at once, one uses the GPU at a time."""
    options = [name, "--forwards", NR_FORWARDS, "--turn", scratch / "turn"]
    folder = scratch / f"{name}.d"
    folder.mkdir()
    ours = recorded(python(PROGRAMS / "one_model.py", *options), folder)
    theirs = python(PROGRAMS / "one_model_profiled.py", *options, "--trace", scratch / f"{name}.json.gz")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for what, done in [(w, pool.submit(run, c, TIMEOUT_S)) for w, c in (("ttitrace", ours), ("profiler", theirs))]:
            must_succeed(done.result(), f"{name} under {what}")
    (trace,) = folder.glob("*.ttt")
    trace.rename(scratch / f"{name}.ttt")


def asked(path, *words):
    finished = run([TTITRACE, *words, "--json", path], TIMEOUT_S)
    must_succeed(finished, " ".join(map(str, words)))
    return json.loads(finished.stdout)


def imported(folder, name, scratch):
    path = scratch / f"{name}.imported.ttt"
    must_succeed(run([TTITRACE, "import", "--force", "-o", path, folder / f"{name}.json.gz"], TIMEOUT_S), "import")
    return path


class Side:
    """What the comparison needs of one trace."""

    def __init__(self, path):
        report = asked(path, "report")
        self.coverage = report["coverage"]
        self.gpu_ns = report["gpu"]["kernel_ns"] + report["gpu"]["copy_ns"]
        self.shares = {row["name"]: row["share"] for row in report["operators"]}
        self.kernels = collections.Counter({row["name"]: row["launches"] for row in report["kernels"]})
        self.attention = collections.Counter()
        for row in report["attention"]:
            if row.get("calls") and row.get("b"):
                self.attention[tuple(row[key] for key in ("backend", "b", "h", "s_q", "s_k", "d", "d_v"))] += row["calls"]
        self.flops = asked(path, "roofline")["flops"]
        self.modules, self.nr_modules = collections.Counter(), 0
        for row in asked(path, "report", "--by", "module")["modules"]:
            self.add_module(row)

    def add_module(self, row, is_inside=False):
        """Launches by class of module, but for the outermost: of methods other than forward, such as
        generate, the profiler does not say whose they are.  They also stand between modules and tell
        their calls apart: so not each module by itself."""
        is_module = row["sort"] == "module"
        if is_module and is_inside:
            self.modules[row["class"]] += row["launches"]
        self.nr_modules += is_module
        for child in row["children"]:
            self.add_module(child, is_inside or is_module)


def ratio(a, b):
    return abs(a - b) / max(a, b) if a or b else 0.0


def faults_of(ours, theirs):
    for key in ("launches", "kernel_records", "copies", "copy_records", "matched", "complete"):
        if ours.coverage[key] != theirs.coverage[key]:
            yield f"{key}: {ours.coverage[key]}, imported {theirs.coverage[key]}"
    for what in ("kernels", "attention", "modules"):
        a, b = getattr(ours, what), getattr(theirs, what)
        for key in sorted({*(a - b), *(b - a)}, key=str):
            yield f"{what}: {key}: {a[key]}, imported {b[key]}"
    for name in sorted({*ours.shares, *theirs.shares}):
        a, b = ours.shares.get(name, 0), theirs.shares.get(name, 0)
        if abs(a - b) > MAX_SHARE_DIFFERENCE:
            yield f"share of {name}: {a:.2%}, imported {b:.2%}"
    if ratio(ours.flops, theirs.flops) > MAX_FLOPS_DIFFERENCE:
        yield f"FLOPs: {ours.flops:.6g}, imported {theirs.flops:.6g}"
    if ratio(ours.gpu_ns, theirs.gpu_ns) > MAX_TIME_DIFFERENCE:
        yield f"GPU time: {ours.gpu_ns}, imported {theirs.gpu_ns}"


def row_of(name, ours, theirs, faults):
    names = {*ours.shares, *theirs.shares}
    return {
        "model": name,
        "launches": ours.coverage["launches"],
        "kernels": len(ours.kernels),
        "attention": sum(ours.attention.values()),
        "modules": (ours.nr_modules, theirs.nr_modules),
        "share": max(abs(ours.shares.get(n, 0) - theirs.shares.get(n, 0)) for n in names),
        "flops": ratio(ours.flops, theirs.flops),
        "time": ratio(ours.gpu_ns, theirs.gpu_ns),
        "faults": faults,
    }


def judge(folder, scratch):
    rows = []
    for name in MODELS:
        ours, theirs = Side(folder / f"{name}.ttt"), Side(imported(folder, name, scratch))
        rows.append(row_of(name, ours, theirs, list(faults_of(ours, theirs))))
    return rows


def text(rows):
    header = ("model", "launches", "kernel names", "attention calls", "modules", "shares within", "FLOPs", "GPU time", "faults")
    cells = [
        (
            row["model"],
            row["launches"],
            row["kernels"],
            row["attention"],
            "{} and {}".format(*row["modules"]),
            f"{100 * row['share']:.2f} points",
            f"{row['flops']:.3%}",
            f"{row['time']:.2%}",
            len(row["faults"]),
        )
        for row in rows
    ]
    lines = table(header, cells)
    for row in rows:
        lines += [f"FAILED {row['model']}: {fault}" for fault in row["faults"][:MAX_FAULTS_SHOWN]]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", type=pathlib.Path, metavar="FOLDER", help="judge what is there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        if not args.again:
            skip_without_gpu()
            limit_time(TIME_LIMIT_S)
            for name in MODELS:
                record(scratch, name)
            keep_files("imports.tar", scratch, [*scratch.glob("*.ttt"), *scratch.glob("*.json.gz")])
        rows = judge(args.again or scratch, scratch)
    lines = text(rows)
    print("\n".join(lines))
    write_results("imports", lines, {"models": rows})
    sys.exit(any(row["faults"] for row in rows))


if __name__ == "__main__":
    main()
