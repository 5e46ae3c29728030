#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Launches per second and peak memory of `ttitrace report`, on traces of three sizes.

usage: bench_report.py [BUILD_FOLDER]    (build/release; needs ttitrace and tests/mkbench in it)
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = (100_000, 1_000_000, 10_000_000)
RUNS = 7


def measure(command):
    """Wall and CPU seconds and peak memory in kB of one run."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    print(f"{'launches':>10} {'bytes/launch':>12} {'wall s':>8} {'M launches/s':>13} {'peak kB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for launches in SIZES:
            trace = pathlib.Path(folder) / "t.ttt"
            with trace.open("wb") as out:
                subprocess.run([build / "tests/mkbench", str(launches)], stdout=out, check=True)
            runs = [measure([build / "ttitrace", "report", trace]) for _ in range(RUNS)]
            cpu = statistics.median(run[1] for run in runs)
            wall = statistics.median(run[0] for run in runs)
            print(
                f"{launches:>10} {trace.stat().st_size / launches:>12.2f} {wall:>8.3f} "
                f"{launches / max(cpu, wall) / 1e6:>13.1f} {max(run[2] for run in runs):>8}"
            )


if __name__ == "__main__":
    main()
