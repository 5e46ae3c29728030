#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""startup.py BUILD [TIMES]: microseconds from start to end of a program without CUDA, without the
library, with the hooks alone, with the library; they take turns, medians of TIMES (1000)."""

import os
import pathlib
import statistics
import sys
import time

PROGRAM = "/bin/true"


def run_us(environment):
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(PROGRAM, [PROGRAM], environment)
    _, status = os.waitpid(pid, 0)
    assert status == 0
    return (time.perf_counter_ns() - begin) / 1000


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    setups = {"bare": {}}
    for name in ("libttitrace-nop.so", "libttitrace.so"):
        setups[name] = {"LD_PRELOAD": str(build / name)}
    taken = {name: [] for name in setups}
    for _ in range(times):
        for name, environment in setups.items():
            taken[name].append(run_us(environment))
    medians = {name: statistics.median(us) for name, us in taken.items()}
    for name, us in medians.items():
        print(f"{name}: {us:.0f} us, {us - medians['bare']:.0f} more than bare")


if __name__ == "__main__":
    main()
