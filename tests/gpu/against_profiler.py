#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count and GPU time of every kernel name, against torch.profiler's for the same work.

The work (tests/gpu/programs/profiled_diffusion.py) is the same from the first CUDA call to the last;
one process does it under ttitrace, another inside torch.profiler, in turn.  Counts must be equal; the
mean time of a kernel with at least 0.5 % of the total must agree within 2 %.
"""

import argparse
import collections
import ctypes
import json
import pathlib
import sys
import tempfile

from common import PROGRAMS, limit_time, python, recorded, report, run, skip_without_gpu, table, write_results

WORK = PROGRAMS / "profiled_diffusion.py"
TIME_LIMIT_S = 200
TIMEOUT_S = 100
MIN_SHARE = 0.005
MAX_DIFFERENCE = 0.02


def demangler():
    """The C++ library's: Kineto uses it too, except for very long names."""
    library = ctypes.CDLL("libstdc++.so.6")
    library.__cxa_demangle.restype = ctypes.c_void_p
    libc = ctypes.CDLL(None)
    libc.free.argtypes = (ctypes.c_void_p,)

    def demangle(name):
        if not name.startswith("_Z"):
            return name
        status = ctypes.c_int(0)
        pointer = library.__cxa_demangle(name.encode(), None, None, ctypes.byref(status))
        if not pointer:
            return name
        plain = ctypes.string_at(pointer).decode()
        libc.free(pointer)
        return plain

    return demangle


demangle = demangler()


def merged(rows):
    """{demangled name: [count, ns]} of (name, count, ns) rows."""
    kernels = collections.defaultdict(lambda: [0, 0])
    for name, count, ns in rows:
        kernel = kernels[demangle(name)]
        kernel[0] += count
        kernel[1] += ns
    return kernels


def must_succeed(finished):
    if finished.code != 0:
        sys.exit(f"exit code {finished.code}\n{finished.tail()}")
    return finished


def by_ttitrace(work_options, scratch):
    trace_dir = scratch / "trace"
    trace_dir.mkdir()
    must_succeed(run(recorded(python(WORK, *work_options), trace_dir), TIMEOUT_S))
    rep, finished = report(trace_dir)
    must_succeed(finished)
    # Copies and fills have no name of their own: each tool has its words for them.
    return merged((k["mangled"], k["launches"], k["time_ns"]) for k in rep["kernels"] if k.get("mangled"))


def by_profiler(work_options, scratch):
    path = scratch / "kernels.json"
    must_succeed(run(python(WORK, "--kernels", path, *work_options), TIMEOUT_S))
    return merged((name, count, ns) for name, (count, ns) in json.loads(path.read_text()).items())


def measure(how, work_options):
    with tempfile.TemporaryDirectory() as scratch:
        return how(work_options, pathlib.Path(scratch))


def compare(ours, theirs):
    """A row per kernel name, longest first; ours and theirs are lists of one result per round."""
    total_ns = sum(ns for kernels in theirs for _, ns in kernels.values())
    rows = []
    for name in set().union(*ours, *theirs):
        counts = [[kernels.get(name, (0, 0))[0] for kernels in side] for side in (ours, theirs)]
        ns = [sum(kernels.get(name, (0, 0))[1] for kernels in side) for side in (ours, theirs)]
        rows.append(
            {
                "name": name,
                "launches": counts[0],
                "launches_profiler": counts[1],
                "ns": ns[0] / len(ours),
                "ns_profiler": ns[1] / len(theirs),
                "share": ns[1] / total_ns if total_ns else 0.0,
                "difference": ns[0] / ns[1] - 1 if ns[1] else float("inf"),
            }
        )
    return sorted(rows, key=lambda row: -row["share"])


def faults_of(row):
    if len(set(row["launches"] + row["launches_profiler"])) != 1:
        yield f"{row['launches']} launches, torch.profiler {row['launches_profiler']}: {row['name']}"
    elif row["share"] >= MIN_SHARE and abs(row["difference"]) > MAX_DIFFERENCE:
        yield f"time differs by {row['difference']:+.2%}: {row['name']}"


def text(rows, faults):
    shown = [row for row in rows if row["share"] >= MIN_SHARE]
    cells = [
        (
            row["name"][:70],
            row["launches"][0],
            row["launches_profiler"][0],
            f"{row['ns'] / 1e6:.3f}",
            f"{row['ns_profiler'] / 1e6:.3f}",
            f"{row['difference']:+.2%}",
            f"{row['share']:.1%}",
        )
        for row in shown
    ]
    lines = table(("kernel", "launches", "profiler", "ms", "profiler", "differs", "share"), cells)
    launches = sum(row["launches"][0] for row in rows)
    worst = max((abs(row["difference"]) for row in shown), default=0)
    lines += [f"FAILED {fault}" for fault in faults]
    lines.append(
        f"against torch.profiler: {len(rows)} kernel names, {launches} launches, {len(shown)} names above "
        f"{MIN_SHARE:.1%}, worst time difference {worst:.2%}, {len(faults)} failed"
    )
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="runs of each side, in turn")
    args, work_options = parser.parse_known_args()
    skip_without_gpu()
    limit_time(TIME_LIMIT_S)
    ours, theirs = [], []
    for _ in range(args.rounds):
        ours.append(measure(by_ttitrace, work_options))
        theirs.append(measure(by_profiler, work_options))
    rows = compare(ours, theirs)
    faults = [fault for row in rows for fault in faults_of(row)]
    lines = text(rows, faults)
    print("\n".join(lines))
    write_results("against_profiler", lines, {"kernels": rows, "faults": faults})
    sys.exit(bool(faults) or not rows)


if __name__ == "__main__":
    main()
