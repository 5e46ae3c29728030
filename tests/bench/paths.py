#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stacks and Python paths cost a launch; a row minus `none` is their price.

    tests/bench/paths.py BUILD [PYTHON...]

`still`: launch after launch from one place, 22 Python frames deep.  `tree`: from 1,296 modules in
turn, 28 frames deep, where 3 frames and the whole template differ from the launch before; what
the interpreter itself takes is in it.  `cold`: the same, but the launch alone, when 3 MB of other
memory have been touched before each module is called: what a real program's own work does to the
caches; here the driver takes 3,000 ns of it.  The driver is the stand-in whose launches do nothing.  Medians, and the least, of runs taken in turn.
"""

import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time

SETUPS = (None, "none", "python", "native", "both")
RUNS = 5


class Still:
    def __init__(self, depth, launch):
        self.inner = Still(depth - 1, launch) if depth else launch

    def __call__(self):
        return self.call()

    def call(self):
        return self.forward()

    def forward(self):
        return self.inner()


class Tree:
    def __init__(self, depth, launch):
        self.children = [Tree(depth - 1, launch) for _ in range(6)] if depth else [launch]

    def __call__(self):
        return self.call()

    def call(self):
        return self.forward()

    def forward(self):
        for child in self.children:
            child()


class ColdTree(Tree):
    """Before each of the innermost modules is called, the caches are emptied."""

    def __init__(self, depth, launch, empty):
        super().__init__(0, launch)
        if depth:
            self.children = [ColdTree(depth - 1, launch, empty) for _ in range(6)]
        self.before = empty if depth == 1 else int

    def forward(self):
        for child in self.children:
            self.before()
            child()


def measure(library):
    """In a process of its own: nanoseconds per launch, still and tree."""
    many = ctypes.CDLL(library)
    many.many_launches.restype = ctypes.c_double
    many.many_start()
    still = Still(6, lambda: many.many_launches(64))
    print(statistics.median([still() for _ in range(300)][20:]))
    tree = Still(3, Tree(4, many.many_launch))
    times = []
    for _ in range(40):
        begin = time.perf_counter_ns()
        tree()
        times.append((time.perf_counter_ns() - begin) / 6**4)
    print(statistics.median(times[3:]))
    many.many_timed_median.restype = ctypes.c_double
    tree = Still(3, ColdTree(4, many.many_launch_timed, many.many_empty_caches))
    for _ in range(4):  # in the first round every path is new
        tree()
    print(many.many_timed_median())


def run(build, python, setup, directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TTITRACE_")}
    env["LD_LIBRARY_PATH"] = f"{build}/tests/fake/cheap"
    env["TTITRACE_OUTPUT"] = f"{directory}/%p.ttt"
    env["TTITRACE_TIMING"] = "none"
    if setup:
        env["LD_PRELOAD"] = f"{build}/libttitrace.so"
        env["TTITRACE_STACKS"] = setup
    command = [python, __file__, "--measure", f"{build}/tests/programs/plugin/libmany.so"]
    out = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    return [float(word) for word in out.split()]


def main():
    if sys.argv[1:2] == ["--measure"]:
        return measure(sys.argv[2])
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv[1])
    print(f"ns per launch, median (least) of {RUNS} runs")
    print(f"{'python':>12} {'stacks':>8} {'still':>14} {'tree':>14} {'cold':>14}")
    with tempfile.TemporaryDirectory() as directory:
        for python in sys.argv[2:] or [sys.executable]:
            took = {setup: [] for setup in SETUPS}
            for _ in range(RUNS):
                for setup in SETUPS:
                    took[setup].append(run(build, python, setup, directory))
            for setup in SETUPS:
                cells = (f"{statistics.median(v):.0f} ({min(v):.0f})" for v in zip(*took[setup]))
                name = os.path.basename(python)
                print(f"{name:>12} {setup or 'bare':>8} " + " ".join(f"{c:>14}" for c in cells))


if __name__ == "__main__":
    main()
