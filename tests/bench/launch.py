#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a launch costs: bare, with the hooks alone, with recording; interleaved, medians, spread.

    tests/bench/launch.py BUILD [RUNS] [LAUNCHES] [THREADS...]

The driver is the stand-in whose launches do nothing, so a row minus `bare` is our own price.  With
CUPTI's timing the stand-in for CUPTI is in it too (its callbacks, no records): real CUPTI's share
is measured on a GPU.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

THREADS = (1, 2, 4, 8, 16)
SETUPS = (
    # name, library, timing
    ("bare", None, None),
    ("hooks only", "libttitrace-nop.so", None),
    ("recording, no timing", "libttitrace.so", "none"),
    ("recording, cupti callbacks", "libttitrace.so", "cupti"),
)


def losses(build, path):
    command = [f"{build}/ttitrace", "report", "--json", path]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {loss["cause"]: loss["count"] for loss in report["losses"]}


def run(build, library, timing, launches, threads, directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TTITRACE_")}
    env["LD_LIBRARY_PATH"] = f"{build}/tests/fake/cheap:{build}/tests/fake"
    env["TTITRACE_OUTPUT"] = f"{directory}/%p.ttt"
    env["TTITRACE_CUPTI"] = f"{build}/tests/fake/libcupti.so.13"
    env["TTITRACE_RING_KB"] = "16384"  # a dropped row is cheap and would flatter the result
    if library:
        env["LD_PRELOAD"] = f"{build}/{library}"
    if timing:
        env["TTITRACE_TIMING"] = timing
    program = [f"{build}/tests/bench/bench_launch", str(launches), str(threads)]
    out = subprocess.run(program, env=env, check=True, capture_output=True, text=True).stdout
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        lost = losses(build, path)
        if lost:
            print(f"rows were dropped, so the figure is too good: {lost}", file=sys.stderr)
        os.unlink(path)
    return float(out)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv[1])
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    launches = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
    counts = tuple(map(int, sys.argv[4:])) or THREADS
    print(f"ns per launch, median of {runs} runs (least - most), {os.cpu_count()} processors")
    print(f"{'threads':>7}  " + "  ".join(f"{name:>26}" for name, _, _ in SETUPS))
    with tempfile.TemporaryDirectory() as directory:
        for threads in counts:
            ns = {name: [] for name, _, _ in SETUPS}
            for _ in range(runs):
                for name, library, timing in SETUPS:
                    share = max(launches // threads, 1000)
                    ns[name].append(run(build, library, timing, share, threads, directory))
            cells = (
                f"{statistics.median(v):.1f} ({min(v):.1f} - {max(v):.1f})" for v in ns.values()
            )
            print(f"{threads:>7}  " + "  ".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
