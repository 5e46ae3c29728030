#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events per second and peak memory of `ttitrace export`, on a generated trace.

usage: bench_export.py [BUILD_FOLDER [LAUNCHES [RUNS]]]    (build/release, 1000000, 5)

An event is a call or what it did on the GPU: two a launch.  By the processor's time, so that
other work on the machine does not count.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile

from bench_report import ROOT, measure

BARRED = ("perfetto", "sqlite")
FORMATS = ("perfetto", "sqlite", "csv", "jsonl", "chrome", "avro")


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    launches = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print(f"{'format':>10} {'CPU s':>7} {'M events/s':>11} {'bytes/launch':>13} {'peak kB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        trace, out = pathlib.Path(folder) / "t.ttt", pathlib.Path(folder) / "out"
        with trace.open("wb") as file:
            subprocess.run([build / "tests/mkbench", str(launches)], stdout=file, check=True)
        for form in FORMATS:
            done = [
                measure([build / "ttitrace", "export", "--format", form, "-o", out, trace])
                for _ in range(runs if form in BARRED else 1)
            ]
            cpu = statistics.median(run[1] for run in done)
            print(
                f"{form:>10} {cpu:>7.2f} {2 * launches / cpu / 1e6:>11.2f} "
                f"{out.stat().st_size / launches:>13.0f} {max(run[2] for run in done):>8}"
            )


if __name__ == "__main__":
    main()
